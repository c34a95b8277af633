"""Migrations only add, so that the version before goes on serving while they run and after they ran (expand). What
takes something away says so in its first line, and which release stopped using it (contract)."""

import re
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect

from app import create_app
from models.database import Database
from models.maintenance import schema
from tests.conftest import settings_for
from tests.failing.server import wait_until
from tests.relay import Relay

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LARGE = {"person", "membership", "membership_change"}
CONTRACT = re.compile(r"contract: .*\bsince (\d+\.\d+\.\d+)\b")
INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?\S+ ON (\w+)")
CHANGES = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b")

Tables = dict[str, dict[str, Any]]


def revisions() -> list[Script]:
    """All of them, the oldest first."""
    scripts = ScriptDirectory.from_config(schema._config())
    return list(scripts.walk_revisions())[::-1]


def is_contract(script: Script) -> bool:
    return CONTRACT.match(script.module.__doc__ or "") is not None


EXPANDING = [script for script in revisions()[1:] if not is_contract(script)]


def tables(connection: Connection) -> Tables:
    """What a program of the version before relies on, or is bound by. All tables are asked for at once: some 70 times
    30 revisions."""
    look = inspect(connection)
    columns, indexes = look.get_multi_columns(), look.get_multi_indexes()
    rules = (look.get_multi_foreign_keys(), look.get_multi_check_constraints(), look.get_multi_unique_constraints())
    return {
        str(key[1]): {
            "columns": {one["name"]: shape(one) for one in columns[key]},
            "needless": {one["name"] for one in columns[key] if needless(one)},
            "key": primary["constrained_columns"],
            "bounds": bounds([one for found in rules for one in found.get(key, [])], indexes.get(key, [])),
            "indexes": {one["name"]: set(one["column_names"]) for one in indexes.get(key, [])},
        }
        for key, primary in look.get_multi_pk_constraint().items()
        if key[1] != "alembic_version"
    }


def shape(column: Any) -> tuple[str, bool]:
    return str(column["type"]), bool(column["nullable"])


def bounds(rules: list[Any], indexes: list[Any]) -> set[str]:
    """Everything that a row can be refused for."""
    return {str(one["name"]) for one in [*rules, *(one for one in indexes if one["unique"])]}


def needless(column: Any) -> bool:
    """Whether a row may be written without it."""
    return bool(column["nullable"]) or column["default"] is not None


def test_a_migration_takes_nothing_away_and_demands_nothing_new(database: Database) -> None:
    database.alter(lambda db: schema.upgrade(db, str(EXPANDING[0].down_revision)))
    for script in EXPANDING:
        before = database.read(tables)
        database.alter(lambda db, to=script.revision: schema.upgrade(db, to))
        assert_only_added(database, before, script.revision)


def assert_only_added(database: Database, before: Tables, revision: str) -> None:
    after = database.read(tables)
    for name, was in before.items():
        what = f"{name}, revision {revision}"
        assert name in after, f"{what}: it is gone"
        now = after[name]
        assert was["columns"].items() <= now["columns"].items(), f"{what}: a column is gone or another"
        added = now["columns"].keys() - was["columns"].keys()
        new = {index for index, columns in now["indexes"].items() if columns <= added}  # null to others
        assert (now["key"], now["bounds"] - new) == (was["key"], was["bounds"]), f"{what}: it refuses what it took"
        assert was["indexes"].keys() <= now["indexes"].keys(), f"{what}: an index is gone"
        assert added <= now["needless"], f"{what}: it needs what it did not"


@pytest.mark.parametrize("dialect", ["postgresql"])  # on SQLite an index takes a second a million, and pages wait
def test_an_index_on_a_large_table_is_built_first_and_beside_the_pages(database: Database) -> None:
    """First, because what comes before it is committed by it, and could not be run again after an interruption."""
    database.alter(lambda db: schema.upgrade(db, str(EXPANDING[0].down_revision)))
    said: list[str] = []
    listen(database.writer, said)
    for script in EXPANDING:
        large = database.read(tables).keys() & LARGE
        said.clear()
        database.alter(lambda db, to=script.revision: schema.upgrade(db, to))
        changes = [one for one in said if CHANGES.match(one) and "alembic_version" not in one]
        for place, statement in enumerate(changes):
            index = INDEX.match(statement)
            if index and index[2] in large:
                what = f"revision {script.revision}: {statement}"
                assert index[1], f"{what} blocks the pages: use models.maintenance.schema.build_index"
                assert all("CONCURRENTLY" in one for one in changes[:place]), f"{what} must come first"


def listen(engine: Engine, said: list[str]) -> None:
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: said.append(statement))


def test_a_contract_names_a_release_that_was() -> None:
    releases = re.findall(r"^## (\d+\.\d+\.\d+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    for script in revisions():
        if "contract" in (script.module.__doc__ or ""):
            found = CONTRACT.match(script.module.__doc__)
            assert found is not None, f'{script.path}: its first line must be "contract: … since 1.2.3"'
            assert found[1] in releases, script.path


@pytest.mark.parametrize(("revision", "status"), [("9999", 200), ("0000", 503)])
def test_newer_tables_are_ready_and_older_ones_are_not(
    database: Database, revision: str, status: int, tmp_path
) -> None:
    database.alter(schema.upgrade)
    database.write(lambda db: db.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'"))
    url = database.writer.url.render_as_string(hide_password=False)
    app = create_app(settings_for(tmp_path, database_url=url))
    assert app.test_client().get("/readyz").status_code == status
    app.extensions["runtime"].database.dispose()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_pages_arrive_while_an_index_on_a_large_table_is_built(relay: Relay, database_url: str) -> None:
    def build(connection: Connection) -> None:
        context = MigrationContext.configure(connection, opts={"inside_transaction": False})
        with Operations.context(context):
            schema.build_index("ix_person_tested", "person", ["updated_at"])

    def found(is_valid: bool) -> bool:
        asked = "SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_person_tested') AND indisvalid = :is_valid"
        return bool(relay.rows(asked, is_valid=is_valid))

    relay.refresh({"ada"})
    with psycopg.connect(database_url) as old_reader:
        old_reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old_reader.execute("SELECT FROM person")  # the index waits for whoever could still need it as it was
        builder = Thread(target=relay.database.alter, args=(build,))
        builder.start()
        wait_until(lambda: found(is_valid=False), 20, "the beginning of the index")
        relay.refresh({"bob", "cid"}, session="s2")
        assert found(is_valid=False)
    builder.join(20)
    assert found(is_valid=True)
    assert relay.members() == {"bob", "cid"}
    relay.database.write(lambda db: db.exec_driver_sql("DROP INDEX ix_person_tested"))
