"""The records of a file, one by one with flat memory: NDJSON, a JSON array, or CSV, each also as gzip."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from outbound.bulk.tables import Columns
from outbound.checks import MOST_RECORD_BYTES

CHUNK = 1024 * 1024
LONGEST_LINE = 4 * MOST_RECORD_BYTES  # a longer line is no record, and is not kept in memory
MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"

Record = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """What stands at a place: a record, or why it is none, with what stands there."""

    place: int
    record: Record | None
    wrong: str = ""
    text: str = ""


class Unreadable(ValueError):
    """The file is none that can be imported; says why."""


def fingerprint(path: Path) -> str:
    """What tells a file from another one: its length, its beginning and its end. Raises OSError."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256(file.read(CHUNK))
        file.seek(max(0, size - CHUNK))
        digest.update(file.read(CHUNK))
    return f"{size}-{digest.hexdigest()[:32]}"


def form_of(path: Path) -> str:
    """`ndjson`, `array` or `csv`, by how it begins. Raises Unreadable, OSError."""
    with _opened(path) as file:
        start = file.read(64 * 1024).removeprefix(BOM).lstrip()
    if not start:
        raise Unreadable("The file is empty.")
    if b"\0" in start:
        raise Unreadable("This is no text file. NDJSON, a JSON array and CSV can be imported, each also as gzip.")
    return {b"{": "ndjson", b"[": "array"}.get(start[:1], "csv")


def reads(path: Path, columns: Columns | None = None) -> Iterator[Read]:
    """Everything in the file, by place; blank lines are passed over. A CSV needs `columns`. Raises Unreadable, also
    midway, and OSError."""
    form = form_of(path)
    with _opened(path) as file:
        try:
            if form == "csv":
                yield from _table(file, columns)
            else:
                yield from (_lines(file) if form == "ndjson" else _elements(file))
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise Unreadable(f"The file breaks off, or is damaged ({type(error).__name__}).") from None


def heads(path: Path) -> list[str]:
    """The names of a CSV's columns. Raises Unreadable, OSError."""
    with _opened(path) as file:
        found = next(csv.reader(io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")), [])
    return [one.strip() for one in found]


def total(path: Path) -> int | None:
    """How many places there are; None where that would mean to read a whole array. Raises OSError."""
    form = form_of(path)
    if form == "array":
        return None
    lines, last = 0, b"\n"
    with _opened(path) as file:
        while chunk := file.read(CHUNK):
            lines += chunk.count(b"\n")
            last = chunk
    return lines + (not last.endswith(b"\n")) - (form == "csv")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of the file, unpacked where it is gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == MAGIC
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield unpacked  # type: ignore[misc]


def _lines(file: IO[bytes]) -> Iterator[Read]:
    decode = msgspec.json.Decoder(Record).decode
    place = 0
    while line := file.readline(LONGEST_LINE):
        place += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            _skip_line(file)
            yield Read(place, None, "The line is longer than any record may be.")
            continue
        if place == 1:
            line = line.removeprefix(BOM)
        if line.isspace():
            continue
        try:
            yield Read(place, decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield Read(place, None, f"No JSON object: {error}.", line.decode("utf-8", "replace").strip())


def _skip_line(file: IO[bytes]) -> None:
    while (line := file.readline(LONGEST_LINE)) and not line.endswith(b"\n"):
        pass


def _elements(file: IO[bytes]) -> Iterator[Read]:
    """The elements of an array, decoded as they come; what is behind a mistake cannot be read."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    decoder, held, at, place = json.JSONDecoder(), text.read(CHUNK).lstrip()[1:], 0, 0
    while True:
        at = _past(held, at, " \t\r\n,")
        if at < len(held) and held[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(held, at)
            whole = end < len(held)  # a number at the end of what is held may go on
        except ValueError:
            whole = False
        if whole:
            place, at = place + 1, end
            yield _element(place, value)
            continue
        more = text.read(CHUNK)
        held, at = held[at:] + more, 0
        if not more or len(held) > LONGEST_LINE + CHUNK:
            yield Read(place + 1, None, "From here on the array cannot be read.", held[:200])
            return


def _past(held: str, at: int, blanks: str) -> int:
    while at < len(held) and held[at] in blanks:
        at += 1
    return at


def _element(place: int, value: Any) -> Read:
    if isinstance(value, dict):
        return Read(place, value)
    return Read(place, None, "No JSON object.", json.dumps(value)[:200])


def _table(file: IO[bytes], columns: Columns | None) -> Iterator[Read]:
    """The rows of a CSV; the place is the number of the row below the heads."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    rows = csv.reader(text)
    names = [one.strip() for one in next(rows, [])]
    shape = columns or Columns()
    try:
        for place, row in enumerate(rows, 1):
            if any(map(str.strip, row)):
                yield Read(place, shape.record(dict(zip(names, row, strict=False))))
    except csv.Error as error:
        raise Unreadable(f"Line {rows.line_num} is no CSV: {error}.") from None
