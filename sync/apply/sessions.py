"""Sessions: which one a page belongs to, what has come of it, and whether it is complete."""

from dataclasses import dataclass

from sqlalchemy import Connection

from models.sessions import IS_UNFINISHED
from models.statement import Statement
from sync.apply import cohorts
from sync.apply.cohorts import CohortState
from sync.apply.session_counts import EarlierPage, SessionCounts
from sync.contract.page import Page
from sync.rules import Rules

# In the order of SessionState's fields, those of SessionCounts first.
_COLUMNS = """s.received, s.entered, s.left_count, s.unchanged, s.rejected, s.replayed, s.first_change, s.last_change,
    s.id, s.cohort_id, s.number, s.mixpanel_session_id, s.action, s.connection_id, s.status, s.unclear, s.total_pages,
    s.pages_received, s.started_at, s.last_page_at, s.completed_at, s.settles_at, s.held_at, s.would_leave,
    s.would_leave_of, s.decision, s.held_for, s.replaced"""

_BY_PAGE = f"""
    SELECT {_COLUMNS}, p.body_digest, p.received AS page_received, p.unchanged AS page_unchanged,
        p.rejected AS page_rejected
    FROM sync_session s LEFT JOIN sync_page p ON p.session_id = s.id AND p.page = :page
    WHERE s.cohort_id = :cohort_id AND s.mixpanel_session_id = :session_id AND s.action = :action"""  # noqa: S608

_WITH_ID = Statement(_BY_PAGE)

# S8: without a session id, calls close together form one session; what lies far ahead is not close, the clock was set
# back since. A diff also has to follow directly: an add, a remove and the same add again are three changes, not a
# change and a replay.
_WITHOUT_ID = Statement(
    _BY_PAGE
    + """ AND s.last_page_at > :close_since AND s.last_page_at < :close_until AND s.status <> 'superseded'
    AND s.number >= :oldest ORDER BY s.number DESC LIMIT 1"""
)

_BY_ID = Statement(f"SELECT {_COLUMNS} FROM sync_session s WHERE s.id = :id")  # noqa: S608

_BY_NUMBER = Statement(f"SELECT {_COLUMNS} FROM sync_session s WHERE s.cohort_id = :cohort_id AND s.number = :number")  # noqa: S608

_OPEN = Statement("""
    INSERT INTO sync_session (cohort_id, number, mixpanel_session_id, action, connection_id, status, unclear,
        total_pages, pages_received, received, entered, left_count, unchanged, rejected, replayed, first_change,
        last_change, started_at, last_page_at, completed_at, settles_at, held_at, would_leave, would_leave_of, decision,
        held_for, replaced)
    VALUES (:cohort_id, :number, :mixpanel_session_id, :action, :connection_id, :status, :unclear, :total_pages,
        :pages_received, :received, :entered, :left_count, :unchanged, :rejected, :replayed, :first_change,
        :last_change, :started_at, :last_page_at, :completed_at, :settles_at, :held_at, :would_leave, :would_leave_of,
        :decision, :held_for, :replaced)
    RETURNING id""")

_SAVE = Statement("""
    UPDATE sync_session SET status = :status, unclear = :unclear, total_pages = :total_pages,
        pages_received = :pages_received, received = :received, entered = :entered, left_count = :left_count,
        unchanged = :unchanged, rejected = :rejected, replayed = :replayed, first_change = :first_change,
        last_change = :last_change, last_page_at = :last_page_at, completed_at = :completed_at,
        settles_at = :settles_at, held_at = :held_at, would_leave = :would_leave, would_leave_of = :would_leave_of,
        decision = :decision, held_for = :held_for, replaced = :replaced
    WHERE id = :id""")

_SUPERSEDE = Statement(f"""
    UPDATE sync_session SET status = 'superseded', settles_at = NULL
    WHERE cohort_id = :cohort_id AND number < :number AND action = 'members'
        AND {IS_UNFINISHED}""")  # noqa: S608

_COUNT_PAGES = Statement("SELECT count(*) FROM sync_page WHERE session_id = :session_id AND page <= :total")


@dataclass
class SessionState(SessionCounts):
    """A session's row under its cohort's lock; `id` is 0 until it is saved for the first time."""

    id: int
    cohort_id: int
    number: int
    mixpanel_session_id: str
    action: str
    connection_id: int
    status: str
    unclear: bool
    total_pages: int | None
    pages_received: int
    started_at: int
    last_page_at: int
    completed_at: int | None
    settles_at: int | None
    held_at: int | None
    would_leave: int | None
    would_leave_of: int | None
    decision: str | None
    held_for: str | None
    replaced: int = 0

    @property
    def is_refresh(self) -> bool:
        return self.action == "members"

    @property
    def has_all_pages(self) -> bool:
        """Whether every page that the session is known to have is here. Without a total, what came is all."""
        return self.total_pages is None or self.pages_received >= self.total_pages

    @property
    def is_rejected(self) -> bool:
        return self.decision == "rejected"

    @property
    def is_judged(self) -> bool:
        """Whether the removal guard has looked at this sweep, which may take many steps and be taken up again."""
        return self.would_leave_of is not None

    def open(self) -> None:
        """Take back the session's end, because a page changes it: it has to come to an end anew (S8)."""
        self.status = "receiving"
        self.settles_at = self.completed_at = None
        self.held_at = self.would_leave = self.would_leave_of = self.decision = self.held_for = None

    def is_overtaken(self, cohort: CohortState) -> bool:
        """Whether this session's pages change nothing any more (S9): a newer refresh has begun after this one, or
        one that is newer than this diff is complete and so has had the last word on everybody; or an operator has
        rejected this refresh."""
        if self.is_refresh:
            return self.number < cohort.newest_refresh or self.is_rejected
        return self.number < cohort.complete_refresh

    def settle(self, until: int) -> None:
        """Wait for further pages until then, because nobody can know whether all are here (S8)."""
        self.status, self.settles_at = "settling", until

    def complete(self, cohort: CohortState, now: int) -> None:
        """End the session. A complete refresh has had its word on everybody in the cohort (S9)."""
        self.status, self.completed_at, self.settles_at = "complete", now, None
        if self.is_refresh:
            cohort.complete_refresh = max(cohort.complete_refresh, self.number)
        cohort.synced(now)


def join(
    db: Connection, cohort: CohortState, page: Page, rules: Rules, connection_id: int, now: int
) -> tuple[SessionState, EarlierPage | None]:
    """Return the session that `page` belongs to, opened if it is its first page, and the page's earlier version if
    there is one."""
    values = {"cohort_id": cohort.id, "session_id": page.session_id, "action": page.action, "page": page.key}
    if cohort.session_count == 0:
        row = None
    elif page.session_id:
        row = _WITH_ID.first(db, values)
    else:
        oldest = 0 if page.is_refresh else cohort.session_count
        close = {"close_since": now - rules.settle, "close_until": now + rules.settle, "oldest": oldest}
        row = _WITHOUT_ID.first(db, values | close)
    if row is None:
        return _opened(db, cohort, page, connection_id, now), None
    *columns, digest, received, unchanged, rejected = row
    session = SessionState(*columns)
    return session, None if digest is None else EarlierPage(bytes(digest), received, unchanged, rejected)


def _opened(db: Connection, cohort: CohortState, page: Page, connection_id: int, now: int) -> SessionState:
    cohort.session_count += 1
    number = cohort.session_count
    if page.is_refresh:
        if cohort.newest_refresh:  # also where it was complete: another version of a page may have opened it again
            _SUPERSEDE.run(db, {"cohort_id": cohort.id, "number": number})
        cohort.newest_refresh = number
    return new(cohort.id, number, page.session_id, page.action, connection_id, now)


def new(
    cohort_id: int,
    number: int,
    mixpanel_session_id: str,
    action: str,
    connection_id: int,
    now: int,
    *,
    status: str = "receiving",
    completed_at: int | None = None,
) -> SessionState:
    """Return a session without pages, which is not saved yet."""
    return SessionState(
        id=0,
        cohort_id=cohort_id,
        number=number,
        mixpanel_session_id=mixpanel_session_id,
        action=action,
        connection_id=connection_id,
        status=status,
        unclear=False,
        total_pages=None,
        pages_received=0,
        received=0,
        entered=0,
        left_count=0,
        unchanged=0,
        rejected=0,
        replayed=0,
        first_change=0,
        last_change=0,
        started_at=now,
        last_page_at=now,
        completed_at=completed_at,
        settles_at=None,
        held_at=None,
        would_leave=None,
        would_leave_of=None,
        decision=None,
        held_for=None,
    )


def by_id(db: Connection, session_id: int) -> SessionState | None:
    row = _BY_ID.first(db, {"id": session_id})
    return None if row is None else SessionState(*row)


def by_number(db: Connection, cohort_id: int, number: int) -> SessionState:
    return SessionState(*_BY_NUMBER.one(db, {"cohort_id": cohort_id, "number": number}))


def locked(db: Connection, session_id: int) -> tuple[CohortState, SessionState] | None:
    """Lock the session's cohort, and return both; None where there is no such session."""
    session = by_id(db, session_id)
    if session is None:
        return None
    cohort = cohorts.lock_by_id(db, session.cohort_id)
    return cohort, by_number(db, session.cohort_id, session.number)  # again: the lock may have made us wait


def take_in(db: Connection, session: SessionState, page: Page, earlier: EarlierPage | None, now: int) -> None:
    """Count `page` in, and note what makes the session's end unclear (S8)."""
    session.last_page_at = now
    session.replaced += page.replaced
    session.count_rejected(page, earlier)
    if page.number is None or not page.session_id or earlier is not None:
        session.unclear = True
    if earlier is None:
        session.pages_received += 1
    if page.total is not None and page.total != session.total_pages:
        if session.total_pages is not None:
            session.unclear = True
            _recount(db, session, page, new=earlier is None)
        session.total_pages = page.total


def _recount(db: Connection, session: SessionState, page: Page, *, new: bool) -> None:
    """Count the session's pages anew: its total has changed, and pages past it are no part of the export any more."""
    (known,) = _COUNT_PAGES.one(db, {"session_id": session.id, "total": page.total})
    session.pages_received = known + (1 if new else 0)


def replay(db: Connection, session: SessionState, rules: Rules, now: int) -> None:
    """Note that a page came once more: the session is alive (S13), and what settles begins to wait anew (S8)."""
    session.replayed += 1
    session.last_page_at = now
    if session.status == "stalled":
        session.status = "receiving"
    if session.status == "settling":
        session.settles_at = now + rules.settle
    save(db, session)


def save(db: Connection, session: SessionState) -> None:
    """Write the row, and give a new one its id."""
    if session.id:
        _SAVE.run(db, vars(session))
    else:
        (session.id,) = _OPEN.one(db, vars(session))
