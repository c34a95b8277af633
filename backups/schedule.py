"""When a backup is due, who makes it, and what became of it: the one row of `backup_schedule`, under the protocol of
`models.claims`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Connection, select, text, update

from config.clock import HOUR, MINUTE
from config.settings import Settings
from models.backups import BackupSchedule
from models.claims import Claim, Claims, Lease
from models.columns import columns_of
from models.database import DatabaseUnavailable
from models.insert_once import insert_once
from runtime import Runtime

NUMBER = 1
LEASE = Lease(2 * MINUTE)
HEARTBEAT = 20  # seconds
AGAIN = 15 * MINUTE  # after a try that came to nothing

CLAIMS = Claims(BackupSchedule.__tablename__, "(next_at <= :now OR next_at > :now + 2 * every_ms)")
_MADE = text(
    CLAIMS.update(
        "verified_at = :at, name = :name, bytes = :bytes, encrypted = :encrypted, failed_at = NULL, reason = NULL,"
        " next_at = :at + every_ms, claimed_until = NULL"
    )
)
_FAILED = text(CLAIMS.update("failed_at = :now, reason = :reason, next_at = :next, claimed_until = NULL"))


@dataclass(frozen=True)
class Plan:
    """The row as it is."""

    place: str
    every_ms: int
    planned_at: int
    next_at: int
    claimed_until: int | None
    verified_at: int | None
    name: str | None
    bytes: int | None
    encrypted: bool | None
    failed_at: int | None
    reason: str | None


@dataclass(frozen=True)
class Made:
    """A backup that was verified: `at` is the moment that it holds."""

    at: int
    name: str
    bytes: int
    encrypted: bool
    revision: str
    pruned: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"revision", "pruned"}}


_PLAN = select(*columns_of(BackupSchedule, Plan))


def plan_of(db: Connection) -> Plan | None:
    row = db.execute(_PLAN).one_or_none()
    return None if row is None else Plan(*row)


def every(settings: Settings) -> int:
    return int(settings.backup_every_hours) * HOUR


def hold(db: Connection, settings: Settings, now: int) -> None:
    """Have the row say what the settings do: another place gets a backup at once, though not over and over where two
    workers have different settings."""
    place, interval = settings.backup_to, every(settings)
    begun = {"place": place, "every_ms": interval, "planned_at": now, "next_at": now}
    if insert_once(db, BackupSchedule, "id", {"id": NUMBER, **begun}):
        return
    known = plan_of(db)
    if known is not None and known.place != place:
        tried = max(known.verified_at or 0, known.failed_at or 0)
        nothing = dict.fromkeys(("verified_at", "name", "bytes", "encrypted", "reason", "claimed_until"))
        moved = begun | nothing | {"failed_at": None, "next_at": max(now, min(tried, now) + AGAIN if tried else now)}
        db.execute(update(BackupSchedule).values(moved))
    elif known is not None and known.every_ms != interval:
        due = min(known.next_at, (known.verified_at or now) + interval)
        db.execute(update(BackupSchedule).values(every_ms=interval, next_at=due))


def due_now(db: Connection, now: int) -> None:
    """Have the next round make one."""
    db.execute(update(BackupSchedule).values(next_at=now))


def claim(db: Connection, now: int) -> Claim | None:
    """Claim the making of the backup that is due; None where none is, or another worker makes it."""
    row = CLAIMS.claim(db, NUMBER, LEASE, now)
    return None if row is None else Claim(NUMBER, LEASE.at(now)["until"])


def note_made(db: Connection, ours: Claim, made: Made) -> bool:
    return db.execute(_MADE, {**ours.values, **made.values}).rowcount == 1


def note_failed(db: Connection, ours: Claim, reason: str, now: int) -> bool:
    return db.execute(_FAILED, {**ours.values, "reason": reason, "now": now, "next": now + AGAIN}).rowcount == 1


@contextmanager
def renewed(runtime: Runtime, ours: Claim, halt: threading.Event) -> Iterator[None]:
    """Renew the claim beside the work; `halt` is set where another worker has it by now."""
    over = threading.Event()
    heartbeat = threading.Thread(target=_renew_until, args=(runtime, ours, over, halt), daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        over.set()
        heartbeat.join()


def _renew_until(runtime: Runtime, ours: Claim, over: threading.Event, halt: threading.Event) -> None:
    while not over.wait(HEARTBEAT):
        until = runtime.clock() + LEASE.length
        try:
            renewed = runtime.database.write(lambda db, to=until: CLAIMS.renew(db, ours, to))  # type: ignore[misc]
        except DatabaseUnavailable:
            continue
        if not renewed:
            halt.set()
            return
        ours.until = until
