"""Lookup tables: names and keys are unique, and there are two columns at least (mixpanel-facts 3.7)."""

import io
from collections.abc import Iterator

from outbound.operations.types import Problem
from outbound.readers.errors import UnreadableFile
from outbound.readers.rows import Row
from outbound.readers.table import Table, read


def problems(content: bytes) -> Iterator[Problem]:
    """Yield what is wrong with a table in UTF-8."""
    try:
        found = read(content, io.BytesIO(content), separators=",")
    except UnreadableFile as error:
        yield Problem("advice", "body", str(error))
        return
    if len(found.names) < 2:  # noqa: PLR2004
        yield Problem("advice", "body", "The first row names the columns: two at least, separated by commas.")
    yield from _of_rows(found)


def _of_rows(found: Table) -> Iterator[Problem]:
    seen: set[str] = set()
    has_bad_key = False
    for row in found.rows:
        wrong = _wrong(found, row)
        if wrong:
            yield Problem("advice", "body", wrong)
            break
        if row.cells:
            has_bad_key = has_bad_key or row.cells[0] == "" or row.cells[0] in seen
            seen.add(row.cells[0])
    if has_bad_key:
        yield Problem("advice", "body", "The first column is the key: it is never empty, and no key comes twice.")


def _wrong(found: Table, row: Row) -> str:
    if row.wrong or not row.cells or len(row.cells) == len(found.names):
        return row.wrong
    return f"Line {row.line} has {len(row.cells)} cells, and there are {len(found.names)} columns."
