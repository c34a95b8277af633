"""A number that a row had is never another row's: cookies, addresses, claims and feeds name rows by it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, select

from models.database import Database, DatabaseUnavailable, db
from models.maintenance import schema
from models.maintenance.close_for_writes import close
from tests.commands.rows import fill, odd
from tests.relay import Relay

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# Their rows stay for good (the demo's own data apart), and each of them is written with every page.
KEPT = {"person", "cohort", "sync_session"}
COMES_BACK = {("person", "sync/erasure.py")}  # in the same transaction, under the same number
BEFORE = "0004"


def numbered() -> list[Table]:
    """The tables whose rows the database numbers."""
    return [table for table in db.metadata.sorted_tables if getattr(table.autoincrement_column, "name", None) == "id"]


FORGETFUL = [table for table in numbered() if table.name not in KEPT]


def one_more(relay: Relay, table: Table) -> int:
    """The number that a new row got, which has gone again."""

    def write(connection: Connection) -> int:
        for key in table.foreign_keys:
            fill(connection, key.column.table)
        values = {one.name: odd(connection, one) for one in table.columns if one.name != "id"}
        found = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
        for other in reversed(db.metadata.sorted_tables):
            connection.execute(other.delete())
        return int(found)

    return relay.database.write(write)


@pytest.mark.parametrize("table", FORGETFUL, ids=lambda table: table.name)
def test_the_number_of_a_row_that_has_gone_is_not_given_again(relay: Relay, table: Table) -> None:
    first, second = one_more(relay, table), one_more(relay, table)
    assert second > first


def deletions() -> Iterator[tuple[str, str]]:
    """Every table that our code deletes from, with the file that does."""
    for room in ("alerts", "blueprints", "commands", "erasure", "models", "outbound", "security", "sync"):
        for file in (ROOT / room).rglob("*.py"):
            for table in re.findall(r"DELETE FROM (\w+)", file.read_text()):
                yield table, str(file.relative_to(ROOT))


def test_nothing_is_deleted_from_the_tables_that_give_numbers_again() -> None:
    assert {found for found in deletions() if found[0] in KEPT} == COMES_BACK
    assert len(list(deletions())) > 5


# --- the way there


def reflected(connection: Connection) -> list[Table]:
    """The tables as the database has them, whatever the code says by now."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def filled(connection: Connection) -> None:
    for table in reflected(connection):
        values: dict[str, Any] = {one.name: odd(connection, one) for one in table.columns}
        connection.execute(insert(table).values(values))


def stored(connection: Connection, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, by the columns that were there before."""
    return {
        table.name: [tuple(row) for row in connection.execute(select(*(table.c[one] for one in columns[table.name])))]
        for table in reflected(connection)
        if table.name in columns
    }


def test_an_upgrade_keeps_every_row_and_whatever_refers_to_it(database: Database) -> None:
    """On SQLite the tables are made anew, and a dropped table would take with it what refers to it."""
    database.alter(lambda connection: schema.upgrade(connection, BEFORE))
    database.write(filled)
    columns = {table.name: list(table.columns.keys()) for table in database.read(reflected)}
    before = database.read(lambda connection: stored(connection, columns))
    database.alter(schema.upgrade)
    assert database.read(lambda connection: stored(connection, columns)) == before
    assert all(before.values())


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_foreign_keys_are_held_again_after_an_upgrade(database: Database) -> None:
    database.alter(schema.upgrade)
    assert database.write(lambda connection: connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one()) == 1


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_closed_for_writing_stays_closed_over_an_upgrade(database: Database) -> None:
    database.alter(lambda connection: schema.upgrade(connection, BEFORE))
    database.write(filled)
    before = [table.name for table in database.read(reflected)]
    database.write(lambda connection: close(connection, before))
    database.alter(schema.upgrade)
    deletions = [f'DELETE FROM "{table}"' for table in before]  # of rows: a table that is new has none
    for change in (*deletions, *(f'INSERT INTO "{table}" DEFAULT VALUES' for table in db.metadata.tables)):
        with pytest.raises(DatabaseUnavailable):
            database.write(lambda connection, change=change: connection.exec_driver_sql(change))
