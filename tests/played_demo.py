"""The demo's six weeks, played once a run of the tests by whichever process needs them first; each test gets a copy."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import text

from app import create_app
from config.clock import now
from simulator.plan import PROJECT
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.relay import body

FIRST = "first-run.json"  # what the first run printed, and how wrong it left the clock


def play(folder: Path) -> None:
    """Run `flask demo` in `folder`, where an earlier run was killed, and leave there what it said."""
    app: Flask = create_app(settings_for(folder))
    _interrupt(app)
    result = _run(app)
    clock_was_off = abs(app.extensions["runtime"].clock() - now())
    app.extensions["runtime"].database.dispose()
    (folder / FIRST).write_text(json.dumps({"said": result.stdout, "clock_was_off": clock_was_off}))


def _interrupt(app: Flask) -> None:
    """Leave what a run leaves that was killed early."""
    terminal = terminal_of(app)
    terminal("db", "upgrade")
    crm = json.loads(terminal("connections", "add", "crm", "--json").output)["password"]
    half = body("members", ["A"], 1, 2, project=PROJECT, cohort="1", name="Half a cohort")
    assert app.test_client().post("/webhooks/mixpanel/crm", json=half, auth=("crm", crm)).status_code == 200


def _run(app: Flask) -> Result:
    result = terminal_of(app)("demo")
    assert result.exit_code == 0, result.output
    return result


class Demo:
    """An instance in which `flask demo` has run once; the tests only read it, or go on from it."""

    def __init__(self, played: Path, folder: Path) -> None:
        shutil.copytree(played, folder, dirs_exist_ok=True)
        said = json.loads((folder / FIRST).read_text())
        self.first: str = said["said"]
        self.clock_was_off: int = said["clock_was_off"]  # milliseconds
        self.folder = folder
        self.app: Flask = create_app(settings_for(folder))
        self.database = self.app.extensions["runtime"].database

    def run(self) -> Result:
        return _run(self.app)

    def rows(self, sql: str) -> list[Any]:
        return self.database.read(lambda db: list(db.execute(text(sql)).all()))

    def column(self, sql: str) -> list[Any]:
        return [row[0] for row in self.rows(sql)]


def token_of(said: str) -> str:
    """The API token that a run printed."""
    (token,) = re.findall(r"API token: (\S+)", said)
    return str(token)
