"""A command that cannot ask its database says so in one sentence."""

from pathlib import Path

import pytest

from app import create_app
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for

COMMANDS = [("connections", "list"), ("tokens", "list"), ("connections", "add", "crm"), ("work", "--once")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_tables_it_says_how_to_make_them(command: tuple[str, ...], empty_database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, database_url=empty_database))
    result = terminal_of(app)(*command)
    app.extensions["runtime"].database.dispose()
    assert (result.exit_code, result.output) == (
        1,
        "Error: The database does not have this version's tables. Run: flask db upgrade\n",
    )


@pytest.mark.parametrize("command", COMMANDS[:3], ids=" ".join)
def test_where_no_server_is_it_leads_to_doctor(command: tuple[str, ...], tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    result = terminal_of(app)(*command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The database cannot be used now: ")
    assert result.output.endswith("See: flask doctor\n")
