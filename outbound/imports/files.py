"""The records of a file, one by one with flat memory: NDJSON, a JSON array, objects, or CSV, each also as gzip."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from models.encryption import Digest
from outbound.imports.columns import Columns
from outbound.readers import arrays, encoded, objects, table
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import BLANKS, ReadRecord

CHUNK = 1024 * 1024
PURPOSE = "import-file"

Form = Literal["ndjson", "array", "objects", "csv"]


def fingerprint(path: Path, digest: Digest) -> str:
    """Return what tells a file from another one: its length in bytes, and a digest of its beginning and end under our
    key, because a short file names people whose ids can be guessed. Raises OSError."""
    size, ends = _ends(path)
    return f"{size}-hmac-{digest(PURPOSE, ends)[:32]}"


def plain_fingerprint(path: Path) -> str:
    """Return what was kept of a file before there was a key; it is looked for, and never written. Raises OSError."""
    size, ends = _ends(path)
    return f"{size}-{hashlib.sha256(ends).hexdigest()[:32]}"


def _ends(path: Path) -> tuple[int, bytes]:
    """Return the length of a file, and its first and its last megabyte."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        beginning = file.read(CHUNK)
        file.seek(max(0, size - CHUNK))
        return size, beginning + file.read(CHUNK)


def form_of(path: Path) -> Form:
    """Return how a file holds its records, by how it begins. Raises UnreadableFile, OSError."""
    with encoded.opened(path) as (start, _file):
        return _form(start)


def _form(start: bytes) -> Form:
    text = start.lstrip(BLANKS)
    if not text and len(start) < encoded.START:
        raise UnreadableFile("The file is empty.")
    if text.startswith(b"["):
        return "array"
    if text.startswith(b"{"):
        return "ndjson" if objects.is_lines(start) else "objects"
    return "csv"


def reads(path: Path, columns: Columns | None = None) -> Iterator[ReadRecord]:
    """Yield everything in the file, by place; blank lines are passed over. A CSV needs `columns`. Raises
    UnreadableFile, also midway, and OSError."""
    with encoded.opened(path) as (start, file):
        form = _form(start)
        if form == "csv":
            yield from _rows(table.read(start, file), columns or Columns())
        elif form == "ndjson":
            yield from objects.of_lines(file)
        else:
            yield from arrays.of_array(file) if form == "array" else arrays.of_values(file)


def _rows(found: table.Table, columns: Columns) -> Iterator[ReadRecord]:
    """Yield the rows of a table as records; the place is the number of the row below the heads."""
    for row in found.cells():
        record = None if row.wrong else columns.record(row.cells)
        yield ReadRecord(row.place, record, row.wrong, row.text, row.line)


def heads(path: Path) -> list[str]:
    """Return the names of a CSV's columns. Raises UnreadableFile, OSError."""
    with table.table(path) as found:
        return [name for name in found.names if name]


def total(path: Path) -> int | None:
    """Return how many places there are; None where that would mean to read every object. All of the file is looked at,
    so that a packed one is known to be whole. Raises UnreadableFile, OSError."""
    with encoded.opened(path) as (start, file):
        form, end = _form(start), table.line_end(start)
        lines, last = 0, end
        while chunk := file.read(CHUNK):
            lines += chunk.count(end)
            last = chunk
    return lines + (not last.endswith(end)) - (form == "csv") if form in {"csv", "ndjson"} else None
