"""Sessions: Mixpanel's exports as a list, and one of them with its pages as it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import render_template, request
from sqlalchemy import Connection, TextClause, text

from blueprints import paging, rows, urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.sessions import pages as session_pages
from blueprints.dashboard.sessions import words as session_words
from blueprints.dashboard.sessions.session import COLUMNS, ListedSession, Session, find
from blueprints.dashboard.sessions.words import RUNNING, STATES
from blueprints.paging import AFTER_ALL
from blueprints.urls import storable
from models.sessions import IS_UNFINISHED, UNFINISHED
from runtime import current_runtime
from sync import erasure
from sync.status import cohort as cohort_status
from sync.status import progress

PAGE = 50

KINDS = {
    "refresh": ("Refreshes", ("members",)),
    "diff": ("Diffs", ("add_members", "remove_members")),
    "added": ("Diffs that add", ("add_members",)),
    "removed": ("Diffs that remove", ("remove_members",)),
    "erased": ("Erasures", (erasure.ACTION,)),
}
# Late is not asked for: it is said of what is being received.
STATUSES = {"running": "Under way"} | {status: word for status, (_tone, word) in STATES.items() if status != "late"}

_CONNECTIONS = text("SELECT name FROM connection ORDER BY name LIMIT 500")

_REFUSED = text("""
    SELECT id, last_at, count, status, message, action FROM failure
    WHERE cohort_id = :cohort_id AND project_id = :project_id AND last_at BETWEEN :since AND :until
    ORDER BY last_at DESC LIMIT 5""")


# --- the list


class SessionFilters(NamedTuple):
    """The filters in the address; empty where there is none. `before` is an id."""

    status: str = ""
    kind: str = ""
    connection: str = ""
    cohort: str = ""
    before: int = AFTER_ALL

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "SessionFilters":
        status, kind, connection = given.get("status", ""), given.get("kind", ""), given.get("connection", "")
        cohort = given.get("cohort", "").strip()
        return cls(
            status if status in STATUSES else "",
            kind if kind in KINDS else "",
            storable(connection),
            storable(cohort),
            urls.key(given.get("before", ""), AFTER_ALL),
        )

    @property
    def chosen(self) -> dict[str, str]:
        """Return the filters that are set, as parameters of an address."""
        return {name: value for name, value in self._asdict().items() if value and name != "before"}


@blueprint.get("/sessions")
def list_sessions() -> str:
    filters = SessionFilters.of(request.args)
    statement, values = _listing(filters)

    def read(db: Connection) -> tuple[list[ListedSession], list[str]]:
        found = rows.every(db.execute(statement, values), ListedSession)
        return found, list(db.execute(_CONNECTIONS).scalars())

    found, connections = current_runtime().database.read(read)
    shown, last = paging.split(found, PAGE)
    return render_template(
        "dashboard/sessions/list.html",
        sessions=shown,
        connections=connections + [filters.connection] * (filters.connection not in ("", *connections)),
        filters=filters,
        pages=paging.pager(len(shown), last.id if last else None, kept=filters.chosen),
        kinds={name: word for name, (word, _actions) in KINDS.items()},
        statuses=STATUSES,
        words=session_words,
    )


def _listing(filters: SessionFilters) -> tuple[TextClause, dict[str, Any]]:
    """The statement for these filters. CROSS JOIN and the plus before a column are for the planners: see
    `blueprints.api.sessions`."""
    statuses = RUNNING if filters.status == "running" else (filters.status,)
    unfinished = filters.status == "running" or filters.status in UNFINISHED
    order = f"{'+' if unfinished else ''}s.id"
    wanted = [f"{order} < :before"]
    if filters.status:
        wanted.append(f"s.status IN {_listed(statuses)}")
    if unfinished:
        wanted.append(f"s.{IS_UNFINISHED}")
    if filters.kind:
        wanted.append(f"s.action IN {_listed(KINDS[filters.kind][1])}")
    if filters.connection:
        wanted.append("k.name = :connection")
    if filters.cohort:
        wanted.append("(lower(c.name) LIKE lower(:like) ESCAPE '!' OR c.mixpanel_cohort_id = :cohort)")
    statement = text(f"""
        SELECT {COLUMNS} FROM sync_session s CROSS JOIN cohort c LEFT JOIN connection k ON k.id = s.connection_id
        WHERE c.id = s.cohort_id AND {" AND ".join(wanted)} ORDER BY {order} DESC LIMIT {PAGE + 1}""")  # noqa: S608
    values: dict[str, Any] = {"before": filters.before}
    if filters.connection:
        values["connection"] = filters.connection
    if filters.cohort:
        values |= {"cohort": filters.cohort, "like": f"%{_literal(filters.cohort)}%"}
    return statement, values


def _listed(words: tuple[str, ...]) -> str:
    """Words of ours as a list in SQL."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def _literal(searched: str) -> str:
    """For LIKE: its own signs stand for themselves."""
    return searched.replace("!", "!!").replace("%", "!%").replace("_", "!_")


# --- one session


@dataclass(frozen=True)
class RefusedCall:
    """A call of its cohort that was refused while it ran; `count` times by `last_at`."""

    id: int
    last_at: int
    count: int
    status: int
    message: str
    action: str | None


@blueprint.get("/sessions/<int:session_id>")
def show_session(session_id: int) -> str:
    return render_template("dashboard/sessions/session.html", **_seen_now(session_id))


@blueprint.get("/sessions/<int:session_id>/now")
def show_session_now(session_id: int) -> str:
    """The page without its frame; it asks for itself again while the session runs."""
    return render_template("dashboard/sessions/_now.html", **_seen_now(session_id))


def _seen_now(session_id: int) -> dict[str, Any]:
    runtime = current_runtime()
    now = runtime.clock()

    def read(db: Connection) -> tuple[Session, list[session_pages.Arrival], list[RefusedCall], str]:
        session = find(db, session_id)
        refused = rows.every(db.execute(_REFUSED, _while_it_ran(session, now)), RefusedCall)
        is_over = session.status != "stalled"
        kind = "" if is_over else cohort_status.cohort_statuses(db, now, session.cohort_id)[0].rhythm.kind
        return session, session_pages.read(db, session_id), refused, kind

    session, arrivals, refused, kind = runtime.database.read(read)
    refused_at = next((refusal.last_at for refusal in refused if refusal.action == session.action), None)
    pages = session_pages.arrange(session, arrivals, refused_at)
    if progress.state(session, now) in {"late", "stalled"}:  # what it once made a second says nothing of now
        pages.pace, pages.due = pages.pace._replace(per_second=None, expected_at=None), None
    return {
        "session": session,
        "pages": pages,
        "refused": refused,
        "runs": session.status in RUNNING,
        "title": session_words.what(session.action, session.label),
        "state": session_words.state(session, now),
        "headline": session_words.headline(session, pages.pace.expected_at, now),
        "what_next": session_words.what_next(session, pages.missing, kind, now),
        "counts": session_words.counts(session),
        "took": session_words.took(session, now),
    }


def _while_it_ran(session: Session, now: int) -> dict[str, Any]:
    ended = session.completed_at or (session.last_page_at if session.status == "superseded" else now)
    return {
        "cohort_id": session.mixpanel_cohort_id,
        "project_id": session.project_id,
        "since": session.started_at,
        "until": ended,
    }
