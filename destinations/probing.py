"""One index probe a row, on both databases.

PostgreSQL's planner takes a table that grew since its statistics for an empty one, and hashes the whole of it for every
step; LATERAL with OFFSET 0 keeps it to the index (as `sync.dialects.postgresql` does for pages). SQLite has no
statistics at all, and takes any index that the columns beside a list fit: CROSS JOIN has it go through the list.
"""

from typing import Literal

from models.statement import Statement


def probes(*found: tuple[str, str, str, bool]) -> dict[str, str]:
    """Return SQL that joins, by dialect. Each of `found` is a name, what is selected (`p.email FROM person p`), the
    condition, and whether a row must be there."""
    return {
        "sqlite": " ".join(_joined(name, select, condition, must) for name, select, condition, must in found),
        "postgresql": " ".join(_lateral(name, select, condition, must) for name, select, condition, must in found),
    }


def for_each(
    parameter: str, select: str, condition: str, *, of: Literal["bigint", "text"] = "bigint", index: str = ""
) -> dict[str, str]:
    """Return SQL that selects, by dialect, the rows whose `condition` holds for one of the values of a JSON list, which
    is the parameter of this name. The condition calls the value `x.value` and is one probe of an index; `index` names
    the one that SQLite would not take by itself. `x.subscription` is the parameter `subscription` as a column: of its
    value PostgreSQL may believe that it has no rows, and then takes any index that begins with it."""
    columns, _from, table = select.partition(" FROM ")
    by_index = f" INDEXED BY {index}" if index else ""
    more = ", CAST(:subscription AS bigint) AS subscription" if "x.subscription" in condition else ""
    listed = f"(SELECT value{more} FROM json_each(:{parameter})) x"  # noqa: S608 - our own words, as below
    source = f"json_array_elements_text(CAST(:{parameter} AS json)) OFFSET 0"
    values = f"(SELECT CAST(value AS {of}) AS value{more} FROM {source}) x"  # noqa: S608
    return {
        "sqlite": f"SELECT {columns} FROM {listed} CROSS JOIN {table}{by_index} WHERE {condition}",  # noqa: S608
        "postgresql": f"SELECT r.* FROM {values} CROSS JOIN LATERAL (SELECT {select} WHERE {condition} OFFSET 0) r",  # noqa: S608
    }


def update_each(sets: str, written: dict[str, str]) -> dict[str, Statement]:
    """Return the statement, by dialect, that changes the messages whose ids `for_each` selects."""
    return {
        dialect: Statement(f"UPDATE message SET {sets} WHERE id IN ({sql})")  # noqa: S608 - our own words
        for dialect, sql in written.items()
    }


def statements(written: dict[str, str], tail: str = "") -> dict[str, Statement]:
    """Return what `for_each` and `probes` made, with what follows it, as statements of the hot path."""
    return {dialect: Statement(f"{sql} {tail}".rstrip()) for dialect, sql in written.items()}


def _joined(name: str, select: str, condition: str, must: bool) -> str:
    table = select.rpartition(" FROM ")[2].split()[0]
    return f"{'' if must else 'LEFT '}JOIN {table} {name} ON {condition}"


def _lateral(name: str, select: str, condition: str, must: bool) -> str:
    probe = f"(SELECT {select} WHERE {condition} OFFSET 0) {name}"
    return f"{'' if must else 'LEFT '}JOIN LATERAL {probe} ON true"
