"""JSON in and out where a database's and a sender's idea of JSON differ.

Neither PostgreSQL nor a UTF-8 column can keep a NUL character, a lone surrogate or a number that is not finite. They
can only arrive by an escape or in text that strict readers refuse, so the common case pays one search for a
backslash-u.
"""

import json
import math
from typing import Any

import msgspec

DEEPEST = 100  # levels of nesting that a property keeps; a reader's recursion bears several times as many
LONGEST_NUMBER = 4300  # digits of a whole number that Python reads


class NotJson(ValueError):
    """The bytes are no JSON document that can be read."""


def decode_lenient(data: bytes) -> Any:
    """What `data` says, also where a strict reader refuses it for one character or number: `clean` it before it is
    kept. Raises NotJson."""
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"), parse_int=_whole)
    except (ValueError, RecursionError):
        raise NotJson from None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def encode(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (OverflowError, ValueError, TypeError):  # a whole number over 64 bits, or a lone surrogate
        return json.dumps(value, separators=(",", ":"))


def clean(value: Any, levels: int = DEEPEST) -> Any:
    """`value` without NUL characters, lone surrogates, numbers that are not finite and what lies too deep (S3)."""
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
    return value.replace("\0", "").encode("utf-8", "replace").decode()
