"""Whether a table holds the same rows in SQLite and in PostgreSQL, value by value."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from json import loads
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

BATCH = 5_000  # rows in memory at a time

_POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = tuple[Any, ...]
Watch = Callable[[str, int], None]  # (what is being done, how many rows further)


@dataclass(frozen=True)
class TableAccount:
    """One table: how many rows the source has, how many are stored in the target, and how many differ."""

    table: str
    rows: int
    stored: int
    differing: int

    @property
    def is_equal(self) -> bool:
        return self.rows == self.stored and not self.differing


def batches(source: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield the rows of a table in SQLite, BATCH at a time, in the order of its key."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    cursor: Any = source.connection.cursor()
    cursor.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {key}')
    while rows := cursor.fetchmany(BATCH):
        yield rows


def compare(source: Connection, target: Connection, table: Table, watch: Watch) -> TableAccount:
    """Compare every value of every row on both sides, in the order of the key."""
    json_places = [place for place, column in enumerate(table.columns) if _is_json(column.type)]
    rows = stored = differing = 0
    with driver_of(target).cursor(name="compare") as cursor:
        cursor.execute(_select_target(table), binary=True)
        for ours in batches(source, table):
            theirs = cursor.fetchmany(len(ours))
            if ours != theirs:
                differing += sum(not _same(a, b, json_places) for a, b in zip(ours, theirs, strict=False))
            rows, stored = rows + len(ours), stored + len(theirs)
            watch(f"comparing {table.name}", len(ours))
        while theirs := cursor.fetchmany(BATCH):
            stored += len(theirs)
    return TableAccount(table.name, rows, stored, differing)


def _select_target(table: Table) -> sql.Composed:
    """Return the statement for all rows by key: JSON as text, and texts in the order of their bytes, as SQLite has."""
    columns = [
        sql.SQL("{}::text").format(sql.Identifier(column.name))
        if _is_json(column.type)
        else sql.Identifier(column.name)
        for column in table.columns
    ]
    key = [
        sql.SQL('{} COLLATE "C"').format(sql.Identifier(column.name))
        if isinstance(column.type, Text)
        else sql.Identifier(column.name)
        for column in table.primary_key
    ]
    return sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(columns), sql.Identifier(table.name), sql.SQL(", ").join(key)
    )


def _is_json(kind: Any) -> bool:
    return isinstance(kind.dialect_impl(_POSTGRESQL), JSONB)


def _same(ours: Row, theirs: Row, json_places: Sequence[int]) -> bool:
    if ours == theirs:
        return True
    return all(
        a == b or (place in json_places and a is not None and b is not None and _same_json(a, b))
        for place, (a, b) in enumerate(zip(ours, theirs, strict=True))
    )


def _same_json(ours: str, theirs: str) -> bool:
    """jsonb orders keys its own way and writes numbers out, to any length: what they are is compared exactly."""
    try:
        if msgspec.json.decode(ours) == msgspec.json.decode(theirs):
            return True
    except msgspec.DecodeError:
        pass
    return bool(_exact(ours) == _exact(theirs))


def _exact(value: str) -> Any:
    return loads(value, parse_int=Decimal, parse_float=Decimal)


def driver_of(target: Connection) -> psycopg.Connection[Row]:
    connection: Any = target.connection.driver_connection
    found: psycopg.Connection[Row] = connection
    return found
