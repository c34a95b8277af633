"""The CSV that Mixpanel's Destinations page offers for an export of a cohort: `distinct_id`, a partner's id, and an
operation: `add`, `remove` or `no-op` (mixpanel-facts 1.6). Any other CSV with a column of ids serves as well."""

import codecs
import csv
import io
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import IO

NAMES = ("distinct_id", "mixpanel_distinct_id", "$distinct_id", "distinctid", "id", "user_id", "$user_id")
OPERATIONS = ("operation", "op", "action", "type", "status", "change")
SHOWN = 8  # columns that a refusal names
LONGEST_NAME = 60
LONGEST_CELL = 1_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unreadable(ValueError):
    """No ids can be read from it; says why in a plain sentence."""


@dataclass(frozen=True)
class Columns:
    """Where the ids are, and the operations, by place. `first` is a first row that is no heading."""

    identifier: int
    operation: int | None = None
    first: str | None = None


def ids(file: IO[bytes], column: str = "") -> Generator[str]:
    """The ids of all who are in the cohort by this file, in its order; `column` names their column where it is none of
    the known ones. Raises Unreadable, also midway."""
    with closing(_rows(file)) as rows:
        head = next(rows, None)
        if head is None:
            raise Unreadable("The file is empty.")
        columns = _columns(head, column)
        if columns.first:
            yield columns.first
        yield from filter(None, (_identifier(row, columns) for row in rows))


def _rows(file: IO[bytes]) -> Generator[list[str]]:
    """Rows that are not empty, whatever stands between their values and however it is encoded."""
    start = file.read(65536)
    file.seek(0)
    if b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable("This is no text file. Mixpanel's file is a CSV; unpack it first where it is zipped.")
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield from (row for row in csv.reader(text, delimiter=_delimiter(start, encoding)) if any(map(str.strip, row)))
    except UnicodeDecodeError:
        raise Unreadable("The file is not encoded as UTF-8. Save it as CSV UTF-8.") from None
    except csv.Error:
        raise Unreadable(f"A cell has more than {csv.field_size_limit():,} characters. Is it a CSV?") from None
    finally:
        text.detach()


def _delimiter(start: bytes, encoding: str) -> str:
    """A comma, or what the first line has more of."""
    line = start.decode(encoding, "replace").lstrip().splitlines()[:1]
    counts = {one: line[0].count(one) if line else 0 for one in (",", ";", "\t")}
    return max(counts, key=lambda one: counts[one])


def _columns(head: list[str], wanted: str) -> Columns:
    names = [_plain(one) for one in head]
    operation = next((names.index(one) for one in OPERATIONS if one in names), None)
    if wanted:
        if _plain(wanted) not in names:
            raise Unreadable(f"There is no column {wanted[:LONGEST_NAME]}. The file has: {_shown(head)}.")
        return Columns(names.index(_plain(wanted)), operation)
    found = next((names.index(one) for one in NAMES if one in names), None)
    if found is not None:
        return Columns(found, operation)
    if len(head) == 1:
        return Columns(0, first=head[0].strip())
    raise Unreadable(f"None of its columns has the name distinct_id. Say which one it is: {_shown(head)}.")


def _identifier(row: list[str], columns: Columns) -> str:
    """The id of a row, empty where it has none or says that the person was removed."""
    operation = row[columns.operation] if columns.operation is not None and columns.operation < len(row) else ""
    if operation.strip().lower() in {"remove", "removed", "delete"}:
        return ""
    return row[columns.identifier].strip() if columns.identifier < len(row) else ""


def _plain(name: str) -> str:
    return name.strip().strip("\ufeff").strip('"').lower().replace(" ", "_").replace("-", "_")


def _shown(head: list[str]) -> str:
    shown = [one.strip()[:LONGEST_NAME] or "(no name)" for one in head[:SHOWN]]
    return ", ".join(shown) + (f" and {len(head) - SHOWN} more" if len(head) > SHOWN else "")
