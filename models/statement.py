"""Statements of the hot path: plain SQL, handed to the driver as it is.

SQLAlchemy's own execution costs 40-80 microseconds a statement, most of it for wrapping results that the hot path takes
as the driver's tuples. Seven statements a page make that a tenth of the page. Everything that is not run for every
page goes through SQLAlchemy: built from the tables where it is plain, so that columns are named once
(`models.columns.columns_of`), and as `text()` where it is not.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection

Row = tuple[Any, ...]

# The errors that the two drivers raise; `models.database_errors` knows which of them pass.
DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)

_VALUE = re.compile(r"(?<![:\w]):(\w+)")


class Statement:
    """SQL with `:named` values; `text` is as SQLite's driver takes it, `percent` as PostgreSQL's."""

    def __init__(self, sql: str) -> None:
        self.text = sql
        self.percent = _VALUE.sub(r"%(\1)s", sql.replace("%", "%%"))

    def _run(self, db: Connection, values: Any, *, many: bool = False, binary: bool = False) -> Any:
        on_sqlite = db.dialect.name == "sqlite"
        sql = self.text if on_sqlite else self.percent
        cursor = db.connection.cursor() if on_sqlite or not binary else db.connection.cursor(binary=True)
        for heard in db.dispatch.before_cursor_execute:  # whoever listens to SQLAlchemy's statements hears ours
            heard(db, cursor, sql, values, None, many)
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
        for heard in db.dispatch.after_cursor_execute:
            heard(db, cursor, sql, values, None, many)
        return cursor

    def run(self, db: Connection, values: Mapping[str, Any]) -> int:
        """Run it; returns how many rows it touched."""
        count: int = self._run(db, values).rowcount
        return count

    def run_many(self, db: Connection, rows: Sequence[Row]) -> None:
        """Run it for each row of positional values (SQLite only: `?` instead of names)."""
        self._run(db, rows, many=True)

    def all(self, db: Connection, values: Mapping[str, Any], *, binary: bool = False) -> list[Row]:
        """All rows; `binary` is how PostgreSQL's driver takes many whole numbers fastest."""
        rows: list[Row] = self._run(db, values, binary=binary).fetchall()
        return rows

    def first(self, db: Connection, values: Mapping[str, Any]) -> Row | None:
        cursor = self._run(db, values)
        row: Row | None = cursor.fetchone()
        cursor.close()  # SQLite commits no transaction whose statement still has rows to give
        return row

    def one(self, db: Connection, values: Mapping[str, Any]) -> Row:
        """The row that must be there."""
        row = self.first(db, values)
        if row is None:
            raise LookupError("a row that must be there is not")
        return row
