"""Before a disk is full somebody is told, in words with how much is left, and hears when it is over."""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import alerts
from app import create_app
from commands.work import addresses
from config import disk_room
from models.maintenance import schema
from tests.alerts.subjects import log
from tests.conftest import settings_for
from tests.failing.small_disk import Disk, small_disk
from tests.relay import Browser, Relay, TestClock

MB = 10**6
MakeOnDisks = Callable[..., Relay]


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(40) as one:
        yield one


@pytest.fixture
def relay_with() -> Iterator[MakeOnDisks]:
    """Makes a relay whose instance folder is at a path, on SQLite there unless another database is named."""
    made: list[Relay] = []

    def make(instance: Path, **settings: Any) -> Relay:
        clock = TestClock()
        more = {"alert_webhook_url": "http://127.0.0.1:1/hook"} | settings
        app = create_app(settings_for(instance, **more), clock)
        app.extensions["runtime"].database.alter(schema.upgrade)
        made.append(Relay(app, clock))
        return made[-1]

    yield make
    for relay in made:
        relay.database.dispose()


def room_in(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill_but(disk: Disk, left: int) -> None:
    """Leave so many bytes free."""
    (disk.folder / "ballast").write_bytes(bytes(room_in(disk.folder) - left))


def notes(viewer: Browser) -> list[str]:
    found = re.findall(r"<strong>(The disk[^<]*)</strong>(.*?)</", viewer.page("/"), re.DOTALL)
    return [f"{what}{says}" for what, says in found]


def checks(relay: Relay) -> list[dict[str, str]]:
    report = json.loads(relay.app.test_cli_runner().invoke(args=["doctor", "--json"]).output)
    return [one for one in report["checks"] if one["name"] == "disk"]


def numbers(relay: Relay, name: str) -> dict[str, float]:
    found = re.findall(rf'^cohort_relay_disk_{name}{{use="(\w+)"}} (\S+)$', relay.client.get("/metrics").text, re.M)
    return {use: float(value) for use, value in found}


def told(relay: Relay) -> list[str]:
    settings = relay.app.extensions["runtime"].settings
    alerts.run_once(relay.database, settings, relay.clock, addresses(relay.app.url_map))
    return [f"{row.title}\n{row.message}" for row in log(relay) if row.subject.startswith("disk ")]


def test_a_disk_that_is_nearly_full_is_said_everywhere_and_so_is_its_end(disk: Disk, relay_with: MakeOnDisks) -> None:
    relay = relay_with(disk.folder)
    relay.refresh({"ada"})
    viewer = relay.sign_in("viewer")
    assert (notes(viewer), told(relay), [one["state"] for one in checks(relay)]) == ([], [], ["ok"])
    assert numbers(relay, "filling") == {"database": 0, "instance": 0}

    fill_but(disk, 2_500_000)
    (note,) = notes(viewer)
    assert note.startswith("The disk of the database and the instance folder is nearly full. 2.")
    assert f" MB of 41 MB are left there ({disk.folder} on " in note
    assert "Without room pages are refused with 503, and Mixpanel sends them again; no file is taken" in note
    (message,) = told(relay)
    assert " is nearly full\n2." in message
    assert "What to do: Make room there" in message
    (check,) = checks(relay)
    assert (check["state"], check["found"].endswith("nearly full")) == ("warn", True)
    assert "BACKUP_KEEP" in check["next_step"]
    assert numbers(relay, "filling") == {"database": 1, "instance": 1}
    assert 0 < numbers(relay, "free_bytes")["database"] <= 2_500_000 < numbers(relay, "size_bytes")["database"]
    relay.app.extensions["status"].made_at = float("-inf")
    assert relay.client.get("/status.json").json["status"] == "degraded"

    disk.free()
    assert (notes(viewer), [one["state"] for one in checks(relay)]) == ([], ["ok"])
    assert "has recovered" in told(relay)[-1]


def test_each_disk_is_said_by_what_is_kept_there(disk: Disk, tmp_path: Path, relay_with: MakeOnDisks) -> None:
    relay = relay_with(tmp_path, backup_to=disk.folder)
    relay.refresh({"ada"})
    viewer = relay.sign_in("viewer")
    fill_but(disk, MB)
    (note,) = notes(viewer)
    assert note.startswith("The disk of backups is nearly full.")
    assert "Without room no backup is kept." in note
    assert numbers(relay, "filling") == {"database": 0, "instance": 0, "backups": 1}


def test_one_that_is_full_is_not_called_nearly_full_beside(disk: Disk, relay_with: MakeOnDisks) -> None:
    relay = relay_with(disk.folder)
    relay.refresh({"ada"})
    viewer = relay.sign_in("viewer")
    disk.fill()
    relay.database.is_full = True
    assert [note.partition(".")[0] for note in notes(viewer)] == ["The disk of the database is full"]


def test_nobody_is_told_where_the_setting_is_off(disk: Disk, relay_with: MakeOnDisks) -> None:
    relay = relay_with(disk.folder, disk_low_percent=0)
    relay.refresh({"ada"})
    viewer = relay.sign_in("viewer")
    fill_but(disk, MB)
    assert (notes(viewer), told(relay), [one["state"] for one in checks(relay)]) == ([], [], ["ok"])


def test_a_folder_that_is_not_there_and_a_bucket_have_no_room_to_tell_of(tmp_path: Path) -> None:
    for place in (tmp_path / "away", "s3://bucket/path"):
        (only,) = disk_room.disks(settings_for(tmp_path, backup_to=place))
        assert only.uses == ("database", "instance")


def test_the_disk_of_postgresql_is_not_guessed_at(tmp_path: Path) -> None:
    (only,) = disk_room.disks(settings_for(tmp_path, database_url="postgresql://relay@db.example.com/relay"))
    assert only.uses == ("instance",)


def test_a_large_disk_is_not_nearly_full_while_twenty_gigabytes_are_left() -> None:
    disk = disk_room.Disk(("database",), Path("/"), 1, 20 * 10**9, 10**12, disk_room.MOST_LEAST)
    assert not disk.is_filling


def test_a_folder_that_never_answers_keeps_nobody_waiting_for_longer_than_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a server of files that has gone away: the kernel does not let go of who asks."""
    over, real = threading.Event(), os.statvfs

    def statvfs(folder: Path) -> os.statvfs_result:
        if folder.name == "far":
            over.wait(30)
        return real(folder)

    monkeypatch.setattr(os, "statvfs", statvfs)
    (tmp_path / "far").mkdir()
    settings = settings_for(tmp_path, backup_to=tmp_path / "far")
    begun = time.monotonic()
    for _ in range(5):
        (only,) = disk_room.disks(settings)
        assert only.uses == ("database", "instance")
    assert time.monotonic() - begun < 2
    over.set()
