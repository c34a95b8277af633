"""`flask backup` and `flask restore`: everything that is stored, there and back, while the relay is in use."""

import json
import sqlite3
import stat

import pytest

MEMBERS = {"ada", "bob"}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def copy(relay, terminal, tmp_path):
    """A backup with two members in the cohort; afterwards one of them leaves."""
    relay.refresh(MEMBERS)
    made = terminal("backup", tmp_path / "copy.db")
    assert made.exit_code == 0, made.output
    relay.remove({"bob"}, session="s2")
    return tmp_path / "copy.db"


def test_a_backup_brings_back_what_was_there(relay, terminal, copy):
    assert terminal("restore", copy, "--yes").exit_code == 0
    assert relay.members() == MEMBERS


def test_the_relay_goes_on_after_a_restore_without_a_restart(relay, terminal, copy):
    terminal("restore", copy, "--yes")
    relay.refresh({"cid"}, session="s3")
    assert relay.members() == {"cid"}


def test_what_was_there_before_a_restore_is_kept(relay, terminal, copy):
    report = json.loads(terminal("restore", copy, "--yes", "--json").output)
    relay.clock.forward(1000)
    terminal("restore", report["before"], "--yes")
    assert relay.members() == {"ada"}


def test_a_restore_asks_first(relay, terminal, copy):
    assert terminal("restore", copy).exit_code == 1
    assert relay.members() == {"ada"}


def test_a_backup_does_not_replace_another_by_itself(terminal, copy):
    refused = terminal("backup", copy)
    assert (refused.exit_code, "--force" in refused.output) == (1, True)
    assert terminal("backup", copy, "--force").exit_code == 0


def test_a_backup_is_for_its_owner_alone(copy):
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_what_is_no_backup_is_refused_and_changes_nothing(relay, terminal, copy, tmp_path):
    other = tmp_path / "other.db"
    other.write_text("no database")
    sqlite3.connect(tmp_path / "strange.db").execute("CREATE TABLE t (x)")
    for path in (other, tmp_path / "strange.db"):
        assert terminal("restore", path, "--yes").exit_code == 1
    assert relay.members() == {"ada"}


def test_a_backup_of_a_newer_version_is_refused(terminal, copy):
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in terminal("restore", copy, "--yes").output


def test_nothing_but_the_copy_is_left_beside_it(copy, tmp_path):
    assert not list(tmp_path.glob("copy.db.*"))


def test_without_a_file_and_without_a_place_it_says_what_to_name(terminal):
    refused = terminal("backup")
    assert (refused.exit_code, "set BACKUP_TO" in refused.output) == (2, True)
