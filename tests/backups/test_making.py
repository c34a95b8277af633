"""Backups on a schedule: made, read back and opened by one worker, kept in a folder or a bucket, and given up again."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from app import create_app
from backups import making, schedule
from backups.status import BackupStatus
from backups.status import read as read_status
from models.maintenance import backup as sqlite_backup
from runtime import Runtime
from tests import servers
from tests.backups.conftest import Place, folder_place
from tests.commands.conftest import terminal_of
from tests.conftest import MakeRelay, settings_for
from tests.relay import MINUTE, Relay

HOUR = 60 * MINUTE
KEY = "tests-4fV9sKq2Zr7LmXw1Yc8NbHd6TgJp3AeUo5RiQxWzBvM0"
OTHER_KEY = "tests-Q1w7ErT3yU9iOp5AsD2fGh8JkL4zXc6VbN0mKqWjZsXe"
MakeBackedUp = Callable[..., Relay]
PATHS = ("/cohorts", "/projects/1/cohorts/7/members", "/projects/1/cohorts/7/changes", "/people/1/ada", "/sessions")


def runtime_of(relay: Relay) -> Runtime:
    found: Runtime = relay.app.extensions["runtime"]
    return found


def round_of(relay: Relay) -> making.Made | None:
    """What a worker does in its round."""
    return making.run_due(runtime_of(relay))


def status(relay: Relay) -> BackupStatus:
    runtime = runtime_of(relay)
    return relay.database.read(lambda db: read_status(db, runtime.settings, relay.clock()))


def said(app: Flask, token: str) -> list[Any]:
    """What the API answers to whoever has the token."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    return [json.loads(client.get(f"/api/v1{path}", headers=headers).text) for path in PATHS]


@pytest.fixture
def empty_place(dialect: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database that has nothing, not even tables."""
    if dialect == "sqlite":
        (tmp_path / "elsewhere").mkdir()
        yield f"sqlite:///{tmp_path}/elsewhere/cohort-relay.db"
        return
    with servers.postgresql_database() as url:
        yield url


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
def test_a_backup_restored_into_an_empty_place_answers_the_same(
    backed_up: MakeBackedUp, place: Place, empty_place: str, tmp_path: Path, key: str
) -> None:
    relay = backed_up(backup_key=key)
    relay.refresh({"ada", "bob"})
    before = said(relay.app, relay.token)
    made = round_of(relay)
    assert made is not None
    assert (made.encrypted, status(relay).state, status(relay).encrypted) == (bool(key), "in_step", bool(key))

    other = restored(place, made.name, empty_place, tmp_path / "instance", key)
    assert said(other, relay.token) == before
    assert before[1]["data"]
    other.extensions["runtime"].database.dispose()


def restored(place: Place, name: str, url: str, instance: Path, key: str) -> Flask:
    """A new relay, with the same SECRET_KEY, that `flask restore` has filled."""
    settings = settings_for(instance, database_url=url, backup_to=place.address, backup_key=key, **place.settings)
    app = create_app(settings)
    done = terminal_of(app)("restore", f"{place.address}/{name}", "--yes", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    assert (report["checked"], report["was_encrypted"]) == (True, bool(key))
    return app


def test_a_checksum_lies_beside_it_as_sha256sum_takes_it(backed_up: MakeBackedUp, place: Place) -> None:
    made = round_of(backed_up())
    assert made is not None
    files = place.read()
    assert sorted(files) == [made.name, f"{made.name}.sha256"]
    assert files[f"{made.name}.sha256"].decode() == f"{hashlib.sha256(files[made.name]).hexdigest()}  {made.name}\n"


def test_an_encrypted_backup_holds_nothing_that_can_be_read_and_its_name_says_so(
    backed_up: MakeBackedUp, place: Place, dialect: str
) -> None:
    relay = backed_up(backup_key=KEY)
    relay.refresh({"ada-planted"})
    made = round_of(relay)
    assert made is not None
    assert made.name.endswith(f".{'db' if dialect == 'sqlite' else 'dump'}.sealed")
    data = place.read()[made.name]
    assert b"ada-planted" not in data
    assert b"SQLite format" not in data
    assert b"PGDMP" not in data


def test_the_next_one_comes_when_its_time_has_come(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_every_hours=6)
    assert [round_of(relay) is not None, round_of(relay) is not None] == [True, False]
    relay.clock.forward(6 * HOUR - 1)
    assert round_of(relay) is None
    relay.clock.forward(1)
    assert round_of(relay) is not None
    assert len(place.backups) == 2


def test_old_ones_go_only_after_a_newer_one_was_verified(
    backed_up: MakeBackedUp, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = backed_up(backup_keep=2)
    for _ in range(2):
        round_of(relay)
        relay.clock.forward(24 * HOUR)
    kept = place.backups
    with monkeypatch.context() as broken:
        broken.setattr(making.copies, "digest", lambda _path: hashlib.sha256(os.urandom(8)).hexdigest())
        assert round_of(relay) is None
    assert place.backups == kept
    assert (status(relay).state, status(relay).reason) == ("failing", "What was read back is not what was written.")
    assert sorted(place.read()) == sorted([*kept, *(f"{name}.sha256" for name in kept)])
    relay.clock.forward(15 * MINUTE)
    made = round_of(relay)
    assert made is not None
    assert (made.pruned, place.backups, status(relay).state) == ([kept[0]], [kept[1], made.name], "in_step")


def test_what_is_no_backup_of_ours_is_never_removed(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_keep=1)
    place.write("letters.txt", b"of somebody else")
    place.write("cohort-relay-old.db", b"a copy that somebody made by hand")
    for _ in range(3):
        round_of(relay)
        relay.clock.forward(24 * HOUR)
    assert len(place.backups) == 1
    assert {"letters.txt", "cohort-relay-old.db"} <= place.read().keys()


def test_what_a_killed_try_left_counts_for_nothing_and_goes_with_the_next(
    backed_up: MakeBackedUp, place: Place
) -> None:
    relay = backed_up()
    half = "cohort-relay-20250101T000000Z-00000000.db"
    place.write(half, b"half")
    listed = terminal_of(relay.app)("backup", "--list", "--json")
    assert json.loads(listed.output) == {"backups": []}
    made = round_of(relay)
    assert made is not None
    assert half not in place.read()


def test_of_two_workers_one_makes_it(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up()
    with ThreadPoolExecutor(4) as pool:
        made = [one.result() for one in [pool.submit(round_of, relay) for _ in range(4)]]
    assert sum(one is not None for one in made) == 1
    assert len(place.backups) == 1


def test_a_worker_that_died_is_followed_by_another_when_its_claim_has_run_out(backed_up: MakeBackedUp) -> None:
    relay = backed_up()
    relay.database.write(lambda db: schedule.hold(db, runtime_of(relay).settings, relay.clock()))
    assert relay.database.write(lambda db: schedule.claim(db, relay.clock())) is not None
    assert round_of(relay) is None
    relay.clock.forward(schedule.LEASE.length)
    assert round_of(relay) is not None


def test_the_terminal_makes_one_at_once_and_lists_them(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_key=KEY)
    round_of(relay)
    relay.clock.forward(MINUTE)
    done = terminal_of(relay.app)("backup", "--json")
    report = json.loads(done.output)
    assert (report["encrypted"], report["place"]) == (True, place.address)
    listed = json.loads(terminal_of(relay.app)("backup", "--list", "--json").output)["backups"]
    assert listed[0]["backup"] == f"{place.address}/{report['name']}"
    assert len(listed) == 2


def test_damage_and_another_key_are_refused_and_change_nothing(
    backed_up: MakeBackedUp, place: Place, dialect: str
) -> None:
    relay = backed_up(backup_key=KEY)
    relay.refresh({"ada"})
    made = round_of(relay)
    assert made is not None
    relay.refresh({"bob"}, session="s2")
    address, terminal = f"{place.address}/{made.name}", terminal_of(relay.app)
    runtime_of(relay).settings.backup_key = OTHER_KEY
    other = terminal("restore", address, "--yes")
    assert (other.exit_code, "neither BACKUP_KEY nor BACKUP_KEY_OLD" in other.output) == (1, True)
    runtime_of(relay).settings.backup_key = KEY
    data = bytearray(place.read()[made.name])
    data[len(data) // 2] ^= 1
    place.write(made.name, bytes(data))
    damaged = terminal("restore", address, "--yes")
    assert (damaged.exit_code, "its checksum is another one" in damaged.output) == (1, True)
    assert relay.members() == {"bob"}


def test_a_place_that_is_away_is_said_and_tried_again(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up()
    runtime_of(relay).settings.backup_to = "s3://no-such-bucket" if "s3" in place.address else f"{place.address}/away"
    assert round_of(relay) is None
    reason = status(relay).reason
    assert re.search(r"The folder is not there\.|The bucket answered NoSuchBucket\.", reason), reason
    assert not Path(f"{place.address}/away").exists()


def test_no_secret_is_said_whatever_goes_wrong(store: str, make_relay: MakeRelay) -> None:
    relay = make_relay(
        backup_to="s3://no-such-bucket",
        backup_s3_endpoint="http://127.0.0.1:1",
        backup_s3_access_key="AKIAPLANTED",
        backup_s3_secret_key="planted-secret",
        backup_key=KEY,
    )
    done = terminal_of(relay.app)("backup")
    assert done.exit_code == 1
    assert "could not be used" in done.output
    shown = done.output + terminal_of(relay.app)("doctor").output
    assert not [word for word in ("AKIAPLANTED", "planted-secret", KEY) if word in shown]


def test_a_missing_pg_dump_is_named(make_relay: MakeRelay, dialect: str, tmp_path: Path) -> None:
    if dialect == "sqlite":
        return
    relay = make_relay(backup_to=folder_place(tmp_path).address)
    with pytest.MonkeyPatch.context() as bare:
        bare.setattr(shutil, "which", lambda _name: None)
        assert round_of(relay) is None
        assert "pg_dump is not installed" in status(relay).reason
        assert "pg_dump and pg_restore not installed" in terminal_of(relay.app)("doctor").output


def test_a_dump_that_does_not_fit_leaves_postgresql_as_it_was(
    backed_up: MakeBackedUp, place: Place, dialect: str
) -> None:
    if dialect == "sqlite" or "s3" in place.address:
        return
    relay = backed_up()
    relay.refresh({"ada"})
    made = round_of(relay)
    assert made is not None
    relay.refresh({"bob"}, session="s2")
    url = runtime_of(relay).settings.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE in_the_way (cohort_id bigint REFERENCES cohort (id))")
        try:
            done = terminal_of(relay.app)("restore", f"{place.address}/{made.name}", "--yes")
        finally:
            db.execute("DROP TABLE in_the_way")
    assert (done.exit_code, "Nothing was changed" in done.output) == (1, True)
    assert relay.members() == {"bob"}


def test_sqlite_is_looked_at_as_a_whole(tmp_path: Path, sqlite_template: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(sqlite_template, copy)
    data = bytearray(copy.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4096] = bytes(4096)
    copy.write_bytes(data)
    with pytest.raises(sqlite_backup.NoBackup):
        sqlite_backup.revision_of(copy, thorough=True)
