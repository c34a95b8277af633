"""What else there is to a cohort: its sessions, its failures, and the members that could not be kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy import Connection, bindparam, select, text

from blueprints import paging, urls
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.cohorts.head import Head, head
from blueprints.dashboard.sessions import words as session_words
from blueprints.dashboard.sessions.session import SessionRow
from blueprints.rows import every
from models.columns import columns_of
from models.queries import rejected
from models.sessions import SyncSession
from sync.contract.identity import REASONS

SHOWN = 50
REJECTED_PAGES = 25  # pages with rejected members that one list shows
OF_A_PAGE = 20  # rejected members of one page that it shows
EXAMINED = 500  # sessions that it looks at
LONGEST_VALUE = 120

_SESSIONS = (
    select(*columns_of(SyncSession, SessionRow))
    .where(
        SyncSession.cohort_id == bindparam("cohort"),
        SyncSession.number > 0,
        SyncSession.number < bindparam("before"),
    )
    .order_by(SyncSession.number.desc())
    .limit(bindparam("limit"))
)

# Exits of erased people are numbered -1, -2, -3 and so on.
_ERASURES = text("SELECT -min(number) FROM sync_session WHERE cohort_id = :cohort AND number < 0")

_FAILURES = text("""
    SELECT id, last_at, count, status, message, connection FROM failure
    WHERE cohort_id = :cohort_id AND project_id = :project_id AND (last_at, id) < (:last_at, :id)
    ORDER BY last_at DESC, id DESC LIMIT :limit""")

_REJECTED = """
    SELECT s.id, s.number, s.action, p.page, p.rejected, p.received_at, {first} AS rejected_members
    FROM (
        SELECT id, number, action FROM sync_session
        WHERE cohort_id = :cohort AND rejected > 0 AND number <= :newest AND number > :oldest
        ORDER BY number DESC LIMIT :limit) s
    CROSS JOIN sync_page p
    WHERE p.session_id = s.id AND p.rejected > 0 AND (s.number < :newest OR p.page > :page)
    ORDER BY s.number DESC, p.page LIMIT :limit"""
_REJECTED_BY = {dialect: text(_REJECTED.format(first=first)) for dialect, first in rejected.FIRST.items()}

_LATEST = text("SELECT coalesce(max(number), 0) FROM sync_session WHERE cohort_id = :cohort")

LOWEST_PAGE = -(2**62)  # pages without a number have negative ones (see models.sessions)


@dataclass(frozen=True)
class CohortFailure:
    """A call about the cohort that was refused, `count` times by `last_at`."""

    id: int
    last_at: int
    count: int
    status: int
    message: str
    connection: str | None


@dataclass(frozen=True)
class PageWithRejected:
    """A page of a session with the number of its rejected members, and the first of them as JSON."""

    id: int
    number: int
    action: str
    page: int
    rejected: int
    received_at: int
    rejected_members: str | None


@dataclass(frozen=True)
class Rejected:
    """A page's members that were not kept: (reason in words, raw value) of the first of them."""

    page: PageWithRejected
    members: list[tuple[str, str]]

    @property
    def others(self) -> int:
        return self.page.rejected - len(self.members)


@blueprint.get("/cohorts/<int:cohort_id>/sessions")
def cohort_sessions(cohort_id: int) -> str:
    before = urls.key_of_query("before") or paging.AFTER_ALL
    values = {"cohort": cohort_id, "before": before, "limit": SHOWN + 1}

    def read(db: Connection) -> tuple[Head, Sequence[SessionRow], int | None]:
        sessions = every(db.execute(_SESSIONS, values), SessionRow)
        return head(db, cohort_id), sessions, db.execute(_ERASURES, values).scalar()

    found, rows, erasures = reading.read(read)
    shown, last = paging.split(rows, SHOWN)
    return render_template(
        "dashboard/cohorts/sessions.html",
        head=found,
        sessions=shown,
        pages=paging.pager(len(shown), last.number if last else None),
        erasures=erasures,
        words=session_words,
    )


@blueprint.get("/cohorts/<int:cohort_id>/failures")
def cohort_failures(cohort_id: int) -> str:
    last_at, _, last_id = request.args.get("before", "").partition("-")
    before = {"last_at": urls.key(last_at) or paging.AFTER_ALL, "id": urls.key(last_id), "limit": SHOWN + 1}

    def read(db: Connection) -> tuple[Head, Sequence[CohortFailure]]:
        found = head(db, cohort_id)
        ids = {"project_id": found.cohort.project_id, "cohort_id": found.cohort.mixpanel_cohort_id}
        return found, every(db.execute(_FAILURES, before | ids), CohortFailure)

    found, rows = reading.read(read)
    shown, last = paging.split(rows, SHOWN)
    pages = paging.pager(len(shown), f"{last.last_at}-{last.id}" if last else None)
    return render_template("dashboard/cohorts/failures.html", head=found, failures=shown, pages=pages)


@blueprint.get("/cohorts/<int:cohort_id>/rejected")
def cohort_rejected(cohort_id: int) -> str:
    """The rejected members of the sessions, the newest first, from a session's number and a page of it on."""
    session, _, page = request.args.get("before", "").partition("-")

    def read(db: Connection) -> tuple[Head, Sequence[PageWithRejected], int]:
        found = head(db, cohort_id)
        newest = urls.key(session) or db.execute(_LATEST, {"cohort": cohort_id}).scalar_one()
        values = {"cohort": cohort_id, "newest": newest, "oldest": newest - EXAMINED, "limit": REJECTED_PAGES + 1}
        shown = {"page": urls.integer(page, 0) or LOWEST_PAGE, "first": OF_A_PAGE}
        pages = every(db.execute(_REJECTED_BY[db.dialect.name], values | shown), PageWithRejected)
        return found, pages, newest - EXAMINED

    found, rows, oldest = reading.read(read)
    pages, last = paging.split(rows, REJECTED_PAGES)
    shown = [Rejected(row, _in_words(row.rejected_members)) for row in pages]
    going_on = f"{last.number}-{last.page}" if last else oldest if oldest > 0 else None
    return render_template(
        "dashboard/cohorts/rejected.html",
        head=found,
        rejected=shown,
        pages=paging.pager(0, going_on),
        words=session_words,
    )


def _in_words(written: str | None) -> list[tuple[str, str]]:
    found: list[dict[str, str]] = json.loads(written) if written else []
    return [(REASONS.get(member["reason"], member["reason"]), _short(member["value"])) for member in found]


def _short(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
