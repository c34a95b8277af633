"""How a cohort stands: in step, under way, waiting for somebody. One statement reads all of them, and pure functions
say what it means. The words are in `sync.status.text`."""

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from models.queries.sessions import unfinished
from sync.status import cadence, progress, remedies
from sync.status import text as status_text
from sync.status.cadence import Rhythm
from sync.status.progress import Ranges

REFUSALS_IN_A_ROW = 3  # since the last call that succeeded; a single one where it pauses the sync
SIMULATED = "simulated-"  # how the ids of cohorts begin that the dashboard's simulated exports make: nothing follows

_UNFINISHED = unfinished("number")
_REFUSED_SINCE = """
    f.cohort_id = c.mixpanel_cohort_id AND f.project_id = c.project_id AND f.last_at > c.last_call_at"""


def _cohorts(pair: str, collect: str) -> dict[bool, TextClause]:
    """Return the statement for all cohorts (False) and for one (True); databases differ in making a JSON list."""
    every = f"""
        SELECT c.id, c.project_id, c.mixpanel_cohort_id, c.name, c.member_count, c.last_synced_at, c.last_call_at,
            c.guard_percent, k.id AS connection_id, k.name AS connection, k.enabled AS connection_enabled,
            u.id AS session_id, u.status, u.action, u.total_pages, u.pages_received, u.received, u.started_at,
            u.last_page_at, u.settles_at, u.would_leave, u.would_leave_of,
            u.rejected, u.held_for,
            (SELECT {collect}({pair}(r.started_at, r.action)) FROM (
                SELECT s.started_at, s.action FROM sync_session s WHERE s.cohort_id = c.id AND s.number > 0
                ORDER BY s.number DESC LIMIT {cadence.LOOKED_AT}) r) AS recent,
            (SELECT sum(f.count) FROM failure f WHERE {_REFUSED_SINCE}) AS refusals,
            x.id AS failure_id, x.status AS failure_status, x.cause, x.message, x.last_at AS failed_at
        FROM cohort c
        LEFT JOIN sync_session n ON n.cohort_id = c.id AND n.number = c.session_count
        LEFT JOIN connection k ON k.id = n.connection_id
        LEFT JOIN sync_session u ON u.cohort_id = c.id AND u.number = {_UNFINISHED}
        LEFT JOIN failure x ON x.id = (SELECT f.id FROM failure f WHERE {_REFUSED_SINCE}
            ORDER BY f.status IN (400, 401, 403, 404) DESC, f.last_at DESC, f.id DESC LIMIT 1)"""  # noqa: S608
    return {False: text(f"{every} ORDER BY c.id"), True: text(f"{every} WHERE c.id = :id")}


_COHORTS = {
    "sqlite": _cohorts("json_array", "json_group_array"),
    "postgresql": _cohorts("json_build_array", "json_agg"),
}

# Every state of a cohort or a connection, the most urgent first, with its colour.
TONES = {
    "off": "off",
    "held": "held",
    "failing": "needs-you",
    "stalled": "waiting",
    "late": "waiting",
    "receiving": "working",
    "settling": "working",
    "sweeping": "working",
    "never_called": "waiting",
    "quiet": "waiting",
    "one_time": "in-step",
    "in_step": "in-step",
}


@dataclass(frozen=True)
class Unfinished:
    """The session that is under way; see `models.sessions.SyncSession`."""

    id: int
    status: str
    action: str
    total_pages: int | None
    pages_received: int
    received: int
    started_at: int
    last_page_at: int
    settles_at: int | None
    would_leave: int | None
    would_leave_of: int | None
    rejected: int
    held_for: str | None
    missing: Ranges = ()  # pages that have not come, read where the session is late or stalled


@dataclass(frozen=True)
class LastFailure:
    """The newest refusal since the last call that succeeded, before all others one that pauses the sync."""

    id: int
    status: int
    cause: str
    message: str
    last_at: int

    @property
    def pauses(self) -> bool:
        return remedies.pauses(self.status)


@dataclass(frozen=True)
class CohortStatus:
    """How one cohort stands at `now`. `refusals` counts since the last call that succeeded; `connection` is the one
    that brought the newest session."""

    now: int
    id: int
    project_id: str
    mixpanel_cohort_id: str
    name: str
    member_count: int
    last_synced_at: int | None
    last_call_at: int
    guard_percent: int | None
    connection_id: int | None
    connection: str | None
    connection_enabled: bool
    rhythm: Rhythm
    session: Unfinished | None
    refusals: int
    failure: LastFailure | None

    @property
    def state(self) -> str:
        """Return a key of `TONES`, never `never_called`."""
        status = progress.state(self.session, self.now) if self.session else ""
        if not self.connection_enabled:
            return "off"
        if status == "held":
            return "held"
        if is_failing(self.refusals, self.failure):
            return "failing"
        if status:
            return status
        if self.rhythm.is_quiet(self.now, self.last_call_at):
            return "quiet"
        return "one_time" if self.rhythm.kind == "one_time" else "in_step"

    @property
    def needs_you(self) -> bool:
        """Whether nothing moves before a person acts."""
        return self.state == "held" or (self.state == "failing" and is_paused(self.failure))

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def headline(self) -> str:
        return status_text.headline(self)

    @property
    def says(self) -> str:
        return status_text.sentence(self)


def cohort_statuses(db: Connection, now: int, cohort_id: int | None = None) -> list[CohortStatus]:
    """Return the status of all cohorts, or of the one with this id (our own, not Mixpanel's), in the order of their
    first call."""
    statement = _COHORTS[db.dialect.name][cohort_id is not None]
    values = {} if cohort_id is None else {"id": cohort_id}
    return _with_gaps(db, [cohort_status(row, now) for row in db.execute(statement, values)])


def _with_gaps(db: Connection, found: list[CohortStatus]) -> list[CohortStatus]:
    """Add the pages that are missing from exports that are late or stalled, with one statement where there are any."""
    silent = [cohort.session.id for cohort in found if cohort.session and cohort.state in {"late", "stalled"}]
    gaps = progress.gaps(db, silent)
    return [
        replace(cohort, session=replace(cohort.session, missing=gaps[cohort.session.id]))
        if cohort.session and cohort.session.id in gaps
        else cohort
        for cohort in found
    ]


def cohort_status(row: Row[Any], now: int) -> CohortStatus:
    """Return what one row of the statement means."""
    recent = json.loads(row.recent or "[]") if isinstance(row.recent, str | None) else row.recent
    return CohortStatus(
        now=now,
        id=row.id,
        project_id=row.project_id,
        mixpanel_cohort_id=row.mixpanel_cohort_id,
        name=row.name,
        member_count=row.member_count,
        last_synced_at=row.last_synced_at,
        last_call_at=row.last_call_at,
        guard_percent=row.guard_percent,
        connection_id=row.connection_id,
        connection=row.connection,
        connection_enabled=row.connection is None or bool(row.connection_enabled),
        rhythm=_rhythm(row, recent or [(row.last_call_at, "members")], now),
        session=None if row.session_id is None else _unfinished(row),
        refusals=int(row.refusals or 0),
        failure=last_failure(row),
    )


def _rhythm(row: Row[Any], recent: list[tuple[int, str]], now: int) -> Rhythm:
    learned = cadence.learn(((start, action) for start, action in recent), now)
    if row.mixpanel_cohort_id.startswith(SIMULATED):
        return Rhythm(learned.last_beat, None, "one_time")
    return learned


def _unfinished(row: Row[Any]) -> Unfinished:
    fields = {name: getattr(row, name) for name in Unfinished.__dataclass_fields__ if name not in {"id", "missing"}}
    return Unfinished(id=row.session_id, **fields)


def last_failure(row: Row[Any]) -> LastFailure | None:
    if row.failure_id is None:
        return None
    return LastFailure(row.failure_id, row.failure_status, row.cause, row.message, row.failed_at)


def is_paused(failure: LastFailure | None) -> bool:
    return failure is not None and failure.pauses


def is_failing(refusals: int, failure: LastFailure | None) -> bool:
    return refusals >= REFUSALS_IN_A_ROW or is_paused(failure)
