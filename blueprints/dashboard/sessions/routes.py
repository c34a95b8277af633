"""Sessions: Mixpanel's exports as a list, and one of them with its pages as it goes on."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from sqlalchemy import Connection, text

from blueprints import paging, rows
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.sessions import day as session_day
from blueprints.dashboard.sessions import listing
from blueprints.dashboard.sessions import pages as session_pages
from blueprints.dashboard.sessions import words as session_words
from blueprints.dashboard.sessions.filters import CHANGES, KINDS, STATUSES, STRETCHES, SessionFilters
from blueprints.dashboard.sessions.session import Session, find
from blueprints.dashboard.sessions.words import RUNNING
from config.words import _
from runtime import current_runtime
from sync.status import cohort as cohort_status
from sync.status import progress

_CONNECTIONS = text("SELECT name FROM connection ORDER BY name LIMIT 500")

_REFUSED = text("""
    SELECT id, last_at, count, status, message, action FROM failure
    WHERE cohort_id = :cohort_id AND project_id = :project_id AND last_at BETWEEN :since AND :until
    ORDER BY last_at DESC LIMIT 5""")


# --- the list


@blueprint.get("/sessions")
def list_sessions() -> str:
    def read(db: Connection) -> tuple[dict[str, Any], list[str]]:
        return _listed(db), list(db.execute(_CONNECTIONS).scalars())

    seen, connections = reading.read(read)
    chosen = seen["filters"].connection
    return render_template(
        "dashboard/sessions/list.html",
        **seen,
        connections=connections + [chosen] * (chosen not in ("", *connections)),
        kinds={name: _(word) for name, (word, _actions) in KINDS.items()},
        stretches={name: _(word) for name, (word, _length) in STRETCHES.items()},
        changes={name: _(word) for name, word in CHANGES.items()},
    )


@blueprint.get("/sessions/now")
def list_sessions_now() -> str:
    """The list without its filters; it asks for itself again."""
    return render_template("dashboard/sessions/_list.html", alone=True, **reading.read(_listed))


def _listed(db: Connection) -> dict[str, Any]:
    now, filters = current_runtime().clock(), SessionFilters.of(request.args)
    found = listing.read(db, filters, now)
    return {
        "found": found,
        "filters": filters,
        "day": session_day.read(db, now),
        "statuses": {name: _(word) for name, word in STATUSES.items()},
        "running": RUNNING,
        "words": session_words,
        "pages": paging.pager(0, found.following, kept=filters.chosen, endpoint="dashboard.list_sessions"),
    }


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

    session, arrivals, refused, kind = reading.read(read)
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
