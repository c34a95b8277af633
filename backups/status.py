"""How backups stand: the last good one, whether the next is late, and why the last try came to nothing."""

from dataclasses import dataclass

from sqlalchemy import Connection

from backups import schedule
from backups.schedule import Plan
from config.clock import HOUR
from config.durations import age
from config.settings import Settings

TRIFLE = 4  # a quarter of the interval is no delay


@dataclass(frozen=True)
class BackupStatus:
    """`state` is off, in_step, quiet (late) or failing; `verified_at` is the moment that the last good one holds, None
    where there is none."""

    state: str
    place: str
    now: int
    verified_at: int | None = None
    name: str | None = None
    bytes: int | None = None
    encrypted: bool = False
    failed_at: int | None = None
    reason: str = ""

    @property
    def last(self) -> str:
        """What the last good one is, in a sentence."""
        if self.verified_at is None:
            return "There is no backup yet."
        kind = "encrypted" if self.encrypted else "not encrypted"
        return f"The last good backup was made {age(self.now - self.verified_at)}, {kind}."

    @property
    def says(self) -> str:
        """What is to be known, in sentences."""
        if self.state == "failing":
            return f"The last try, {age(self.now - (self.failed_at or 0))}, failed: {self.reason} {self.last}"
        return f"The next backup is late. {self.last}" if self.state == "quiet" else self.last

    @property
    def what_to_do(self) -> str:
        if self.state == "failing":
            return "Mend that. It is tried again every quarter of an hour, and at once by flask backup."
        return "See that a worker runs: flask serve has one, flask work is one." if self.state == "quiet" else ""


def read(db: Connection, settings: Settings, now: int) -> BackupStatus:
    """Return how backups stand, with one statement; without one where the settings want none."""
    if not settings.backup_to:
        return BackupStatus("off", "", now)
    plan = schedule.plan_of(db)
    if plan is None or plan.place != settings.backup_to:
        return BackupStatus("in_step", settings.backup_to, now)
    return BackupStatus(
        state=_state(plan, now),
        place=plan.place,
        now=now,
        verified_at=plan.verified_at,
        name=plan.name,
        bytes=plan.bytes,
        encrypted=bool(plan.encrypted),
        failed_at=plan.failed_at,
        reason=plan.reason or "",
    )


def _state(plan: Plan, now: int) -> str:
    if plan.failed_at is not None:
        return "failing"
    since = plan.planned_at if plan.verified_at is None else plan.verified_at
    return "quiet" if now > since + plan.every_ms + max(HOUR, plan.every_ms // TRIFLE) else "in_step"
