"""The records of a file, one by one with flat memory: NDJSON, a JSON array, objects, or CSV, each also as gzip."""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from models.encryption import Digest, Digests
from outbound.imports.columns import Columns
from outbound.imports.conditions import RecordFilter
from outbound.readers import arrays, encoded, objects, table
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import BLANKS, ReadRecord
from outbound.request.checks.profiles import OBJECTS

CHUNK = 1024 * 1024
PURPOSE, CONTENT = "import-file", "import-content"
SAMPLED = 200  # records whose values are looked at
MOST_SAMPLED = 500  # names of which there are samples
SAMPLES, LONGEST_SAMPLE = 3, 40  # values of each, and characters of one
PARTS = ("properties", "$properties", *OBJECTS)  # where the properties of a record stand

Form = Literal["ndjson", "array", "objects", "csv"]


def fingerprint(path: Path, digest: Digest) -> str:
    """Return what tells a file from another one: its length in bytes, and a digest of its beginning and end under our
    key, because a short file names people whose ids can be guessed. Raises OSError."""
    size, ends = _ends(path)
    return f"{size}-hmac-{digest(PURPOSE, ends)[:32]}"


def fingerprints(path: Path, digests: Digests) -> list[str]:
    """Return the same under every key that was one, that of now first. Raises OSError."""
    size, ends = _ends(path)
    return [f"{size}-hmac-{one[:32]}" for one in digests(PURPOSE, ends)]


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


def reads(
    path: Path, columns: Columns | None = None, record_filter: RecordFilter | None = None, limit: int | None = None
) -> Iterator[ReadRecord]:
    """Yield everything in the file that passes, by place, of the first `limit` records if it is given; blank lines are
    passed over. A CSV needs `columns`. Raises UnreadableFile, also midway, and OSError."""
    passing = record_filter or RecordFilter()
    with encoded.opened(path) as (start, file):
        form = _form(start)
        if form == "csv":
            yield from _rows(islice(table.read(start, file).cells(), limit), columns or Columns(), passing)
        else:
            found = islice(_objects(form, file), limit)
            yield from (one for one in found if one.record is None or passing.passes(one.record))


def _objects(form: Form, file: IO[bytes]) -> Iterator[ReadRecord]:
    if form == "ndjson":
        return objects.of_lines(file)
    return arrays.of_array(file) if form == "array" else arrays.of_values(file)


def _rows(found: Iterator[table.Cells], columns: Columns, passing: RecordFilter) -> Iterator[ReadRecord]:
    """Yield the rows of a table as records; the place is the number of the row below the heads."""
    for row in found:
        if not row.wrong and not passing.passes_row(row.cells):
            continue
        record = None if row.wrong else columns.record(row.cells)
        yield ReadRecord(row.place, record, row.wrong, row.text, row.line)


def heads(path: Path) -> list[str]:
    """Return the names of a CSV's columns. Raises UnreadableFile, OSError."""
    with table.table(path) as found:
        return [name for name in found.names if name]


@dataclass(frozen=True)
class Survey:
    """What one pass over a file tells. `total`: how many places there are; None where that would mean to read every
    object. `digest` tells its content, unpacked, from any other."""

    total: int | None
    digest: bytes


def survey(path: Path) -> Survey:
    """Look at all of a file, so that a packed one is known to be whole. Raises UnreadableFile, OSError."""
    with encoded.opened(path) as (start, file):
        form, end = _form(start), table.line_end(start)
        lines, last, content = 0, end, hashlib.sha256()
        while chunk := file.read(CHUNK):
            lines += chunk.count(end)
            content.update(chunk)
            last = chunk
    total = lines + (not last.endswith(end)) - (form == "csv") if form in {"csv", "ndjson"} else None
    return Survey(total, content.digest())


def content_digest(found: Survey, digest: Digest) -> str:
    """Return the digest of a content under our key: a short file names people whose ids can be guessed."""
    return digest(CONTENT, found.digest)


def samples(path: Path) -> dict[str, list[str]]:
    """Return some values of each column of a CSV, or of each property of other records, as they begin. Raises
    UnreadableFile, OSError."""
    found: dict[str, list[str]] = {}
    with encoded.opened(path) as (start, file):
        form = _form(start)
        if form == "csv":
            rows: Iterator[Mapping[str, Any]] = (row.cells for row in table.read(start, file).cells())
        else:
            rows = (properties_of(one.record or {}) for one in _objects(form, file))
        for row in islice(rows, SAMPLED):
            for name, value in row.items():
                _sample(found, name, value)
    return found


def properties_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a record, of whichever kind it is."""
    inner = [record[name] for name in PARTS if isinstance(record.get(name), dict)]
    return {name: value for values in inner for name, value in values.items()} if inner else dict(record)


def _sample(found: dict[str, list[str]], name: str, value: Any) -> None:
    shown = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).strip()
    if len(found) >= MOST_SAMPLED and name not in found:
        return
    there = found.setdefault(name, [])
    shown = shown if len(shown) <= LONGEST_SAMPLE else f"{shown[: LONGEST_SAMPLE - 1]}…"
    if shown and len(there) < SAMPLES and shown not in there:
        there.append(shown)
