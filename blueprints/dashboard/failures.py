"""Failures: refused calls grouped by cause, and one of them with what Mixpanel does next about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import abort, render_template, request
from sqlalchemy import Connection, TextClause, text

from blueprints import rows
from blueprints.dashboard import blueprint, reading, refused_requests
from blueprints.dashboard.refused_requests import Told
from blueprints.urls import can_be_stored, storable
from config.clock import DAY
from config.words import _, later
from models.queries.failures import is_over, last_taken, taken_since
from runtime import current_runtime
from sync.status import remedies
from sync.status.remedies import NextStep

MOST = 100  # groups on a page
STRETCHES = {
    "24h": (later("Last 24 hours"), DAY),
    "7d": (later("Last 7 days"), 7 * DAY),
    "90d": (later("Last 90 days"), 90 * DAY),
}
USUAL = "7d"
STATUSES = (400, 401, 404, 405, 429, 500, 503)

# The rows of a stretch are few: repeats within a minute share one, and old ones are pruned.
_GROUPS = """
    SELECT f.status, f.cause, f.connection, f.cohort_id, f.times, f.first_at, f.last_at, f.newest,
        count(*) OVER () AS groups, c.id AS our_cohort_id, c.name AS cohort_name, c.last_call_at,
        k.id AS our_connection_id
    FROM (
        SELECT status, cause, connection, project_id, cohort_id, sum(count) AS times, min(at) AS first_at,
            max(last_at) AS last_at, max(id) AS newest
        FROM failure WHERE at >= :since {wanted}
        GROUP BY status, cause, connection, project_id, cohort_id
    ) f
    LEFT JOIN cohort c ON c.project_id = f.project_id AND c.mixpanel_cohort_id = f.cohort_id
    LEFT JOIN connection k ON k.name = f.connection
    ORDER BY f.last_at DESC, f.newest DESC LIMIT :most"""

_CHOICES = text("""
    SELECT 'cause' AS what, cause AS word FROM failure WHERE at >= :since GROUP BY cause
    UNION ALL SELECT 'connection', name FROM (SELECT name FROM connection ORDER BY name LIMIT 500) k
    ORDER BY 1, 2""")

_ANY = text("SELECT 1 FROM failure LIMIT 1")

_ONE = text("""
    SELECT f.id, f.at, f.last_at, f.count, f.status, f.cause, f.message, f.connection, f.project_id, f.cohort_id,
        f.action, f.body_bytes, f.request_id, f.traceback, c.id AS our_cohort_id, c.name AS cohort_name, c.last_call_at,
        k.id AS our_connection_id
    FROM failure f
    LEFT JOIN cohort c ON c.project_id = f.project_id AND c.mixpanel_cohort_id = f.cohort_id
    LEFT JOIN connection k ON k.name = f.connection
    WHERE f.id = :id""")

_SAME_CAUSE = text("""
    SELECT f.id, f.at, f.last_at, f.count, f.connection, c.name AS cohort_name, f.cohort_id, f.message
    FROM (
        SELECT * FROM failure WHERE status = :status AND cause = :cause AND id <> :id ORDER BY id DESC LIMIT 10
    ) f
    LEFT JOIN cohort c ON c.project_id = f.project_id AND c.mixpanel_cohort_id = f.cohort_id
    ORDER BY f.id DESC""")


class FailureFilters(NamedTuple):
    """The filters in the address; empty where there is none."""

    stretch: str = USUAL
    status: str = ""
    connection: str = ""
    cause: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "FailureFilters":
        stretch, status = given.get("stretch", ""), given.get("status", "")
        connection, cause = given.get("connection", ""), given.get("cause", "")
        return cls(
            stretch if stretch in STRETCHES else USUAL,
            status if status in map(str, STATUSES) else "",
            storable(connection),
            storable(cause),
        )

    @property
    def are_any(self) -> bool:
        return bool(self.status or self.connection or self.cause)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What a failure, or a group of them, is about: `our_*` are None where nothing of ours has that name or id. Times
    are milliseconds since 1970, `last_call_at` is when a call of the cohort was last taken."""

    status: int
    cause: str
    connection: str | None
    cohort_id: str | None
    last_at: int
    our_cohort_id: int | None
    cohort_name: str | None
    last_call_at: int | None
    our_connection_id: int | None

    @property
    def title(self) -> str:
        return remedies.title(self.cause)

    @property
    def next_step(self) -> NextStep:
        return remedies.after(self.status, self.cause)


@dataclass(frozen=True, kw_only=True)
class Group(Cause):
    """Failures of one status, cause, connection and cohort, `newest` the id of the last of them; there are so many
    `groups`."""

    times: int
    first_at: int
    newest: int
    groups: int


@dataclass(frozen=True, kw_only=True)
class Failure(Cause):
    """One failure with all that is kept of it; its repeats are counted."""

    id: int
    at: int
    count: int
    message: str
    project_id: str | None
    action: str | None
    body_bytes: int | None
    request_id: str
    traceback: str | None


@dataclass(frozen=True)
class SameCause:
    """Another failure of the same status and cause."""

    id: int
    at: int
    last_at: int
    count: int
    connection: str | None
    cohort_name: str | None
    cohort_id: str | None
    message: str


class Choice(NamedTuple):
    """What a select offers: `what` is its name."""

    what: str
    word: str


@blueprint.get("/failures")
def list_failures() -> str:
    runtime = current_runtime()
    filters = FailureFilters.of(request.args)
    statement, values = _grouped(filters, runtime.clock())

    def read(db: Connection) -> tuple[list[Group], list[Choice], dict[str, int], bool]:
        groups = rows.every(db.execute(statement, values), Group)
        choices = rows.every(db.execute(_CHOICES, {"since": values["since"]}), Choice)
        return groups, choices, last_taken(db), bool(groups) or db.execute(_ANY).first() is not None

    groups, choices, taken, are_there_any = reading.read(read)
    causes = _chosen_too([row.word for row in choices if row.what == "cause"], filters.cause)
    return render_template(
        "dashboard/failures/list.html",
        groups=[(group, is_over(group, taken)) for group in groups],
        more=max(0, groups[0].groups - MOST) if groups else 0,
        are_there_any=are_there_any,
        filters=filters,
        stretches={name: _(word) for name, (word, _length) in STRETCHES.items()},
        statuses=STATUSES,
        causes=[(cause, remedies.title(cause)) for cause in causes],
        connections=_chosen_too([row.word for row in choices if row.what == "connection"], filters.connection),
    )


def _grouped(filters: FailureFilters, now: int) -> tuple[TextClause, dict[str, Any]]:
    """The statement for these filters, and its values."""
    values: dict[str, Any] = {"since": now - STRETCHES[filters.stretch][1], "most": MOST}
    if filters.status:
        values["status"] = int(filters.status)
    for name in ("connection", "cause"):
        if getattr(filters, name):
            values[name] = getattr(filters, name)
    wanted = "".join(f" AND {name} = :{name}" for name in ("status", "connection", "cause") if name in values)
    return text(_GROUPS.format(wanted=wanted)), values


def _chosen_too(choices: list[str], chosen: str) -> list[str]:
    """Add what a link has chosen to what a select offers, where it is not among it."""
    return choices if not chosen or chosen in choices else [*choices, chosen]


@blueprint.get("/failures/<int:failure_id>")
def show_failure(failure_id: int) -> str:
    def read(db: Connection) -> tuple[Failure, list[SameCause], int, Told | None]:
        failure = rows.one_or_none(db.execute(_ONE, {"id": failure_id}), Failure) if can_be_stored(failure_id) else None
        if failure is None:
            abort(404)
        values = {"id": failure.id, "status": failure.status, "cause": failure.cause}
        others = rows.every(db.execute(_SAME_CAUSE, values), SameCause)
        return failure, others, taken_since(failure, last_taken(db)), refused_requests.told(db, failure.id)

    failure, others, taken_at, asked = current_runtime().database.read(read)
    return render_template(
        "dashboard/failures/one.html",
        failure=failure,
        others=others,
        taken_at=taken_at,
        asked=asked,
        title=failure.title,
        next_step=failure.next_step,
        pauses=remedies.pauses(failure.status),
    )
