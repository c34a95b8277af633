"""Migrations lead to exactly the tables that the code has, and back."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from models.database import Database, db
from models.maintenance import schema

pytestmark = pytest.mark.slow


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True, "target_metadata": db.metadata}
    return compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)


def test_an_upgrade_leads_to_exactly_the_tables_of_the_code(database: Database) -> None:
    database.alter(schema.upgrade)
    assert database.read(differences) == []
    assert database.read(tables) == {*db.metadata.tables, "alembic_version"}


def test_the_comparison_sees_a_difference(database: Database) -> None:
    database.alter(schema.upgrade)
    database.write(lambda connection: connection.exec_driver_sql("ALTER TABLE failure ADD COLUMN other TEXT"))
    assert [change[0] for change in database.read(differences)] == ["remove_column"]


def test_a_downgrade_leaves_nothing_and_the_upgrade_works_again(database: Database) -> None:
    database.alter(schema.upgrade)
    database.write(lambda connection: schema.downgrade(connection, "base"))
    assert database.read(tables) <= {"alembic_version"}
    database.alter(schema.upgrade)
    assert database.read(differences) == []


def test_the_stored_revision_is_the_newest_after_an_upgrade(database: Database) -> None:
    assert database.read(schema.stored_revision) is None
    database.alter(schema.upgrade)
    assert database.read(schema.stored_revision) == schema.newest_revision()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database: Database) -> None:
    database.alter(schema.upgrade)
    database.alter(schema.upgrade)
    assert database.read(differences) == []
