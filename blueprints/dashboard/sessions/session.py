"""A session as the dashboard's pages read it: its row with its cohort's and its connection's names."""

from dataclasses import dataclass, fields

from flask import abort
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.urls import can_be_stored


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """What every page shows of a session: columns of `sync_session`. Times are milliseconds since 1970."""

    id: int
    cohort_id: int
    number: int
    action: str
    status: str
    decision: str | None
    total_pages: int | None
    pages_received: int
    received: int
    entered: int
    left_count: int
    unchanged: int
    rejected: int
    started_at: int
    last_page_at: int
    completed_at: int | None


OF_EVERY = ", ".join(f"s.{field.name}" for field in fields(SessionRow))
COLUMNS = f"""{OF_EVERY}, s.mixpanel_session_id, s.replayed,
    coalesce(nullif(c.name, ''), c.mixpanel_cohort_id) AS label, k.name AS connection"""

_ONE = text(f"""
    SELECT {COLUMNS}, s.unclear, s.first_change, s.last_change, s.settles_at, s.held_at, s.would_leave,
        s.would_leave_of, s.held_for, s.replaced, c.project_id, c.mixpanel_cohort_id, c.log_gone, (
            SELECT n.id FROM sync_session n WHERE n.cohort_id = s.cohort_id AND n.number = c.newest_refresh
        ) AS newest_refresh
    FROM sync_session s JOIN cohort c ON c.id = s.cohort_id LEFT JOIN connection k ON k.id = s.connection_id
    WHERE s.id = :id""")  # noqa: S608 - our own columns


@dataclass(frozen=True, kw_only=True)
class ListedSession(SessionRow):
    """A session in the list: COLUMNS. `label` is its cohort's name."""

    mixpanel_session_id: str
    replayed: int
    label: str
    connection: str | None


@dataclass(frozen=True, kw_only=True)
class Session(ListedSession):
    """One session with all that its own pages say. `first_change` and `last_change` are numbers of its cohort's log
    (S11), `newest_refresh` is the id of a session."""

    unclear: bool
    first_change: int
    last_change: int
    settles_at: int | None
    held_at: int | None
    would_leave: int | None
    would_leave_of: int | None
    held_for: str | None
    replaced: int
    project_id: str
    mixpanel_cohort_id: str
    log_gone: int
    newest_refresh: int | None


def find(db: Connection, session_id: int) -> Session:
    """The session of a page's address. Answers 404 where there is none."""
    found = rows.one_or_none(db.execute(_ONE, {"id": session_id}), Session) if can_be_stored(session_id) else None
    return found or abort(404)
