"""Who leaves at the end of a refresh: whoever its pages did not name (S5), unless a newer session changed them (S9)."""

from collections.abc import Container, Iterator

from sqlalchemy import Connection, text

from models.statement import Statement
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
    """Yield the encoded ids of each page of the session, in its latest version, without the page `besides`."""
    total = session.total_pages if session.is_refresh and session.total_pages is not None else _NO_TOTAL
    values = {"session_id": session.id, "total": total, "besides": besides}
    result = db.execute(_SEEN, values, execution_options={"yield_per": 500})
    return (bytes(row.seen) for row in result)


def named(db: Connection, session: SessionState, besides: int = _NO_PAGE) -> set[int]:
    """Return the ids of the people whom the session's pages have named so far, without the page `besides`."""
    if not session.id or session.pages_received == (0 if besides == _NO_PAGE else 1):
        return set()
    return {person_id for blob in blobs(db, session, besides) if blob for person_id in decode(blob)}


def unnamed(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = ALL_IDS
) -> Iterator[int]:
    """Yield the ids of the members who are to leave, ascending: those with `first <= id < last` who are not among
    `stayers` and of whom no newer session has spoken (S9). All members of that stretch are in memory at once: see
    `spans`."""
    found = _IDS.all(db, _stretch(session, first, last), binary=True)
    return (person_id for (person_id,) in found if person_id not in stayers)


def _stretch(session: SessionState, first: int, last: int) -> dict[str, int]:
    return {"cohort_id": session.cohort_id, "newest": session.number, "first": first, "last": last}


def spans(first: int, last: int, span: int = SPAN) -> Iterator[tuple[int, int]]:
    """Divide the ids from `first` up to `last` into parts that memory holds."""
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
    """Yield the members with `first <= id < last` who are not among `stayers`, as rows for the end of the log."""
    change_number = cohort.change_count
    members = _STAYS.all(db, _stretch(session, first, last), binary=True)
    for person_id, entered_at, entry_number, previous in members:
        if person_id not in stayers:
            change_number += 1
            yield (person_id, entered_at, now, entry_number, change_number, False, previous)


def newcomers(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = ALL_IDS
) -> int:
    """Count those of `stayers` with `first <= id < last` who have entered by this session. It may have entered others
    too: those whom the latest version of a page names no more."""
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "first": first, "last": last}
    changes = {"first_change": session.first_change, "last_change": session.last_change}
    result = db.execute(_ENTERED, values | changes, execution_options={"yield_per": FETCH})
    return sum(person_id in stayers for person_id in result.scalars())


def entered_among(db: Connection, session: SessionState, stayers: Container[int]) -> int:
    """Count those of `stayers` who have entered by this session; with one version a page, these are all who have."""
    return newcomers(db, session, stayers) if session.unclear else session.entered
