"""A worker that is killed amid a backup, and disks that are full: no half file counts, and what was good stays."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backups import making
from backups.status import read as read_status
from models.maintenance.backup import revision_of
from tests.backups.conftest import Place, folder_place
from tests.conftest import MakeRelay
from tests.failing.server import wait_until
from tests.failing.small_disk import Disk, small_disk
from tests.failing.worker import MakeWorker, workers
from tests.relay import Relay

pytestmark = pytest.mark.slow

PAGES = 60  # of a megabyte: some tenths of a second for each step
MOMENTS = {
    "while it is copied": ("instance", "backup-*/plain.db"),
    "while it is kept": ("kept", ".cohort-relay-*.part"),
    "while it is proved": ("kept", "cohort-relay-*.db"),
}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return folder_place(tmp_path)


@pytest.fixture
def large(database_url: str, tmp_path: Path) -> Path:
    """A database of a size that takes a while."""
    file = tmp_path / "cohort-relay.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE ballast (page BLOB)")
        db.executemany("INSERT INTO ballast VALUES (?)", ((os.urandom(1 << 20),) for _ in range(PAGES)))
    return file


@pytest.fixture
def make_worker(database_url: str, tmp_path: Path) -> Iterator[MakeWorker]:
    with workers(database_url, tmp_path) as make:
        yield make


def assert_all_good(place: Place) -> None:
    for name in place.backups:
        file = Path(place.address) / name
        digest, _, named = (file.with_name(f"{name}.sha256")).read_text().partition("  ")
        assert (digest, named.strip()) == (hashlib.sha256(file.read_bytes()).hexdigest(), name)
        assert revision_of(file, thorough=True)


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_half_backup_of_a_killed_worker_counts_and_the_next_worker_makes_a_whole_one(
    large: Path, place: Place, make_worker: MakeWorker, tmp_path: Path, moment: str
) -> None:
    where, pattern = MOMENTS[moment]
    root = tmp_path if where == "instance" else Path(place.address)
    worker = make_worker(backup_to=place.address)
    wait_until(lambda: any(root.glob(pattern)), 60, moment)
    worker.kill()
    if moment != "while it is proved":  # between the look and the kill it may have come to its end there
        assert place.backups == []
    assert_all_good(place)

    with closing(sqlite3.connect(large)) as db, db:  # as two minutes later
        db.execute("UPDATE backup_schedule SET claimed_until = NULL, next_at = 0")
    before = len(place.backups)
    make_worker(backup_to=place.address)
    wait_until(lambda: len(place.backups) > before, 60, "the next backup")
    assert_all_good(place)
    wait_until(lambda: len(place.read()) == 2 * len(place.backups), 60, "the halves to go")
    assert not list(tmp_path.glob("backup-*/plain.db"))


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(24) as one:
        yield one


def reason(relay: Relay) -> str:
    settings = relay.app.extensions["runtime"].settings
    return relay.database.read(lambda db: read_status(db, settings, relay.clock())).reason


def test_a_full_disk_is_said_and_what_was_good_stays(make_relay: MakeRelay, disk: Disk) -> None:
    relay = make_relay(backup_to=str(disk.folder), backup_keep=1)
    runtime = relay.app.extensions["runtime"]
    assert making.run_due(runtime) is not None
    good = sorted(path.name for path in disk.folder.iterdir())
    relay.clock.forward(24 * 60 * 60_000)
    disk.fill()
    assert making.run_due(runtime) is None
    assert reason(relay) == "In the folder: There is no room left on the disk."
    assert sorted({path.name for path in disk.folder.iterdir()} - {"ballast"}) == good
    disk.free()
    relay.clock.forward(15 * 60_000)
    made = making.run_due(runtime)
    assert made is not None
    assert sorted(path.name for path in disk.folder.iterdir()) == [made.name, f"{made.name}.sha256"]


def test_a_backup_never_fills_the_disk_of_the_relay_itself(make_relay: MakeRelay, tmp_path: Path, disk: Disk) -> None:
    (disk.folder / "kept").mkdir()
    relay = make_relay(backup_to=str(disk.folder / "kept"))
    runtime = relay.app.extensions["runtime"]
    runtime.settings.instance = disk.folder
    assert making.run_due(runtime) is None
    assert "There is not room enough in" in reason(relay)
    assert not list(disk.folder.glob("backup-*"))
