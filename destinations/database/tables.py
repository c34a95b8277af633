"""The two tables in a company's database, in the words of its kind, and the statements over them.

cohort_membership        one row for each identity that is in a cohort (the name is a setting)
cohort_relay_position    what was last applied to each identity, in the same transaction; an empty identity is the
                         cohort's own row, which its calls lock one after the other
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ARRAY,
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
    any_,
    bindparam,
    delete,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from config.clock import SECOND, iso
from destinations.contract import Change, Feed
from destinations.database.order import Mark
from destinations.database.upserts import Row, Upsert
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

    @cached_property
    def put(self) -> Upsert:
        """Return what writes members."""
        return Upsert(self.members)

    @cached_property
    def keep(self) -> Upsert:
        """Return what writes positions."""
        return Upsert(self.positions)


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
        self._times: dict[int, Any] = {}
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
        found = self._connection.execute(select(*wanted).where(*self._of(positions, identities)))
        return {row[0]: Mark(row[1], row[2], row[3], row[4], bool(row[5])) for row in found}

    def there(self, identities: Sequence[str]) -> set[str]:
        """Return which of them have a row."""
        members = self._tables.members
        found = self._connection.execute(select(members.c.identity).where(*self._of(members, identities)))
        return set(found.scalars())

    def put(self, changes: Iterable[Change]) -> None:
        rows = {change.identity: self._member_row(change) for change in changes}
        self._tables.put.write(self._connection, list(rows.values()))

    def remove(self, identities: Sequence[str]) -> None:
        self._delete(self._tables.members, identities)

    def keep(self, marks: Mapping[str, Mark]) -> None:
        rows = [self._mark_row(identity, mark) for identity, mark in marks.items()]
        self._tables.keep.write(self._connection, rows)

    def forget(self, identities: Sequence[str]) -> None:
        self._delete(self._tables.positions, identities)

    def _member_row(self, change: Change) -> Row:
        """Return the row of an entry."""
        entry = min(change.entry_number, LONGEST_ENTRY)
        fields = self._fields(change) if change.fields else self._no_fields
        who = (*self._cohort.values(), change.identity, change.distinct_id)
        return (*who, entry, self._time(change.at), fields, self._now)

    def _fields(self, change: Change) -> Any:
        fields: Any = response.read(json.dumps(dict(change.fields)))  # without what a JSON column cannot hold
        return json.dumps(fields, ensure_ascii=False) if self._dialect == "sqlite" else fields

    def _mark_row(self, identity: str, mark: Mark) -> Row:
        whose = (self._tables.label, *self._cohort.values(), identity)
        return (*whose, mark.position, mark.kind, mark.distinct_id, mark.entry_number, int(mark.ours), self._now)

    def _time(self, at: int) -> Any:
        """Return a time as the table has it. Most of a call have entered at the same moment."""
        if at not in self._times:
            self._times[at] = self._made(at)
        return self._times[at]

    def _made(self, at: int) -> Any:
        if self._dialect == "sqlite":
            return iso(at)
        moment = datetime.fromtimestamp(at / SECOND, UTC)
        return moment.replace(tzinfo=None) if self._dialect == "mysql" else moment

    def _same(self, table: Table) -> list[Any]:
        return [table.c[name] == value for name, value in self._of_cohort.items() if name in table.c]

    def _of(self, table: Table, identities: Sequence[str]) -> list[Any]:
        """Return the conditions of these identities' rows: one parameter, but on MySQL, which has no lists."""
        column = table.c.identity
        if self._dialect == "sqlite":
            given = bindparam("identities", json.dumps(list(identities), ensure_ascii=False), Text)
            return [*self._same(table), column.in_(select(func.json_each(given).table_valued("value").c.value))]
        if self._dialect == "postgresql":
            return [*self._same(table), column == any_(bindparam("identities", list(identities), ARRAY(Text)))]
        return [*self._same(table), column.in_(identities)]

    def _insert(self, table: Table) -> Any:
        return {"postgresql": postgresql.insert, "mysql": mysql.insert, "sqlite": sqlite.insert}[self._dialect](table)

    def _delete(self, table: Table, identities: Sequence[str]) -> None:
        if identities:
            self._connection.execute(delete(table).where(*self._of(table, identities)))


_OF_MARK = ("position", "kind", "distinct_id", "entry_number", "ours")


def members_after(connection: Connection, tables: Tables, feed: Feed, after: str) -> list[str]:
    """Return the next PAGE identities of a cohort, in their order; fewer are the last ones."""
    table = tables.members
    of_cohort = (table.c.project_id == feed.project_id, table.c.cohort_id == feed.cohort_id)
    page = select(table.c.identity).where(*of_cohort, table.c.identity > after).order_by(table.c.identity).limit(PAGE)
    return list(connection.execute(page).scalars())
