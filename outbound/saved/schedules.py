"""Saved requests that run by themselves. A claim also says when the next run is, so that a worker that dies in the
middle of a call does not have it made again."""

from collections.abc import Callable
from dataclasses import fields

import structlog
from sqlalchemy import Connection, update

from config.clock import DAY, HOUR, MINUTE
from models.claims import Claim, Claims, Lease
from models.saved_requests import SavedRequest as Table
from outbound import projects
from outbound.saved import runs
from outbound.saved.requests import SavedRequest, of_row
from outbound.saved.runs import RunOptions, RunResult
from runtime import Runtime

log = structlog.get_logger()

CHOICES = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY)
LEASE = Lease(30 * MINUTE)  # longer than any call with all its tries
MOST_AT_ONCE = 20  # runs of one round

_CLAIMS = Claims(
    "saved_request",
    "every_ms IS NOT NULL AND (next_at <= :now OR next_at > :now + 2 * every_ms)",
    sets="next_at = :now + every_ms",
    returning=", ".join(field.name for field in fields(SavedRequest)),
    order="next_at",
)


def plan(db: Connection, saved: SavedRequest, every: int | None, who: str, now: int) -> None:
    """Run it every so many milliseconds from now on, or no more."""
    values = {"every_ms": every, "next_at": now + every if every else None, "scheduled_by": who if every else None}
    db.execute(update(Table).where(Table.id == saved.id).values(values))


def run_due(runtime: Runtime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Run what is due, one after the other; returns how many were."""
    done = 0
    while done < MOST_AT_ONCE and not stopping() and _run_one(runtime):
        done += 1
    return done


def _run_one(runtime: Runtime) -> bool:
    claimed = runtime.database.write(lambda db: claim_due(db, runtime.clock()))
    if claimed is None:
        return False
    saved, claim = claimed
    who = saved.scheduled_by or "schedule"
    project = runtime.database.read(lambda db: projects.by_name(db, saved.project), one_statement=True)
    if project is None:
        result = RunResult(passed=False, reason=f"There is no project {saved.project or 'to send to'}.")
        runtime.database.write(lambda db: runs.note(db, saved, result, who, "schedule", runtime.clock()))
    else:
        result = runs.run(runtime, saved, project, who, "schedule", RunOptions({}))
    if not result.passed:
        log.warning("saved.run_failed", saved_request=saved.id, delivery=result.delivery)
    runtime.database.write(lambda db: _CLAIMS.release(db, claim))
    return True


def claim_due(db: Connection, now: int) -> tuple[SavedRequest, Claim] | None:
    """Claim the request whose time came first, and plan its next run; None where no time has come."""
    for number in _CLAIMS.due(db, LEASE, now):
        row = _CLAIMS.claim(db, number, LEASE, now)
        if row is not None:
            return of_row(row), Claim(number, LEASE.at(now)["until"])
    return None
