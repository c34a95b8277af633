"""`flask doctor` says what is wrong and what to do next, and fails where the relay cannot serve."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from commands.doctor.network import is_loopback
from models.maintenance import close_for_writes
from models.maintenance.schema import newest_revision
from outbound import projects
from security.encryption import Cipher
from tests import servers
from tests.conftest import settings_for
from tests.relay import MINUTE, SECOND, Relay
from tests.servers import SECRET_KEY


@pytest.fixture
def fresh(tmp_path: Path, sqlite_template: Path) -> Iterator[Flask]:
    """The app on an SQLite database with tables and nothing in them."""
    shutil.copy(sqlite_template, tmp_path / "cohort-relay.db")
    app = create_app(settings_for(tmp_path))
    yield app
    app.extensions["runtime"].database.dispose()


def run(relay: Relay, *arguments: str) -> Result:
    return relay.app.test_cli_runner().invoke(args=["doctor", *arguments])


def check(relay: Relay, name: str) -> dict[str, Any]:
    """The one check of that name."""
    (found,) = [one for one in json.loads(run(relay, "--json").output)["checks"] if one["name"] == name]
    return found


def test_a_relay_that_is_called_and_up_to_date_passes(relay):
    relay.refresh(["ada"])
    result = run(relay)
    assert result.exit_code == 0
    assert "ok    tables: at revision" in result.output
    assert "ok    connection crm: 1 live password, last call 2025-06-15 15:06:40 UTC" in result.output


def test_json_says_whether_all_is_well_and_holds_every_check(relay):
    report = json.loads(run(relay, "--json").output)
    assert report["ok"] is True
    assert {one["state"] for one in report["checks"]} <= {"ok", "warn", "fail"}


def test_every_setting_is_shown_with_its_origin(make_relay):
    report = json.loads(run(make_relay(settle_seconds=7), "--json").output)
    assert {"name": "SETTLE_SECONDS", "value": "7", "origin": "environment"} in report["settings"]
    assert {"name": "MAX_BODY_MB", "value": "32", "origin": "default"} in report["settings"]


def test_secrets_are_masked(make_relay):
    output = run(make_relay(redis_url="redis://:hunter2@127.0.0.1:1/0")).output
    assert "hunter2" not in output
    assert SECRET_KEY not in output
    assert "SECRET_KEY             [masked]" in output


def test_a_name_in_the_env_file_that_is_no_setting_is_a_warning(relay, tmp_path):
    (tmp_path / ".env").write_text("SETLE_SECONDS=5\n")
    assert "did you mean SETTLE_SECONDS?" in check(relay, "settings")["found"]


def test_an_instance_folder_that_is_gone_fails(make_relay, tmp_path):
    relay = make_relay(instance_path=tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    assert check(relay, "instance folder")["state"] == "fail"
    assert run(relay).exit_code == 4


def test_a_database_that_does_not_answer_fails(tmp_path):
    app = create_app(settings_for(tmp_path, database_url="postgresql://relay:hunter2@127.0.0.1:1/relay"))
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 4
    assert "fail  database: 127.0.0.1:1/relay cannot be written" in result.output
    assert "hunter2" not in result.output


def test_a_database_without_tables_fails_with_the_command_to_run(tmp_path):
    app = create_app(settings_for(tmp_path))
    result = app.test_cli_runner().invoke(args=["doctor"])
    app.extensions["runtime"].database.dispose()
    assert result.exit_code == 4
    assert "Run flask db upgrade" in result.output


@pytest.mark.parametrize(
    ("url", "proxies", "state"),
    [
        ("https://relay.example", 1, "ok"),
        ("https://relay.example", 0, "warn"),
        ("http://relay.example", 1, "warn"),
        ("http://localhost:8000", 0, "warn"),
    ],
)
def test_the_public_address_must_be_one_that_mixpanel_can_call(make_relay, url, proxies, state):
    assert check(make_relay(public_url=url, trusted_proxies=proxies), "public address")["state"] == state


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "localhost", "relay.localhost"])
def test_an_address_of_this_machine_is_known(host):
    assert is_loopback(host)


def test_redis_that_answers_is_well(make_relay):
    relay = make_relay(redis_url=servers.redis_url())
    assert check(relay, "rate limits") == {
        "name": "rate limits",
        "state": "ok",
        "found": "counted in Redis",
        "next_step": "",
    }


def test_several_processes_that_share_no_redis_are_a_warning(make_relay):
    assert check(make_relay(processes=2), "rate limits")["state"] == "warn"


def test_redis_that_does_not_answer_is_a_warning(make_relay):
    assert check(make_relay(redis_url="redis://127.0.0.1:1/0"), "rate limits")["state"] == "warn"


def test_an_export_that_nobody_settles_tells_that_no_worker_runs(relay):
    relay.refresh(["ada"], page=None)
    relay.clock.forward(relay.rules.settle)
    assert check(relay, "worker")["state"] == "ok"
    relay.clock.forward(MINUTE + SECOND)
    assert check(relay, "worker")["state"] == "warn"
    relay.work()
    assert check(relay, "worker")["state"] == "ok"


def test_an_export_that_stopped_half_way_is_a_warning(relay):
    relay.refresh(["ada"], page=1, total=3)
    relay.wait(relay.rules.stalled + SECOND)
    assert check(relay, "exports")["found"] == "1 export stopped half way"


def test_a_relay_without_connections_is_told_how_to_make_one(fresh):
    output = fresh.test_cli_runner().invoke(args=["doctor"]).output
    assert "Make one: flask connections add NAME" in output


def test_a_connection_that_was_never_called_is_a_warning(relay):
    assert check(relay, "connection crm")["found"] == "1 live password, last call never"


def test_a_connection_that_has_gone_quiet_is_a_warning(relay):
    relay.refresh(["ada"])
    relay.clock.forward(121 * MINUTE)
    assert "every 30 minutes" in check(relay, "connection crm")["next_step"]


def test_a_connection_that_is_off_is_a_warning(relay):
    relay.app.test_cli_runner().invoke(args=["connections", "disable", "crm"])
    assert check(relay, "connection crm")["found"].startswith("switched off")


def test_a_refusal_that_pauses_the_sync_says_so(relay):
    relay.post_raw("{", {})
    relay.post_raw("{", {})
    assert check(relay, "failure")["found"] == (
        "400 not_json 2 times, last 2025-06-15 15:06:40 UTC, crm: The body is not JSON."
    )
    assert "has paused this sync" in check(relay, "failure")["next_step"]


def test_a_refusal_that_passes_by_itself_says_so(make_relay):
    relay = make_relay(webhook_rate_limit="1 per day")
    relay.refresh(["ada"])
    relay.post("members", ["ada"])
    assert "tries again by itself" in check(relay, "failure")["next_step"]


def test_yesterdays_failures_are_no_longer_news(relay):
    relay.post_raw("{", {})
    relay.clock.forward(25 * 60 * MINUTE)
    assert check(relay, "failures")["state"] == "ok"


def test_tables_of_another_revision_fail_and_are_not_read(fresh):
    fresh.extensions["runtime"].database.write(
        lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    )
    result = fresh.test_cli_runner().invoke(args=["doctor", "--json"])
    assert result.exit_code == 4
    assert json.loads(result.output)["checks"][-1]["found"] == f"at revision 0000, wanted {newest_revision()}"


def test_tables_of_a_newer_version_are_a_warning_and_are_read(relay):
    relay.database.write(lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    try:
        assert check(relay, "tables")["state"] == "warn"
        assert check(relay, "worker")["state"] == "ok"
    finally:  # PostgreSQL's tables are shared by the tests
        back = f"UPDATE alembic_version SET version_num = '{newest_revision()}'"
        relay.database.write(lambda db: db.exec_driver_sql(back))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_has_moved_is_a_failure_with_the_way_back(relay):
    relay.database.write(close_for_writes.close)
    found = check(relay, "database")
    assert (found["state"], "--reopen" in found["next_step"]) == ("fail", True)


def test_an_export_that_the_removal_guard_holds_is_a_warning(relay):
    relay.refresh([f"u{number}" for number in range(100)], session="first")
    relay.refresh(["u1"], session="second")
    assert check(relay, "exports")["found"] == "1 export held until somebody decides"


def test_credentials_that_the_key_does_not_open_are_counted_and_named(relay):
    runtime, lost = relay.app.extensions["runtime"], projects.ProjectFields("lost", "us", "17", token="a-token")
    cipher = Cipher(runtime.settings.secret_key)
    for draft, its in ((lost, Cipher("another key")), (replace(lost, name="fine"), cipher)):
        relay.database.write(partial(projects.add, cipher=its, draft=draft, now=0))
    found = check(relay, "secret key")
    assert (found["state"], found["found"]) == ("fail", "credentials of 1 project cannot be opened with it: lost")
