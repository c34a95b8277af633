"""The end of a refresh: whoever its pages did not name leaves (S5), unless a newer session changed them (S9)."""

from collections.abc import Collection, Container, Iterator, Sequence

from sqlalchemy import Connection, text

from models.statement import Statement
from sync import dialects
from sync.apply.cohorts import CohortState
from sync.apply.membership import Stay
from sync.apply.sessions import SessionState
from sync.id_sets import decode

# Pages past the session's total belong to an earlier attempt of the same export; negative ones came without a number.
_SEEN = text("SELECT seen FROM sync_page WHERE session_id = :session_id AND page <= :total AND page <> :besides")
_NO_TOTAL = 2**62
_NO_PAGE = 0

_ENTERED = text("""
    SELECT DISTINCT person_id FROM membership_change
    WHERE cohort_id = :cohort_id AND number BETWEEN :first_change AND :last_change AND session_id = :session_id
        AND entered AND person_id >= :first AND person_id < :last""")

ALL_IDS = 2**62
SPAN = 500_000  # ids that one statement may read where a cohort is large
FETCH = 10_000  # rows that a long answer is taken in

_MEMBERS = """
    SELECT {columns} FROM membership
    WHERE cohort_id = :cohort_id AND person_id >= :first AND person_id < :last AND left_at IS NULL
        AND session_number <= :newest
    ORDER BY person_id"""
_IDS = Statement(_MEMBERS.format(columns="person_id"))
_STAYS = Statement(_MEMBERS.format(columns="person_id, entered_at, entry_number, change_number"))


def blobs(db: Connection, session: SessionState, besides: int = _NO_PAGE) -> Iterator[bytes]:
    """What each page of the session has seen, in its latest version, without the page `besides`."""
    total = session.total_pages if session.is_refresh and session.total_pages is not None else _NO_TOTAL
    values = {"session_id": session.id, "total": total, "besides": besides}
    result = db.execute(_SEEN, values, execution_options={"yield_per": 500})
    return (bytes(row.seen) for row in result)


def named(db: Connection, session: SessionState, besides: int = _NO_PAGE) -> set[int]:
    """The people whom the session's pages have named so far, without the page `besides`."""
    if not session.id or session.pages_received == (0 if besides == _NO_PAGE else 1):
        return set()
    return {person_id for blob in blobs(db, session, besides) if blob for person_id in decode(blob)}


def unnamed(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = ALL_IDS
) -> Iterator[int]:
    """Who is to leave, by ascending id: each member with `first <= id < last` who is not among `stayers` and of whom no
    newer session has spoken (S9). All members of that stretch are in memory at once: see `spans`."""
    found = _IDS.all(db, _stretch(session, first, last), binary=True)
    return (person_id for (person_id,) in found if person_id not in stayers)


def _stretch(session: SessionState, first: int, last: int) -> dict[str, int]:
    return {"cohort_id": session.cohort_id, "newest": session.number, "first": first, "last": last}


def spans(first: int, last: int, span: int = SPAN) -> Iterator[tuple[int, int]]:
    """The ids from `first` up to `last` in parts that memory holds."""
    return ((start, min(start + span, last)) for start in range(first, last, span))


def leavers(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    stayers: Container[int],
    now: int,
    first: int = 0,
    last: int = ALL_IDS,
) -> Iterator[Stay]:
    """The members with `first <= id < last` who are not among `stayers`, as rows to write at the end of the log."""
    change_number = cohort.change_count
    members = _STAYS.all(db, _stretch(session, first, last), binary=True)
    for person_id, entered_at, entry_number, previous in members:
        if person_id not in stayers:
            change_number += 1
            yield (person_id, entered_at, now, entry_number, change_number, False, previous)


def hand_over(cohort: CohortState, session: SessionState, *, judged: bool) -> None:
    """The worker will sweep, in steps; first it asks the removal guard, where that has not judged yet."""
    session.status = "sweeping"
    if judged:
        let_go(cohort, session)


def let_go(cohort: CohortState, session: SessionState) -> None:
    """The removal guard lets the steps go on. The refresh has had its word on everybody: late pages of older diffs
    change nothing from now on, or the steps would miss those whom they let in behind them."""
    cohort.complete_refresh = max(cohort.complete_refresh, session.number)
    if not session.is_judged:
        session.would_leave_of = cohort.member_count - session.entered


def at_once(
    db: Connection, cohort: CohortState, session: SessionState, stayers: Collection[int], gone: Sequence[Stay], now: int
) -> None:
    """The whole sweep in this transaction: `gone` leave, and the refresh is complete."""
    dialects.of(db).write_stays(db, cohort.id, session.number, session.id, gone, now)
    book(cohort, session, gone)
    finish(cohort, session, len(stayers), newcomers(db, session, stayers), now)


def book(cohort: CohortState, session: SessionState, gone: Sequence[Stay]) -> None:
    """Count these exits on the cohort and the session."""
    cohort.change_count += len(gone)
    cohort.member_count -= len(gone)
    cohort.version += 1 if gone else 0
    session.count_changes(cohort, 0, len(gone))


def newcomers(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = ALL_IDS
) -> int:
    """How many of `stayers` with `first <= id < last` have entered by this session. It may have entered others too:
    those whom the latest version of a page names no more."""
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "first": first, "last": last}
    changes = {"first_change": session.first_change, "last_change": session.last_change}
    result = db.execute(_ENTERED, values | changes, execution_options={"yield_per": FETCH})
    return sum(person_id in stayers for person_id in result.scalars())


def count(session: SessionState, distinct: int, entered: int) -> None:
    """All pages are here, and the counts become exact sets (S14): `distinct` people were named, of whom `entered` have
    entered by it."""
    session.received = distinct + session.rejected
    session.unchanged = distinct - entered


def finish(cohort: CohortState, session: SessionState, distinct: int, entered: int, now: int) -> None:
    """The refresh is complete; for `distinct` and `entered` see `count`."""
    count(session, distinct, entered)
    session.status = "complete"
    session.completed_at = now
    session.settles_at = None
    cohort.complete_refresh = max(cohort.complete_refresh, session.number)
    cohort.synced(now)
