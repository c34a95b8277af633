"""Lookup tables: names and keys are unique, and there are two columns at least (mixpanel-facts 3.7)."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from config.counts import counted
from outbound.operations.types import Problem
from outbound.readers.encoded import START
from outbound.readers.errors import UnreadableFile
from outbound.readers.rows import Row
from outbound.readers.table import Table, read

MOST_KEYS = 1_000_000


def problems(content: bytes) -> Iterator[Problem]:
    """Yield what is wrong with a table in UTF-8."""
    yield from _problems(content, io.BytesIO(content))


def problems_of(path: Path) -> Iterator[Problem]:
    """Yield what is wrong with a table in UTF-8 on the disk, which is read row by row. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(START)
        file.seek(0)
        yield from _problems(start, file)


def _problems(start: bytes, file: IO[bytes]) -> Iterator[Problem]:
    try:
        found = read(start, file, separators=",")
    except UnreadableFile as error:
        yield Problem("advice", "body", str(error))
        return
    if len(found.names) < 2:  # noqa: PLR2004
        yield Problem("advice", "body", "The first row names the columns: two at least, separated by commas.")
    yield from _of_rows(found)


def _of_rows(found: Table) -> Iterator[Problem]:
    seen: set[int] = set()  # of keys their hashes: of a large table the keys themselves would be all of it
    has_bad_key = False
    for row in found.rows:
        wrong = _wrong(found, row)
        if wrong:
            yield Problem("advice", "body", wrong)
            break
        if row.cells:
            key = row.cells[0]
            has_bad_key = has_bad_key or key == "" or hash(key) in seen
            if len(seen) < MOST_KEYS:
                seen.add(hash(key))
    if len(seen) == MOST_KEYS:
        yield Problem("note", "body", f"Only the first {MOST_KEYS:,} keys were compared with one another.")
    if has_bad_key:
        yield Problem("advice", "body", "The first column is the key: it is never empty, and no key comes twice.")


def _wrong(found: Table, row: Row) -> str:
    if row.wrong or not row.cells or len(row.cells) == len(found.names):
        return row.wrong
    return f"Line {row.line} has {counted(len(row.cells), 'cell')}, and there are {len(found.names)} columns."
