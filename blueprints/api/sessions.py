"""Sessions: Mixpanel's exports, with their counts and pages."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, Row, TextClause, text

from blueprints.api import blueprint
from blueprints.api.query_types import NoQuery, RejectedListing, SessionListing
from blueprints.api.registry import operation
from blueprints.api.replies import Problem
from blueprints.api.types import (
    Page,
    RejectedMember,
    RejectedMemberOfPage,
    RejectedMembers,
    Session,
    Sessions,
    SessionWithPages,
)
from blueprints.json_types import moment
from blueprints.paging import AFTER_ALL, cut, key_of
from config.clock import iso
from models.queries import rejected
from models.sessions import IS_UNFINISHED, UNFINISHED
from runtime import current_runtime
from sync.status.progress import missing_ranges
from sync.sweep import held

_COLUMNS = """s.id, c.project_id, c.mixpanel_cohort_id, s.mixpanel_session_id, s.action, s.status, s.total_pages,
    s.pages_received, s.received, s.entered, s.left_count, s.unchanged, s.rejected, s.replayed, s.started_at,
    s.last_page_at, s.completed_at, s.number, s.held_at, s.held_for,
    s.replaced"""

_ONE = text(f"SELECT {_COLUMNS} FROM sync_session s JOIN cohort c ON c.id = s.cohort_id WHERE s.id = :id")  # noqa: S608

_PAGES = """
    SELECT p.page, p.received, p.entered, p.left_count, p.unchanged, p.rejected, p.replays, p.received_at, p.applied,
        CASE WHEN p.rejected > 0 THEN {first} END AS rejected_members
    FROM sync_page p WHERE p.session_id = :id
    ORDER BY p.page < 0, CASE WHEN p.page < 0 THEN p.received_at ELSE p.page END"""
_PAGES_BY = {dialect: text(_PAGES.format(first=first)) for dialect, first in rejected.FIRST.items()}
REJECTED = 100  # rejected members that one answer lists
OF_A_PAGE = 20  # rejected members of a page that stand with it

_decode_rejected = msgspec.json.Decoder(list[RejectedMember]).decode


@operation(blueprint, "/sessions", summary="Sync sessions", query=SessionListing, answer=Sessions)
def list_sessions(query: SessionListing) -> Sessions:
    """Mixpanel's exports, the newest first: of all cohorts, or of those that pass the filters."""
    key = "number" if query.project_id and query.cohort_id else "id"
    place = f"sessions by {key}"
    values = {
        "before": key_of(query.cursor, place, AFTER_ALL),
        "limit": query.limit + 1,
        "project_id": query.project_id,
        "cohort_id": query.cohort_id,
        "status": query.status,
    }
    statement, named = _listing(query, key)
    rows = current_runtime().database.read(
        lambda db: db.execute(statement, {name: values[name] for name in named}).all(), may_lag=True
    )
    shown, following = cut(rows, query.limit, place, lambda row: getattr(row, key))
    return Sessions([Session(**_columns(row)) for row in shown], following)


def _listing(query: SessionListing, key: str) -> tuple[TextClause, list[str]]:
    """The statement for these filters, and the values that it needs. Within one cohort the sessions' numbers run as
    their ids do, and lead straight to the newest of them.

    CROSS JOIN says where SQLite begins: at the one cohort that is asked for, else at the newest session. A plus before
    a column keeps a planner from walking along it: the few unfinished sessions have a small index of their own, whose
    condition the statement repeats.
    """
    unfinished = query.status in UNFINISHED
    order = f"{'+' if unfinished else ''}s.{key}"
    filters = {
        "before": f"{order} < :before",
        "project_id": "c.project_id = :project_id" if query.project_id else "",
        "cohort_id": "c.mixpanel_cohort_id = :cohort_id" if query.cohort_id else "",
        "status": "s.status = :status" if query.status is not UNSET else "",
    }
    if unfinished:
        filters["status"] += f" AND s.{IS_UNFINISHED}"
    tables = "cohort c CROSS JOIN sync_session s" if query.cohort_id else "sync_session s CROSS JOIN cohort c"
    wanted = " AND ".join(filter(None, filters.values()))
    statement = f"""
        SELECT {_COLUMNS} FROM {tables} WHERE c.id = s.cohort_id AND {wanted}
        ORDER BY {order} DESC LIMIT :limit"""  # noqa: S608
    return text(statement), [*(name for name, part in filters.items() if part), "limit"]


@operation(blueprint, "/sessions/<int:session_id>", summary="One sync session", answer=SessionWithPages, errors=(404,))
def show_session(_query: NoQuery, session_id: int) -> SessionWithPages:
    """One export with every page, and the ranges of pages that have not come."""

    def read(db: Connection) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
        values = {"id": session_id, "first": OF_A_PAGE}
        return db.execute(_ONE, values).one_or_none(), db.execute(_PAGES_BY[db.dialect.name], values).all()

    row, pages = current_runtime().database.read(read)
    if row is None:
        raise Problem(404, "There is no such session.")
    return SessionWithPages(
        **_columns(row),
        held_for=None if row.held_at is None else held.reason(row),
        replaced_bytes=row.replaced,
        pages=[_page(page) for page in pages],
        missing_pages=_missing_pages(row, pages),
    )


@operation(
    blueprint,
    "/sessions/<int:session_id>/rejected",
    summary="The rejected members of a session",
    query=RejectedListing,
    answer=RejectedMembers,
    errors=(404,),
)
def list_rejected(query: RejectedListing, session_id: int) -> RejectedMembers:
    """Members that could not be kept, by page. Of very many only the first are kept; the session counts them all."""
    place = f"rejected of {session_id}"
    start = key_of(query.cursor, place, 0)

    def read(db: Connection) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
        session = db.execute(_ONE, {"id": session_id}).one_or_none()
        return session, rejected.listed(db, session_id, REJECTED + 1, offset=start)

    session, rows = current_runtime().database.read(read)
    if session is None:
        raise Problem(404, "There is no such session.")
    shown, following = cut(rows, REJECTED, place, lambda _row: start + REJECTED)
    return RejectedMembers(
        [RejectedMemberOfPage(row.reason, row.value, row.page if row.page > 0 else None) for row in shown], following
    )


def _columns(row: Row[Any]) -> dict[str, Any]:
    """The fields of `Session`."""
    return {
        "id": row.id,
        "project_id": row.project_id,
        "cohort_id": row.mixpanel_cohort_id,
        "session_id": row.mixpanel_session_id or None,
        "action": row.action,
        "status": row.status,
        "total_pages": row.total_pages,
        "pages_received": row.pages_received,
        "received": row.received,
        "entered": row.entered,
        "left": row.left_count,
        "unchanged": row.unchanged,
        "rejected": row.rejected,
        "replayed": row.replayed,
        "started_at": moment(row.started_at),
        "last_page_at": moment(row.last_page_at),
        "completed_at": iso(row.completed_at),
    }


def _page(row: Row[Any]) -> Page:
    return Page(
        page=row.page if row.page > 0 else None,
        received=row.received,
        entered=row.entered,
        left=row.left_count,
        unchanged=row.unchanged,
        rejected=row.rejected,
        replays=row.replays,
        received_at=moment(row.received_at),
        applied=bool(row.applied),
        rejected_members=_decode_rejected(row.rejected_members) if row.rejected_members else [],
    )


def _missing_pages(session: Row[Any], pages: Sequence[Row[Any]]) -> list[tuple[int, int]] | None:
    if session.status == "complete" or session.total_pages is None:
        return []
    if session.pages_received and not pages:  # removed after their time
        return None
    return missing_ranges((row.page for row in pages if row.page > 0), session.total_pages)
