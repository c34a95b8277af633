"""Finding the rows that mention someone, and blanking them, piece by piece."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import JSON, Connection, Dialect, Row, TextClause, text

from erasure.matcher import Mentions
from erasure.pii_columns import PII_COLUMNS, PiiColumns
from models.database import Database, db

PIECE = 200  # rows that are read, or written, at once

# What contains a needle, in any case of ASCII's letters. COLLATE "C" keeps PostgreSQL to those.
_HOLDS = {
    "sqlite": "instr(lower(CAST(x.{0} AS text)), :n{1}) > 0",
    "postgresql": """strpos(lower(CAST(x.{0} AS text) COLLATE "C"), :n{1}) > 0""",
}


def count(database: Database, project_id: str, mentions: Mentions) -> dict[str, int]:
    """Return how many rows mention them, by kind; kinds without any are left out."""
    found = {place.kind: sum(map(len, _pieces(database, place, project_id, mentions))) for place in PII_COLUMNS}
    return {kind: rows for kind, rows in found.items() if rows}


def pieces(database: Database, project_id: str, mentions: Mentions) -> Iterator[tuple[PiiColumns, list[Row[Any]]]]:
    """Yield the rows that mention them, some at a time, each with its place; they may be blanked meanwhile."""
    for place in PII_COLUMNS:
        for rows in _pieces(database, place, project_id, mentions):
            yield place, rows


def blank(connection: Connection, place: PiiColumns, rows: Sequence[Row[Any]], mentions: Mentions) -> int:
    """Delete or overwrite those of these rows that mention them still; returns how many did."""
    again, statement = _reading(place), _blanking(place, connection.dialect)
    changed = 0
    for known in rows:
        row = connection.execute(again, {name: getattr(known, name) for name in place.key}).one_or_none()
        if row is None or not _mentioned(place, row, mentions):
            continue
        values = {name: getattr(row, name) for name in place.key} | {
            f"to_{name}": _instead(value, getattr(row, name, None), mentions) for name, value in place.blanks.items()
        }
        changed += connection.execute(statement, values).rowcount
    return changed


def _instead(value: Any, old: str | None, mentions: Mentions) -> str | None:
    if not callable(value):
        return None if value is None else str(value)
    return None if old is None else str(value(old, mentions))


def _pieces(database: Database, place: PiiColumns, project_id: str, mentions: Mentions) -> Iterator[list[Row[Any]]]:
    values: dict[str, Any] = {"project_id": project_id} | {
        f"n{nth}": needle for nth, needle in enumerate(mentions.needles)
    }
    statement = _finding(place, database.dialect, len(mentions.needles))
    after: tuple[int, ...] = (-(2**62),) * len(place.key)
    while True:
        keys = {f"after_{name}": value for name, value in zip(place.key, after, strict=True)}
        rows = database.read(lambda one: list(one.execute(statement, values | keys)), one_statement=True)  # noqa: B023
        found = [row for row in rows if _mentioned(place, row, mentions)]
        if found:
            yield found
        if len(rows) < PIECE:
            return
        after = tuple(getattr(rows[-1], name) for name in place.key)


def _mentioned(place: PiiColumns, row: Row[Any], mentions: Mentions) -> bool:
    return any(mentions.within(getattr(row, name)) for name in place.looks)


@cache
def _reading(place: PiiColumns) -> TextClause:
    where = " AND ".join(f"x.{name} = :{name}" for name in place.key)
    return text(f"SELECT {_read(place)} FROM {place.table} x WHERE {where}")  # noqa: S608 - our own words


def _read(place: PiiColumns) -> str:
    """Return the key, and what is searched as text."""
    return ", ".join(
        [*(f"x.{name}" for name in place.key), *(f"CAST(x.{name} AS text) AS {name}" for name in place.looks)]
    )


@cache
def _finding(place: PiiColumns, dialect: str, needles: int) -> TextClause:
    holds = " OR ".join(_HOLDS[dialect].format(name, nth) for name in place.looks for nth in range(needles))
    key, after = ", ".join(f"x.{name}" for name in place.key), ", ".join(f":after_{name}" for name in place.key)
    return text(f"""
        SELECT {_read(place)} FROM {place.table} x
        WHERE ({key}) > ({after}) AND {place.of_project} AND ({holds}) ORDER BY {key} LIMIT {PIECE}""")  # noqa: S608


@cache
def _blanking(place: PiiColumns, dialect: Dialect) -> TextClause:
    where = " AND ".join(f"{name} = :{name}" for name in place.key)
    if not place.blanks:
        return text(f"DELETE FROM {place.table} WHERE {where}")  # noqa: S608 - our own words
    changes = ", ".join(f"{name} = {_cast(place.table, name, dialect)}" for name in place.blanks)
    return text(f"UPDATE {place.table} SET {changes} WHERE {where}")  # noqa: S608


def _cast(table: str, column: str, dialect: Dialect) -> str:
    """Return a value of the column; PostgreSQL takes no text for JSON."""
    is_json = isinstance(db.metadata.tables[table].c[column].type.dialect_impl(dialect), JSON)
    return f"CAST(:to_{column} AS jsonb)" if is_json else f":to_{column}"
