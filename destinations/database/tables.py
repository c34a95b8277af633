"""The two tables in a company's database, in the words of its kind, and the statements over them.

cohort_membership        one row for each identity that is in a cohort (the name is a setting)
cohort_relay_position    what was last applied to each identity, in the same transaction; an empty identity is the
                         cohort's own row, which its calls lock one after the other
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    bindparam,
    delete,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from config.clock import SECOND, iso
from destinations.contract import Change, Feed
from destinations.database.order import Mark
from outbound.result import response

POSITION = "cohort_relay_position"
LONGEST_IDENTITY, LONGEST_ID, LONGEST_NAME = 255, 100, 63  # characters
LONGEST_ENTRY = 2**31 - 1
KEY = ("project_id", "cohort_id", "identity")
PAGE = 1000
WHOLE_COHORT = ""  # the identity of the row that stands for the cohort


@dataclass(frozen=True)
class Tables:
    """The tables of one destination; `label` is the first one's name in the second."""

    members: Table
    positions: Table
    label: str


def tables_of(name: str, connection: Connection) -> Tables:
    """Return the tables as this kind of database has them. `name` may have a schema before a dot."""
    schema, _dot, plain = name.rpartition(".")
    exact = _exact(connection)
    keys = [Column(key, exact(LONGEST_ID), primary_key=True) for key in KEY[:2]]
    metadata = MetaData(schema=schema or None)
    members = Table(
        plain,
        metadata,
        *keys,
        Column("identity", exact(LONGEST_IDENTITY), primary_key=True),
        Column("distinct_id", exact(LONGEST_IDENTITY), nullable=False),
        Column("entry_number", Integer, nullable=False),
        Column("entered_at", _moment(), nullable=False),
        Column("fields", Text().with_variant(postgresql.JSONB(), "postgresql").with_variant(mysql.JSON(), "mysql")),
        Column("updated_at", _moment(), nullable=False),
    )
    positions = Table(
        POSITION,
        metadata,
        Column("table_name", exact(LONGEST_NAME), primary_key=True),
        *(Column(key, exact(LONGEST_ID), primary_key=True) for key in KEY[:2]),
        Column("identity", exact(LONGEST_IDENTITY), primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("kind", exact(10), nullable=False),
        Column("distinct_id", exact(LONGEST_IDENTITY), nullable=False),
        Column("entry_number", Integer, nullable=False),
        Column("ours", SmallInteger, nullable=False),
        Column("updated_at", _moment(), nullable=False),
    )
    return Tables(members, positions, plain)


def _exact(connection: Connection) -> Any:
    """Return the type of texts that are compared byte by byte, blanks at their end included."""
    if connection.dialect.name == "postgresql":
        return lambda _length: Text(collation="C")
    if connection.dialect.name == "mysql":
        collation = "utf8mb4_nopad_bin" if getattr(connection.dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        return lambda length: mysql.VARCHAR(length, charset="utf8mb4", collation=collation)
    return lambda _length: Text()


def _moment() -> TypeEngine[Any]:
    """A time in UTC: with its zone on PostgreSQL, in milliseconds on MySQL, as ISO 8601 with Z on SQLite."""
    kind: TypeEngine[Any] = DateTime(timezone=True)
    return kind.with_variant(mysql.DATETIME(fsp=3), "mysql").with_variant(String(), "sqlite")


def create(engine: Engine, name: str) -> Tables:
    """Return the tables, made where they are missing. Two may make them at once, so that whoever comes second looks
    again."""
    try:
        return _created(engine, name)
    except DBAPIError:
        return _created(engine, name)


def _created(engine: Engine, name: str) -> Tables:
    with engine.begin() as connection:
        tables = tables_of(name, connection)
        for table in (tables.members, tables.positions):
            table.create(connection, checkfirst=True)
        return tables


def missing_columns(connection: Connection, tables: Tables) -> set[str] | None:
    """Return which columns a table of this name lacks; None where there is no such table."""
    looked_at = inspect(connection)
    table = tables.members
    if not looked_at.has_table(table.name, schema=table.schema):
        return None
    there = {column["name"] for column in looked_at.get_columns(table.name, schema=table.schema)}
    return {column.name for column in table.columns} - there


class Statements:
    """Reading and writing the rows of one cohort in one transaction."""

    def __init__(self, connection: Connection, tables: Tables, feed: Feed, now: int) -> None:
        self._connection = connection
        self._tables = tables
        self._dialect = connection.dialect.name
        self._cohort = {"project_id": feed.project_id, "cohort_id": feed.cohort_id}
        self._of_cohort = self._cohort | {"table_name": tables.label}
        self._now = self._time(now)
        self._no_fields: Any = "{}" if self._dialect == "sqlite" else {}

    def lock(self) -> Mark:
        """Wait until no other call is at work on this cohort, and return its own mark."""
        positions = self._tables.positions
        first = self._mark_row(WHOLE_COHORT, Mark())
        insert = self._insert(positions).values(first)
        if self._dialect == "mysql":
            self._connection.execute(insert.prefix_with("IGNORE"))
        else:
            self._connection.execute(insert.on_conflict_do_nothing())
        found = self._connection.execute(
            select(positions.c.position).where(*self._same(positions), positions.c.identity == "").with_for_update()
        )
        return Mark(position=found.scalar_one())

    def marks(self, identities: Sequence[str]) -> dict[str, Mark]:
        positions = self._tables.positions
        wanted = (positions.c.identity, *(positions.c[name] for name in _OF_MARK))
        found = self._connection.execute(
            select(*wanted).where(*self._same(positions), positions.c.identity.in_(identities))
        )
        return {row[0]: Mark(row[1], row[2], row[3], row[4], bool(row[5])) for row in found}

    def there(self, identities: Sequence[str]) -> set[str]:
        """Return which of them have a row."""
        members = self._tables.members
        found = self._connection.execute(
            select(members.c.identity).where(*self._same(members), members.c.identity.in_(identities))
        )
        return set(found.scalars())

    def put(self, changes: Iterable[Change]) -> None:
        self._upsert(self._tables.members, [self.member_row(change) for change in changes], KEY)

    def remove(self, identities: Sequence[str]) -> None:
        self._delete(self._tables.members, identities)

    def keep(self, marks: Mapping[str, Mark]) -> None:
        self._upsert(
            self._tables.positions,
            [self._mark_row(identity, mark) for identity, mark in marks.items()],
            ("table_name", *KEY),
        )

    def forget(self, identities: Sequence[str]) -> None:
        self._delete(self._tables.positions, identities)

    def member_row(self, change: Change) -> dict[str, Any]:
        """Return the row of an entry."""
        return {
            **self._cohort,
            "identity": change.identity,
            "distinct_id": change.distinct_id,
            "entry_number": min(change.entry_number, LONGEST_ENTRY),
            "entered_at": self._time(change.at),
            "fields": self._fields(change) if change.fields else self._no_fields,
            "updated_at": self._now,
        }

    def _fields(self, change: Change) -> Any:
        fields: Any = response.read(json.dumps(dict(change.fields)))  # without what a JSON column cannot hold
        return json.dumps(fields, ensure_ascii=False) if self._dialect == "sqlite" else fields

    def _mark_row(self, identity: str, mark: Mark) -> dict[str, Any]:
        return {
            **self._of_cohort,
            "identity": identity,
            "position": mark.position,
            "kind": mark.kind,
            "distinct_id": mark.distinct_id,
            "entry_number": mark.entry_number,
            "ours": int(mark.ours),
            "updated_at": self._now,
        }

    def _time(self, at: int) -> Any:
        if self._dialect == "sqlite":
            return iso(at)
        moment = datetime.fromtimestamp(at / SECOND, UTC)
        return moment.replace(tzinfo=None) if self._dialect == "mysql" else moment

    def _same(self, table: Table) -> list[Any]:
        return [table.c[name] == value for name, value in self._of_cohort.items() if name in table.c]

    def _insert(self, table: Table) -> Any:
        return {"postgresql": postgresql.insert, "mysql": mysql.insert, "sqlite": sqlite.insert}[self._dialect](table)

    def _upsert(self, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
        if not rows:
            return
        insert = self._insert(table)
        if self._dialect == "mysql":
            new = {name: insert.inserted[name] for name in rows[0] if name not in key}
            statement = insert.on_duplicate_key_update(new)
        else:
            new = {name: insert.excluded[name] for name in rows[0] if name not in key}
            statement = insert.on_conflict_do_update(index_elements=list(key), set_=new)
        # In the order of their keys, so that no two calls wait for each other.
        self._connection.execute(statement, sorted(rows, key=lambda row: str(row["identity"])))

    def _delete(self, table: Table, identities: Sequence[str]) -> None:
        if identities:
            statement = delete(table).where(*self._same(table), table.c.identity == bindparam("whose"))
            self._connection.execute(statement, [{"whose": identity} for identity in sorted(identities)])


_OF_MARK = ("position", "kind", "distinct_id", "entry_number", "ours")


def members_after(connection: Connection, tables: Tables, feed: Feed, after: str) -> list[str]:
    """Return the next PAGE identities of a cohort, in their order; fewer are the last ones."""
    table = tables.members
    of_cohort = (table.c.project_id == feed.project_id, table.c.cohort_id == feed.cohort_id)
    page = select(table.c.identity).where(*of_cohort, table.c.identity > after).order_by(table.c.identity).limit(PAGE)
    return list(connection.execute(page).scalars())
