"""The CSV that Mixpanel's Destinations page offers for an export of a cohort: `distinct_id`, a partner's id, and an
operation: `add`, `remove` or `no-op` (mixpanel-facts 1.6). Any other CSV with a column of ids serves as well."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outbound.readers.errors import UnreadableFile
from outbound.readers.table import Cells, shown, table

NAMES = ("distinct_id", "mixpanel_distinct_id", "$distinct_id", "distinctid", "id", "user_id", "$user_id")
OPERATIONS = ("operation", "op", "action", "type", "status", "change")
LONGEST_NAME = 60  # characters of a column's name that a refusal shows


@dataclass(frozen=True)
class Columns:
    """The names of the columns of ids and of operations. `first` is an only head that is an id itself."""

    identifier: str
    operation: str = ""
    first: str = ""


def ids(source: Path | IO[bytes], column: str = "") -> Generator[str]:
    """Yield the ids of the cohort's people by this file, in its order. `column` names the column of ids where that is
    none of the known ones. A row that cannot be read ends it, because nobody could tell who is missing. Raises
    UnreadableFile, also midway, and OSError."""
    with table(source) as found:
        columns = _columns(found.names, column)
        if columns.first:
            yield columns.first
        yield from filter(None, (_identifier(row, columns) for row in found.cells()))


def _columns(names: list[str], wanted: str) -> Columns:
    plain = {_plain(name): name for name in reversed(names) if name}
    operation = next((plain[one] for one in OPERATIONS if one in plain), "")
    if wanted:
        if _plain(wanted) not in plain:
            raise UnreadableFile(f"There is no column {wanted[:LONGEST_NAME]}. The file has: {shown(names)}.")
        return Columns(plain[_plain(wanted)], operation)
    found = next((plain[one] for one in NAMES if one in plain), None)
    if found is not None:
        return Columns(found, operation)
    if len(names) == 1:
        return Columns(names[0], first=names[0])
    raise UnreadableFile(f"None of its columns has the name distinct_id. Say which one it is: {shown(names)}.")


def _identifier(row: Cells, columns: Columns) -> str:
    """Return the id of a row, empty where it has none or says that the person was removed."""
    if row.wrong:
        raise UnreadableFile(row.wrong)
    if row.cells.get(columns.operation, "").strip().lower() in {"remove", "removed", "delete"}:
        return ""
    return row.cells.get(columns.identifier, "").strip()


def _plain(name: str) -> str:
    return name.strip().strip("\ufeff").strip('"').lower().replace(" ", "_").replace("-", "_")
