"""`flask db`: the tables."""

import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from app import create_app
from models.database import db
from models.maintenance import schema
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.failing.server import BIN, ROOT, Server
from tests.relay import Relay

pytestmark = pytest.mark.slow


def test_upgrade_makes_every_table_and_can_be_repeated(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    first, again = (terminal_of(app)("db", "upgrade") for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert again.output == first.output
    assert first.output.startswith("The tables are at revision ")
    engine = app.extensions["runtime"].database.reader
    assert set(db.metadata.tables) <= set(sqlalchemy.inspect(engine).get_table_names())
    app.extensions["runtime"].database.dispose()


def test_processes_that_upgrade_at_the_same_time_do_it_once(empty_database: str, tmp_path: Path) -> None:
    server = Server(tmp_path, empty_database)
    start = [BIN / "flask", "db", "upgrade"]
    both = [
        subprocess.Popen(start, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0] == said[1] == f"The tables are at revision {schema.newest_revision()}.\n"


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_an_upgrade_does_not_make_pages_wait_behind_somebody_who_holds_the_tables(
    relay: Relay, database_url: str
) -> None:
    with psycopg.connect(database_url) as dump:
        dump.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        refused = terminal_of(relay.app)("db", "upgrade")
    assert (refused.exit_code, "others hold the tables" in refused.output) == (1, True)
    assert terminal_of(relay.app)("db", "upgrade").exit_code == 0


def test_what_cannot_be_distributed_says_why_and_stays_as_it_is(relay: Relay) -> None:
    refused = terminal_of(relay.app)("db", "distribute")
    reason = {"sqlite": "SQLite is one file.", "postgresql": "This database has no extension citus."}
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: {reason[relay.database.dialect]}")
    assert refused.output.endswith("Nothing was changed.\n")


def test_the_statements_of_the_move_are_those_of_the_document(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    printed = terminal_of(app)("db", "distribute", "--sql").output
    assert f"```text\n{printed}```" in (ROOT / "docs" / "scaling.md").read_text()
    app.extensions["runtime"].database.dispose()
