"""Backups under the roles of deploy/postgresql-roles.sql: what serves makes them, what migrates brings them back."""

from pathlib import Path

import pytest

from backups import making
from models.maintenance import schema
from tests.backups.conftest import folder_place
from tests.commands.conftest import terminal_of
from tests.failing.test_database_roles import Roles, roles
from tests.relay import Relay, TestClock

pytestmark = [pytest.mark.slow, pytest.mark.server]

__all__ = ["roles"]  # a fixture


def test_the_role_that_serves_makes_backups_and_the_owner_brings_one_back(roles: Roles, tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    owner = roles.app("owner", tmp_path / "owner")
    owner.extensions["runtime"].database.alter(schema.upgrade)
    app = roles.app("app", tmp_path / "app")
    relay = Relay(app, TestClock())
    relay.refresh({"ada", "bob"})
    runtime = app.extensions["runtime"]
    runtime.settings.backup_to = place.address
    made = making.run_due(runtime)
    assert made is not None
    relay.refresh({"cid"}, session="s2")
    relay.database.dispose()

    restored = terminal_of(owner)("restore", f"{place.address}/{made.name}", "--yes")
    assert restored.exit_code == 0, restored.output
    assert relay.members() == {"ada", "bob"}
    relay.add({"dan"}, session="s3")  # what serves may write there as before
    assert relay.members() == {"ada", "bob", "dan"}
    for one in (owner, app):
        one.extensions["runtime"].database.dispose()
