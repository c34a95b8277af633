"""Failures: refused calls grouped by cause, and one of them with what Mixpanel does next about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import abort, render_template, request
from sqlalchemy import Connection, Row, TextClause, text

from blueprints.dashboard import blueprint
from blueprints.urls import can_be_stored, storable
from config.clock import DAY
from models.queries.failures import is_over, last_taken, taken_since
from runtime import current_runtime
from sync.status import remedies
from sync.status.remedies import NextStep

MOST = 100  # groups on a page
STRETCHES = {"24h": ("Last 24 hours", DAY), "7d": ("Last 7 days", 7 * DAY), "90d": ("Last 90 days", 90 * DAY)}
USUAL = "7d"
STATUSES = (400, 401, 404, 405, 429, 500, 503)

# The rows of a stretch are few: repeats within a minute share one, and old ones are pruned.
_GROUPS = """
    SELECT f.*, count(*) OVER () AS groups, c.id AS our_cohort_id, c.name AS cohort_name, c.last_call_at,
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
    SELECT f.*, c.id AS our_cohort_id, c.name AS cohort_name, c.last_call_at, k.id AS our_connection_id
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


class Filters(NamedTuple):
    """What of the list is asked for, as the URL says it; empty where it does not."""

    stretch: str = USUAL
    status: str = ""
    connection: str = ""
    cause: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
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


@dataclass(frozen=True)
class Group:
    """Failures of one status, cause, connection and cohort; `row` has `times`, `first_at`, `last_at`, `newest`.
    `is_over` where a later call of the same cohort (or connection, where no cohort is known) was taken."""

    row: Row[Any]
    title: str
    next_step: NextStep
    is_over: bool


@blueprint.get("/failures")
def list_failures() -> str:
    runtime = current_runtime()
    filters = Filters.of(request.args)
    statement, values = _grouped(filters, runtime.clock())

    def read(db: Connection) -> tuple[list[Row[Any]], list[Row[Any]], dict[str, int], bool]:
        rows = list(db.execute(statement, values).all())
        choices = list(db.execute(_CHOICES, {"since": values["since"]}).all())
        return rows, choices, last_taken(db), bool(rows) or db.execute(_ANY).first() is not None

    rows, choices, taken, are_there_any = runtime.database.read(read)
    return render_template(
        "dashboard/failures/list.html",
        groups=[_group(row, taken) for row in rows],
        more=max(0, rows[0].groups - MOST) if rows else 0,
        are_there_any=are_there_any,
        filters=filters,
        stretches={name: word for name, (word, _length) in STRETCHES.items()},
        statuses=STATUSES,
        causes=_chosen_too([row.word for row in choices if row.what == "cause"], filters.cause),
        connections=_chosen_too([row.word for row in choices if row.what == "connection"], filters.connection),
        title_of=remedies.title,
    )


def _grouped(filters: Filters, now: int) -> tuple[TextClause, dict[str, Any]]:
    """The statement for these filters, and its values."""
    values: dict[str, Any] = {"since": now - STRETCHES[filters.stretch][1], "most": MOST}
    if filters.status:
        values["status"] = int(filters.status)
    for name in ("connection", "cause"):
        if getattr(filters, name):
            values[name] = getattr(filters, name)
    wanted = "".join(f" AND {name} = :{name}" for name in ("status", "connection", "cause") if name in values)
    return text(_GROUPS.format(wanted=wanted)), values


def _group(row: Row[Any], taken: Mapping[str, int]) -> Group:
    title, next_step = remedies.title(row.cause), remedies.after(row.status, row.cause)
    return Group(row, title, next_step, is_over(row, taken))


def _chosen_too(choices: list[str], chosen: str) -> list[str]:
    """What a select offers; a link may have chosen what is not among it."""
    return choices if not chosen or chosen in choices else [*choices, chosen]


@blueprint.get("/failures/<int:failure_id>")
def show_failure(failure_id: int) -> str:
    def read(db: Connection) -> tuple[Row[Any], list[Row[Any]], int]:
        row = db.execute(_ONE, {"id": failure_id}).one_or_none() if can_be_stored(failure_id) else None
        if row is None:
            abort(404)
        values = {"id": row.id, "status": row.status, "cause": row.cause}
        return row, list(db.execute(_SAME_CAUSE, values).all()), taken_since(row, last_taken(db))

    failure, others, taken_at = current_runtime().database.read(read)
    return render_template(
        "dashboard/failures/one.html",
        failure=failure,
        others=others,
        taken_at=taken_at,
        title=remedies.title(failure.cause),
        next_step=remedies.after(failure.status, failure.cause),
        pauses=remedies.pauses(failure.status),
    )
