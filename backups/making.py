"""A backup from the first byte to the verified one, by the one worker that has claimed it.

    copy      all that is stored, as of one moment, into a folder of the instance's own
    keep      in the place that the settings name, under a name that does not count yet
    prove     read it back from there, compare its checksum, open it, read all of it
    count     write the checksum beside it, and from there on it is a backup
    prune     what is beyond BACKUP_KEEP, and the halves that killed tries have left

Whatever ends it on the way leaves the earlier backups as they were.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from backups import copies, places, schedule
from backups.keys import keys_of
from backups.names import SEALED, SUM, new_name, sum_line
from backups.places import Place
from backups.schedule import Made
from backups.sealing import open_sealed
from backups.trouble import NoBackup, NotKept, NotMade, Stopped, told
from models.claims import Claim
from models.database import DatabaseUnavailable
from runtime import Runtime

log = structlog.get_logger()

WORK = "backup-"  # how the folders begin in which backups are made
Halted = Callable[[], bool]


def run_due(runtime: Runtime, stopping: Halted = lambda: False) -> Made | None:
    """Make the backup that is due, if one is and nobody else makes it. Raises DatabaseUnavailable."""
    settings = runtime.settings
    if not settings.backup_to:
        return None
    if not _is_due(runtime):
        return None
    ours = runtime.database.write(lambda db: schedule.claim(db, runtime.clock()))
    return None if ours is None else _make_claimed(runtime, ours, stopping)


def _is_due(runtime: Runtime) -> bool:
    """Look first, so that a round without a backup writes nothing."""
    settings, now = runtime.settings, runtime.clock()
    plan = runtime.database.read(schedule.plan_of, one_statement=True)
    if plan is None or (plan.place, plan.every_ms) != (settings.backup_to, schedule.every(settings)):
        runtime.database.write(lambda db: schedule.hold(db, settings, now))
    return bool(runtime.database.read(lambda db: schedule.CLAIMS.due(db, schedule.LEASE, now), one_statement=True))


def _make_claimed(runtime: Runtime, ours: Claim, stopping: Halted) -> Made | None:
    lost = threading.Event()
    try:
        with schedule.renewed(runtime, ours, lost):
            made = make(runtime, lambda: lost.is_set() or stopping())
    except Stopped:
        runtime.database.write(lambda db: schedule.CLAIMS.release(db, ours))
        return None
    except (NotMade, NotKept, NoBackup, DatabaseUnavailable, OSError) as error:
        reason = told(error) if isinstance(error, OSError) else str(error)
        log.warning("backup.failed", reason=reason)
        runtime.database.write(lambda db: schedule.note_failed(db, ours, reason, runtime.clock()))
        return None
    runtime.database.write(lambda db: schedule.note_made(db, ours, made))
    log.info("backup.made", name=made.name, bytes=made.bytes, encrypted=made.encrypted, pruned=len(made.pruned))
    return made


def make(runtime: Runtime, halted: Halted) -> Made:
    """Make one, prove it, and let go of those beyond BACKUP_KEEP. Raises NotMade, NotKept, NoBackup, Stopped,
    DatabaseUnavailable."""
    settings, now = runtime.settings, runtime.clock()
    place = places.opened(settings.backup_to, settings)
    place.sizes()  # a place that is away is said before the work
    name = new_name(now, on_sqlite=settings.on_sqlite, sealed=bool(settings.backup_key))
    for left in settings.instance.glob(f"{WORK}*"):  # by a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=WORK, dir=settings.instance) as folder:
        scratch = Path(folder)
        copy = scratch / name
        copies.copy(runtime.database, settings, copy, settings.backup_key, halted)
        made = Made(now, name, copy.stat().st_size, bool(settings.backup_key), "")
        digest = copies.digest(copy)
        place.put(copy, name)
        copy.unlink()
        made = replace(made, revision=_proved(runtime, place, made, digest, scratch))
        if halted():
            raise Stopped
        _count(place, name, digest, scratch)
    return replace(made, pruned=_pruned(place, settings.backup_keep, name))


def _pruned(place: Place, keep: int, newest: str) -> list[str]:
    """Keys that may not delete are nothing wrong: the bucket has a rule of its own then."""
    try:
        return places.prune(place, keep, newest)
    except NotKept as error:
        log.warning("backup.not_pruned", reason=str(error))
        return []


def _proved(runtime: Runtime, place: Place, made: Made, digest: str, scratch: Path) -> str:
    """Read it back and open it; return the revision of its tables. What does not hold is removed from the place."""
    back = scratch / made.name
    place.fetch(made.name, back)
    try:
        _hold_equal(back, digest)
        return opened_revision(runtime, back, made.name, scratch)
    except NoBackup:
        place.remove(made.name)
        raise


def _hold_equal(back: Path, digest: str) -> None:
    if copies.digest(back) != digest:
        raise NoBackup("What was read back is not what was written.")


def opened_revision(runtime: Runtime, file: Path, name: str, scratch: Path) -> str:
    """Open a backup whatever it is sealed with; return the revision of its tables. The file is gone afterwards, or
    opened in its place. Raises NoBackup, NotMade."""
    plain = file
    if name.endswith(SEALED):
        plain = scratch / name.removesuffix(SEALED)
        open_sealed(file, keys_of(runtime.settings), plain)
        file.unlink()
    return copies.revision_in(plain, runtime.settings)


def _count(place: Place, name: str, digest: str, scratch: Path) -> None:
    beside = scratch / f"{name}{SUM}"
    beside.write_text(sum_line(digest, name))
    place.put(beside, beside.name)
