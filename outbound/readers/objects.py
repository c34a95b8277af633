"""JSON objects, decoded by one set of rules wherever they stand, and those of which each has a line.

A name that stands twice in an object, NaN, Infinity, and what is no UTF-8 make a record wrong; none is guessed at.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from outbound.readers import lines as cut
from outbound.readers.cells import without_twins
from outbound.readers.lines import lines, no_utf8

DEEPEST = 100  # levels; Mixpanel keeps three
KEPT = 1024 * 1024  # bytes of what is no record, for whoever mends it; of more only the beginning
SHOWN = 200
BLANKS = b" \t\r\n"
# What may stand before the colon behind a name: as many of these as a record has names, and none stands twice.
_COLONS = (b'":', b" :", b"\t:", b"\n:", b"\r:")

Record = dict[str, Any]


@dataclass(slots=True)
class ReadRecord:
    """What stands at a place: a record, or what is wrong with it and what stands there. `line` is where it begins."""

    place: int
    record: Record | None
    wrong: str = ""
    text: str = ""
    line: int = 0


class NoRecord(ValueError):
    """No record; says why."""


_decode = msgspec.json.Decoder(Record).decode


def record(written: bytes, line: int = 1) -> Record:
    """Return the object that is written so. Raises NoRecord."""
    try:
        found = _decode(written)
    except UnicodeDecodeError:
        raise NoRecord(no_utf8(written, line)) from None
    except RecursionError:
        raise NoRecord(f"The object is nested deeper than {DEEPEST} levels.") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise NoRecord(f"No JSON object: {_plain(error)}.") from None
    if _names(found, DEEPEST) != sum(map(written.count, _COLONS)):
        _refuse_twins(written)
    return found


def _plain(error: Exception) -> str:
    return str(error).rstrip(".").replace("`", "")


def _names(found: Any, left: int) -> int:
    """Return how many names stand in it. Raises NoRecord where it is nested too deeply."""
    if not left:
        raise NoRecord(f"The object is nested deeper than {DEEPEST} levels.")
    if isinstance(found, dict):
        many, values = len(found), found.values()
    else:
        many, values = 0, found
    for value in values:
        if isinstance(value, dict | list):
            many += _names(value, left - 1)
    return many


def _refuse_twins(written: bytes) -> None:
    """Raises NoRecord where a name stands twice in an object; a colon within a text only seemed to be one."""
    try:
        json.loads(written, object_pairs_hook=without_twins)
    except ValueError as error:
        raise NoRecord(f"No JSON object: {error}.") from None


def is_lines(start: bytes) -> bool:
    """Tell whether a text of objects has one on each line: its first line is one, or is none and a later line is."""
    first, *others = start.lstrip(BLANKS).split(b"\n")
    text = first.decode("utf-8", "replace").strip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        goes_on = isinstance(error, json.JSONDecodeError) and not text[error.pos :].strip()
        return not goes_on or any(map(_is_record, others))
    return end == len(text)


def _is_record(line: bytes) -> bool:
    """Tell whether a line is an object by itself, not one within another that is written in steps."""
    try:
        return line.startswith(b"{") and bool(record(line))
    except NoRecord:
        return False


def of_lines(file: IO[bytes]) -> Iterator[ReadRecord]:
    """Yield the object of each line; the place is the line, and blank ones are passed over."""
    number, before = 1, 0  # `before` counts bytes of a line that is too long
    for line in lines(file):
        is_whole = line.endswith(b"\n") or len(line) < cut.LONGEST
        if before or not is_whole:
            before += len(line)
            if is_whole:
                yield ReadRecord(number, None, "The line is longer than any record may be.", line=number)
                number, before = number + 1, 0
            continue
        if not line.isspace():
            yield made(number, line, number)
        number += 1
    if before:
        yield ReadRecord(number, None, "The line is longer than any record may be.", line=number)


def made(place: int, written: bytes, line: int) -> ReadRecord:
    """Return the object that is written so, or why it is none."""
    try:
        return ReadRecord(place, record(written, line), line=line)
    except NoRecord as wrong:
        kept = written if len(written) <= KEPT else written[:SHOWN]
        return ReadRecord(place, None, str(wrong), kept.decode("utf-8", "replace").strip(), line)
