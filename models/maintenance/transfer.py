"""Everything from a SQLite database into an empty PostgreSQL database, value by value the same.

It is one transaction on each side. SQLite's holds the write lock, so that nobody writes what would not be copied, and
ends by closing the database for writing (`close_for_writes`). PostgreSQL's is committed after it, and only after
everything was read back and compared. So whatever interrupts it leaves SQLite as it was and PostgreSQL empty; at worst,
between the two commits, SQLite is closed and PostgreSQL empty. In each case it can simply be run again.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, Text, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from models import connect
from models.database import Database, db
from models.engines import (
    postgresql_limits,
    postgresql_options,
    postgresql_url,
    sqlite_options,
    sqlite_url,
    writer_options,
)
from models.keys import SecretKeyCheck
from models.maintenance import schema
from models.maintenance.close_for_writes import close, is_closed
from models.maintenance.row_equality import TableAccount, Watch, batches, compare, driver_of

_UNBALANCED = text("""
    SELECT count(*) FROM cohort c
    WHERE c.member_count <> (SELECT count(*) FROM membership m WHERE m.cohort_id = c.id AND m.left_at IS NULL)
        OR c.member_count <> (
            SELECT coalesce(sum(CASE WHEN x.entered THEN 1 ELSE -1 END), 0)
            FROM membership_change x WHERE x.cohort_id = c.id)""")
# Constraints that are an index fall and come back with it; primary keys stay, because rows come in their order.
_INDEXES = text("""
    SELECT i.indrelid::regclass::text AS of_table, i.indexrelid::regclass::text AS name,
        pg_get_indexdef(i.indexrelid) AS statement,
        quote_ident(c.conname) AS rule, pg_get_constraintdef(c.oid) AS ruling
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
    WHERE i.indrelid = to_regclass(:of_table) AND NOT i.indisprimary ORDER BY i.indexrelid""")

_GIVEN = text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = :name")


class NoTransfer(Exception):
    """Nothing was moved; the message says why and what to do."""


class NotEqual(NoTransfer):
    """What was read back is not what was copied."""

    def __init__(self, tables: Sequence[TableAccount]) -> None:
        names = ", ".join(account.table for account in tables if not account.is_equal)
        super().__init__(f"Not the same on both sides: {names}. Nothing was kept in PostgreSQL, and SQLite goes on.")
        self.tables = tables


@dataclass
class Account:
    """What was moved. `was_there` says that an earlier run had done it and this one only compared. In
    `unbalanced_cohorts`, on both sides alike, the counts on the cohort's row are not those of its rows (S10)."""

    revision: str
    tables: list[TableAccount] = field(default_factory=list)
    unbalanced_cohorts: int = 0
    was_there: bool = False
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def sqlite_database(file: Path) -> Database:
    """Raises NoTransfer where there is none."""
    if not file.is_file():
        raise NoTransfer(f"There is no SQLite database at {file}.")
    reader, writer = (create_engine(sqlite_url(file), **writer_options(sqlite_options())) for _ in range(2))
    return connect.sqlite(reader, writer)


def postgresql_database(parameters: dict[str, str], *, pooler: bool = False) -> Database:
    """For statements that may take hours; `parameters` are those of the address, of which `pooler` says whether it
    speaks of one. Raises NoTransfer where it cannot be reached."""
    arguments: Any = postgresql_options(parameters, 1)["connect_args"]
    engine = create_engine(postgresql_url(parameters), poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    without_end = {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
    database = connect.postgresql(engine, postgresql_limits(0) | without_end, says_pooler=pooler)
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise NoTransfer(f"PostgreSQL does not let us in: {str(error.orig).strip()}") from None
    return database


def count(source: Database) -> int:
    """Return how many rows there are to move."""
    counts = [f'SELECT count(*) FROM "{table.name}"' for table in db.metadata.sorted_tables]
    return source.read(lambda out_of: sum(int(out_of.exec_driver_sql(counted).scalar_one()) for counted in counts))


def move(source: Database, target: Database, watch: Watch) -> Account:
    """Copy everything, compare everything, and close `source` for writing.

    Raises NoTransfer and DatabaseUnavailable, and then nothing has changed.
    """
    began = time.monotonic()
    account = target.write(lambda into: source.write(lambda out_of: _moved(out_of, into, watch)))
    account.seconds = time.monotonic() - began
    return account


def _moved(source: Connection, target: Connection, watch: Watch) -> Account:
    account = Account(_same_revision(source, target))
    tables = db.metadata.sorted_tables
    if filled := _filled(target, tables):
        if not is_closed(source):
            raise NoTransfer(f"The PostgreSQL database is not empty: there are rows in {', '.join(filled)}.")
        account.was_there = True  # an earlier run was stopped after its commit, or told twice
    else:
        _refuse_nul(source, tables)
        _copy_all(source, target, tables, watch)
    account.tables = [compare(source, target, table, watch) for table in tables]
    if not all(table.is_equal for table in account.tables):
        raise NotEqual(account.tables)
    account.unbalanced_cohorts = target.execute(_UNBALANCED).scalar_one()
    close(source)
    return account


def _same_revision(source: Connection, target: Connection) -> str:
    wanted = schema.newest_revision() or ""
    for name, connection in (("SQLite", source), ("PostgreSQL", target)):
        found = schema.stored_revision(connection)
        if found != wanted:
            raise NoTransfer(
                f"The tables in {name} are at revision {found or 'none'}, and this version wants {wanted}."
                " Run flask db upgrade with DATABASE_URL set to that database."
            )
    return wanted


def _filled(target: Connection, tables: Sequence[Table]) -> list[str]:
    """Return the tables that hold rows, but for that of the key check, in which a relay writes when it first looks."""
    looked_at = [table for table in tables if table.name != SecretKeyCheck.__tablename__]
    asked = (
        (table.name, target.exec_driver_sql(f'SELECT EXISTS (SELECT 1 FROM "{table.name}")')) for table in looked_at
    )
    return [name for name, answer in asked if answer.scalar_one()]


def _refuse_nul(source: Connection, tables: Sequence[Table]) -> None:
    """Raise NoTransfer where a value holds a NUL character (S2, S3), which PostgreSQL cannot keep."""
    for table in tables:
        texts = [column.name for column in table.columns if isinstance(column.type, Text)]
        holds = " OR ".join(f'instr("{name}", char(0))' for name in texts)
        if texts and (
            rows := source.exec_driver_sql(f'SELECT count(*) FROM "{table.name}" WHERE {holds}').scalar_one()
        ):
            raise NoTransfer(f"{rows:,} rows of {table.name} hold a NUL character, which PostgreSQL cannot keep.")


# --- copying


def _copy_all(source: Connection, target: Connection, tables: Sequence[Table], watch: Watch) -> None:
    """A table that was emptied in the same transaction is filled without old versions of rows (FREEZE), and what an
    interrupted copy has written leaves no trace. Indexes are built once all rows are there."""
    names = ", ".join(f'"{table.name}"' for table in tables)
    target.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    if _filled(target, tables):
        raise NoTransfer("Somebody writes into the PostgreSQL database.")
    target.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
    target.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    for table in tables:
        again = _without_indexes(target, table)
        _copy(source, target, table, watch)
        for statement in again:
            target.exec_driver_sql(statement)
        _number_on(source, target, table)
    target.exec_driver_sql(f"ANALYZE {names}")


def _without_indexes(target: Connection, table: Table) -> list[str]:
    """Drop the indexes of an empty table; returns the statements that bring them back."""
    again = []
    for index in target.execute(_INDEXES, {"of_table": f'"{table.name}"'}):
        if index.rule:
            target.exec_driver_sql(f"ALTER TABLE {index.of_table} DROP CONSTRAINT {index.rule}")
            again.append(f"ALTER TABLE {index.of_table} ADD CONSTRAINT {index.rule} {index.ruling}")
        else:
            target.exec_driver_sql(f"DROP INDEX {index.name}")
            again.append(index.statement)
    return again


def _copy(source: Connection, target: Connection, table: Table, watch: Watch) -> None:
    """Values go as they are: COPY reads 0 and 1 as booleans, and text as jsonb."""
    into = sql.SQL("COPY {} ({}) FROM STDIN (FREEZE)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    )
    try:
        with driver_of(target).cursor() as cursor, cursor.copy(into) as copy:
            for rows in batches(source, table):
                for row in rows:
                    copy.write_row(row)
                watch(f"copying {table.name}", len(rows))
    except psycopg.DataError as error:  # its text may hold the value
        place = re.search(r"^COPY \w+, line (\d+)", error.diag.context or "", re.MULTILINE)
        where = f", row {place[1]} by its key" if place else ""
        raise NoTransfer(
            f"PostgreSQL cannot keep a value of {table.name}{where} ({error.sqlstate or 'text'}). Nothing was moved."
        ) from None


def _number_on(source: Connection, target: Connection, table: Table) -> None:
    """Number new rows from the highest number on that was ever given, also where its row has gone."""
    for column in table.primary_key:
        values = {"of_table": f'"{table.name}"', "name": column.name}
        sequence = target.execute(text("SELECT pg_get_serial_sequence(:of_table, :name)"), values).scalar_one()
        if sequence and (highest := _highest_given(source, table, column.name)):
            target.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def _highest_given(source: Connection, table: Table, column: str) -> int:
    """Return the highest number that SQLite has given to a row of this table; 0 where it has given none."""
    kept = source.exec_driver_sql(f'SELECT coalesce(max("{column}"), 0) FROM "{table.name}"').scalar_one()
    given = source.execute(_GIVEN, {"name": table.name}).scalar_one()
    return max(int(kept), int(given))
