"""JSON in and out where a database's and a sender's idea of JSON differ.

Neither PostgreSQL nor a UTF-8 column can keep a NUL character, a lone surrogate or a number that is not finite. They
can only arrive by an escape or in text that strict readers refuse, so the common case pays one search for a
backslash-u.
"""

import json
import math
import re
from typing import Any

import msgspec

DEEPEST = 100  # levels of nesting that a property keeps; a reader's recursion bears several times as many
TOO_DEEP = 2 * DEEPEST  # what begins there is not even read
LONGEST_NUMBER = 4300  # digits of a whole number that Python reads

_WRONG_BYTE = re.compile("[\udc80-\udcff]")  # as `surrogateescape` writes it
_BRACKETS = re.compile(r'"(?:[^"\\]+|\\.)*+"?|[\[\]{}]', re.DOTALL)  # a text without an end reaches to the last


class NotJson(ValueError):
    """The bytes are no JSON document that can be read."""


def text_of(data: bytes) -> tuple[str, int]:
    """Return a document as text, from UTF-8, UTF-16 or UTF-32, and how many of its bytes are no UTF-8. Each of these
    stands in the text as half of a character, so that an id that holds one is told from others; `clean_text` replaces
    it."""
    encoding = json.detect_encoding(data)
    if not encoding.startswith("utf-8"):
        return _wide_text(data, encoding), 0
    try:
        return data.decode(encoding), 0
    except UnicodeDecodeError:
        pass
    text = data.decode(encoding, "surrogateescape")
    return text, _WRONG_BYTE.subn("", text)[1]


def _wide_text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return data.decode(encoding, "replace")


def decode_lenient(data: bytes | str) -> Any:
    """Return what `data` says, also where a strict reader refuses it for one character, number or depth: `clean` it
    before it is kept. Raises NotJson."""
    text = data if isinstance(data, str) else text_of(data)[0]
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        return _decode_shallow(text)
    except ValueError:
        raise NotJson from None


def _decode_shallow(text: str) -> Any:
    try:
        return json.loads(_shallow(text), parse_int=_whole)
    except (ValueError, RecursionError):
        raise NotJson from None


def _shallow(text: str) -> str:
    """Return the document with null for what lies deeper than any reader bears."""
    kept, depth, start = [], 0, 0
    for bracket in _BRACKETS.finditer(text):
        mark = text[bracket.start()]
        if mark in "[{":
            depth += 1
            if depth == TOO_DEEP:
                kept += [text[start : bracket.start()], "null"]
        elif mark in "]}":
            start = bracket.end() if depth == TOO_DEEP else start
            depth -= 1
    if depth:
        raise NotJson
    return "".join([*kept, text[start:]])


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def encode(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (OverflowError, ValueError, TypeError):  # a whole number over 64 bits, or a lone surrogate
        return json.dumps(value, separators=(",", ":"))


def clean(value: Any, levels: int = DEEPEST) -> Any:
    """Return `value` without NUL characters, lone surrogates, numbers that are not finite and what lies too deep
    (S3)."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, dict):
        return {clean_text(key): clean(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, levels - 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def clean_text(value: str) -> str:
    """Return `value` without NUL characters; in place of each half of a character stands a sign for it."""
    if value.isascii():
        return value.replace("\0", "")
    return _WRONG_BYTE.sub("\ufffd", value.replace("\0", "")).encode("utf-8", "replace").decode()
