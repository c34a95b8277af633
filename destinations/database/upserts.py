"""Writing many rows whether they are there or not, in the words of each kind of database.

PostgreSQL takes them as one JSON parameter. SQLite takes them one by one as the driver wants them: binding them through
SQLAlchemy costs as much as writing them. MySQL and MariaDB have them from SQLAlchemy.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

Row = tuple[Any, ...]


class Upsert:
    """Into a table, whose columns are those of each row in their order."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns = [column.name for column in table.columns]
        self._key = [column.name for column in table.primary_key.columns]
        self._changed = [name for name in self._columns if name not in self._key]

    @cached_property
    def _for_driver(self) -> str:
        insert = sqlite.insert(self._table)
        new = {name: insert.excluded[name] for name in self._changed}
        statement = insert.on_conflict_do_update(index_elements=self._key, set_=new)
        return str(statement.compile(dialect=sqlite.dialect()))

    @cached_property
    def _of_json(self) -> postgresql.Insert:
        typed = [column(one.name, one.type) for one in self._table.columns]
        listed = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*typed)
        source = listed.render_derived("r", with_types=True)
        insert = postgresql.insert(self._table).from_select(self._columns, select(*source.c))
        new = {name: insert.excluded[name] for name in self._changed}
        return insert.on_conflict_do_update(index_elements=self._key, set_=new)

    @cached_property
    def _of_rows(self) -> mysql.Insert:
        insert = mysql.insert(self._table)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in self._changed})

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write them in the order of their keys, so that no two calls wait for each other."""
        if rows:
            place = self._columns.index("identity")
            kind, ordered = connection.dialect.name, sorted(rows, key=lambda row: str(row[place]))
            write = {"sqlite": self._one_by_one, "postgresql": self._as_json}.get(kind, self._by_sqlalchemy)
            write(connection, ordered)

    def _one_by_one(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.exec_driver_sql(self._for_driver, list(rows))

    def _as_json(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.execute(self._of_json, {"rows": msgspec.json.encode(self._named(rows)).decode()})

    def _by_sqlalchemy(self, connection: Connection, rows: Sequence[Row]) -> None:
        connection.execute(self._of_rows, self._named(rows))

    def _named(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        return [dict(zip(self._columns, row, strict=True)) for row in rows]
