"""How a cohort and a connection stand: in step, under way, waiting for somebody. One statement reads all of them, and
pure functions say what it means. The words are in `sync.sayings`."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from models.queries.sessions import unfinished
from sync import nextsteps, rhythm, sayings
from sync.rhythm import Rhythm

REFUSALS_IN_A_ROW = 3  # since the last call that succeeded; a single one where it pauses the sync
SIMULATED = "simulated-"  # how the ids of cohorts begin that the dashboard's simulated exports make: nothing follows
REMEMBERED = 30 * 86_400_000  # milliseconds for which a refusal counts against a connection
REMEMBERED_UNKNOWN = 3 * 86_400_000  # the same of a cohort that was never received; its sync may be gone for good

_UNFINISHED = unfinished("number")
_REFUSED_SINCE = """
    f.cohort_id = c.mixpanel_cohort_id AND f.project_id = c.project_id AND f.last_at > c.last_call_at"""


def _cohorts(pair: str, collect: str) -> dict[bool, TextClause]:
    """The statement for all cohorts (False) and for one (True); databases differ in how they make a JSON list."""
    every = f"""
        SELECT c.id, c.project_id, c.mixpanel_cohort_id, c.name, c.member_count, c.last_synced_at, c.last_call_at,
            c.guard_percent, k.id AS connection_id, k.name AS connection, k.enabled AS connection_enabled,
            u.id AS session_id, u.status, u.action, u.total_pages, u.pages_received, u.received, u.started_at,
            u.last_page_at, u.settles_at, u.would_leave, u.would_leave_of,
            u.rejected, u.held_for,
            (SELECT {collect}({pair}(r.started_at, r.action)) FROM (
                SELECT s.started_at, s.action FROM sync_session s WHERE s.cohort_id = c.id AND s.number > 0
                ORDER BY s.number DESC LIMIT {rhythm.LOOKED_AT}) r) AS recent,
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

# Refusals that name no cohort are the connection's, and so are those that name a cohort which was never received: the
# pause after its very first call must show somewhere. They end with its first call that succeeds, or after a while.
# A cohort belongs to the connection that brought its newest session; a connection that brings none any more was last
# called when one of its passwords was last used, which is known to the minute and so may follow a refusal.
_CONNECTIONS = text("""
    WITH called AS (
        SELECT n.connection_id, max(c.last_call_at) AS at FROM cohort c
        JOIN sync_session n ON n.cohort_id = c.id AND n.number = c.session_count GROUP BY n.connection_id),
    used AS (SELECT connection_id, max(last_used_at) AS at FROM connection_password GROUP BY connection_id),
    known AS (
        SELECT k.id, k.name, k.enabled, k.created_at, coalesce(called.at, used.at) AS last_call_at,
            coalesce(called.at, used.at - 60000, 0) AS since
        FROM connection k LEFT JOIN called ON called.connection_id = k.id LEFT JOIN used ON used.connection_id = k.id),
    refused AS (
        SELECT w.id, sum(f.count) AS refusals,
            coalesce(max(CASE WHEN f.status IN (400, 401, 403, 404) THEN f.id END), max(f.id)) AS failure_id
        FROM known w JOIN failure f ON f.connection = w.name
        WHERE f.at > :after AND f.cause <> 'switched_off' AND (
            (f.cohort_id IS NULL AND f.last_at > w.since)
            OR (f.cohort_id IS NOT NULL AND f.status IN (400, 401, 403, 404) AND f.last_at > :lately AND NOT EXISTS (
                SELECT 1 FROM cohort c WHERE c.mixpanel_cohort_id = f.cohort_id
                    AND c.project_id = coalesce(f.project_id, 'unknown'))))
        GROUP BY w.id)
    SELECT w.id, w.name, w.enabled, w.created_at, w.last_call_at, r.refusals, x.id AS failure_id,
        x.status AS failure_status, x.cause, x.message, x.last_at AS failed_at
    FROM known w LEFT JOIN refused r ON r.id = w.id LEFT JOIN failure x ON x.id = r.failure_id
    ORDER BY w.id""")

# Every state of a cohort or a connection, the most urgent first, with its colour.
TONES = {
    "off": "off",
    "held": "held",
    "failing": "needs-you",
    "stalled": "waiting",
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
        return nextsteps.pauses(self.status)


@dataclass(frozen=True)
class Standing:
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
        """A key of `TONES`, never `never_called`."""
        status = self.session.status if self.session else ""
        if not self.connection_enabled:
            return "off"
        if status == "held":
            return "held"
        if _is_failing(self.refusals, self.failure):
            return "failing"
        if status:
            return status
        if self.rhythm.is_quiet(self.now, self.last_call_at):
            return "quiet"
        return "one_time" if self.rhythm.kind == "one_time" else "in_step"

    @property
    def needs_you(self) -> bool:
        """Whether nothing moves before a person acts."""
        return self.state == "held" or (self.state == "failing" and _is_paused(self.failure))

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def headline(self) -> str:
        return sayings.headline(self)

    @property
    def says(self) -> str:
        return sayings.sentence(self)


@dataclass(frozen=True)
class ConnectionStanding:
    """How one connection stands at `now`. `refusals` counts those that name no cohort, since its last call that
    succeeded; those that name a cohort are the cohort's."""

    now: int
    id: int
    name: str
    enabled: bool
    created_at: int
    last_call_at: int | None
    refusals: int
    failure: LastFailure | None
    cohorts: tuple[Standing, ...]

    @property
    def state(self) -> str:
        """never_called, in_step, quiet, failing or off."""
        if not self.enabled:
            return "off"
        if _is_failing(self.refusals, self.failure):
            return "failing"
        if self.last_call_at is None:
            return "never_called"
        recurring = [one for one in self.cohorts if one.rhythm.kind == "recurring"]
        silent = [one for one in recurring if one.rhythm.is_quiet(self.now, one.last_call_at)]
        return "quiet" if recurring and len(silent) == len(recurring) else "in_step"

    @property
    def needs_you(self) -> bool:
        return self.state == "failing" and _is_paused(self.failure)

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def headline(self) -> str:
        return sayings.connection_headline(self)

    @property
    def says(self) -> str:
        return sayings.connection_sentence(self)


def standings(db: Connection, now: int, cohort_id: int | None = None) -> list[Standing]:
    """All cohorts, or the one with this id (our own, not Mixpanel's), in the order of their first call."""
    statement = _COHORTS[db.dialect.name][cohort_id is not None]
    return [standing(row, now) for row in db.execute(statement, {} if cohort_id is None else {"id": cohort_id})]


def standing(row: Row[Any], now: int) -> Standing:
    """What one row of the statement means."""
    recent = json.loads(row.recent or "[]") if isinstance(row.recent, str | None) else row.recent
    return Standing(
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
        failure=_last_failure(row),
    )


def _rhythm(row: Row[Any], recent: list[tuple[int, str]], now: int) -> Rhythm:
    learned = rhythm.learn(((start, action) for start, action in recent), now)
    if row.mixpanel_cohort_id.startswith(SIMULATED):
        return Rhythm(learned.last_beat, None, "one_time")
    return learned


def connection_standings(
    db: Connection, now: int, cohorts: list[Standing] | None = None
) -> dict[int, ConnectionStanding]:
    """All connections by id, in the order in which they were made. Who has the cohorts' standings already hands them
    over and saves a statement."""
    cohorts = standings(db, now) if cohorts is None else cohorts
    rows = db.execute(_CONNECTIONS, {"after": now - REMEMBERED, "lately": now - REMEMBERED_UNKNOWN})
    return {row.id: _connection(row, now, cohorts) for row in rows}


def _connection(row: Row[Any], now: int, cohorts: list[Standing]) -> ConnectionStanding:
    return ConnectionStanding(
        now=now,
        id=row.id,
        name=row.name,
        enabled=bool(row.enabled),
        created_at=row.created_at,
        last_call_at=row.last_call_at,
        refusals=int(row.refusals or 0),
        failure=_last_failure(row),
        cohorts=tuple(one for one in cohorts if one.connection_id == row.id),
    )


def _unfinished(row: Row[Any]) -> Unfinished:
    fields = {name: getattr(row, name) for name in Unfinished.__dataclass_fields__ if name != "id"}
    return Unfinished(id=row.session_id, **fields)


def _last_failure(row: Row[Any]) -> LastFailure | None:
    if row.failure_id is None:
        return None
    return LastFailure(row.failure_id, row.failure_status, row.cause, row.message, row.failed_at)


def _is_paused(failure: LastFailure | None) -> bool:
    return failure is not None and failure.pauses


def _is_failing(refusals: int, failure: LastFailure | None) -> bool:
    return refusals >= REFUSALS_IN_A_ROW or _is_paused(failure)
