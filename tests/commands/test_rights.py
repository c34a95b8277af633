"""`flask doctor` says which files other users of the machine can read, and the command that it says mends it."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from models.maintenance import schema
from tests.conftest import settings_for

KEPT = ("cohort-relay.db", "secret-key", ".env", "imports/members.csv", "downloads/7.part")
FOLDERS = ("", "imports", "downloads")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A relay with something of everything that is kept in files, for its user alone, in a folder that everybody may
    come to and whose name has a blank."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "an instance"
    app = create_app(settings_for(folder))
    database = app.extensions["runtime"].database
    database.alter(schema.upgrade)
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o700)
    for name in KEPT:
        (folder / name).touch()
        (folder / name).chmod(0o600)
    yield app
    database.dispose()


def folder_of(app: Flask) -> Path:
    found: Path = app.extensions["runtime"].settings.instance
    return found


def rights(app: Flask) -> dict[str, str]:
    checks = json.loads(app.test_cli_runner().invoke(args=["doctor", "--json"]).output)["checks"]
    (found,) = [one for one in checks if one["name"] == "rights"]
    return dict(found)


def test_what_is_for_its_user_alone_is_well(app: Flask) -> None:
    assert rights(app)["state"] == "ok"


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("right", [0o004, 0o002])
def test_each_file_that_others_can_reach_is_named_with_the_command_that_mends_it(
    app: Flask, name: str, right: int
) -> None:
    folder, file = folder_of(app), folder_of(app) / name
    folder.chmod(0o711)
    file.parent.chmod(0o711)
    file.chmod(0o600 | right)
    found = rights(app)
    assert (found["state"], str(file) in found["found"]) == ("warn", True)
    subprocess.run(shlex.split(found["next_step"].removeprefix("Run: ")), check=True)
    assert rights(app)["state"] == "ok"


def test_a_file_that_nobody_can_come_to_is_closed_whatever_it_allows(app: Flask) -> None:
    (folder_of(app) / "secret-key").chmod(0o644)
    assert rights(app)["state"] == "ok"


def test_a_folder_that_others_can_read_is_named_and_closed_with_all_that_is_in_it(app: Flask) -> None:
    folder = folder_of(app)
    for path in [folder, *(folder / name for name in (*FOLDERS[1:], *KEPT))]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    found = rights(app)
    assert "more" in found["found"]
    assert found["next_step"] == f"Run: chmod -R o-rwx {shlex.quote(str(folder))}"
    subprocess.run(shlex.split(found["next_step"].removeprefix("Run: ")), check=True)
    assert rights(app)["state"] == "ok"
    assert (folder / "secret-key").stat().st_mode & 0o777 == 0o640
