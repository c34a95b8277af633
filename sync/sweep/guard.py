"""The removal guard: a refresh that would remove too much of a cohort, or that could not be read well enough to say who
is in it (S4), is held until an operator decides.

Its arrivals count, nobody leaves, and it is not complete. A newer refresh supersedes it (S9); where that one would
remove as much again, Mixpanel means it, and it goes through by itself. What cannot be read never does.
"""

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from models.statement import Statement
from sync.apply.cohorts import CohortState
from sync.apply.sessions import SessionState
from sync.contract.page import Page
from sync.rules import Rules
from sync.sweep import leavers, readability

_FORMER = Statement("""
    SELECT held_at, decision, held_for FROM sync_session
    WHERE cohort_id = :cohort_id AND number < :number AND action = 'members'
    ORDER BY number DESC LIMIT 1""")

_ARRIVALS = text("""
    SELECT DISTINCT x.person_id FROM membership_change x
    JOIN membership m ON m.cohort_id = x.cohort_id AND m.person_id = x.person_id
    WHERE x.cohort_id = :cohort_id AND x.number BETWEEN :first_change AND :last_change AND x.session_id = :session_id
        AND x.entered AND m.left_at IS NULL AND x.person_id >= :first AND x.person_id < :last""")


def percent(cohort: CohortState, rules: Rules) -> int:
    """Return the cohort's own share, or else the setting's; 0 is off."""
    return rules.guard_percent if cohort.guard_percent is None else cohort.guard_percent


def watches(cohort: CohortState, session: SessionState, rules: Rules) -> bool:
    """Whether this refresh may come to be held at all."""
    return session.rejected > 0 or (percent(cohort, rules) > 0 and cohort.member_count >= rules.guard_min_members)


@dataclass(frozen=True)
class Ending:
    """What the end of a refresh does: `stayers` stay, `leaving` leave. `at_hand` is the page with which it ends and
    `fresh` how many have entered by it, where its rows are not written yet."""

    stayers: Collection[int]
    leaving: int
    at_hand: Page | None = None
    fresh: int = 0


def holds(db: Connection, cohort: CohortState, session: SessionState, ending: Ending, rules: Rules, now: int) -> bool:
    """Whether a refresh of which all pages are here is held, and then the session says so."""
    if not watches(cohort, session, rules):
        return False
    doubt = readability.doubt(db, session, ending.at_hand)
    fewest = cohort.member_count - session.entered  # there are more where some who have entered are out again
    if doubt is None and not _is_over(percent(cohort, rules), ending.leaving, fewest):
        return False
    as_booked = session.number == cohort.session_count and not session.unclear
    stayed = session.entered if as_booked else ending.fresh + arrivals(db, session, ending.stayers)
    share = Share(ending.leaving, cohort.member_count - stayed)
    if not judge(db, cohort, session, share, doubt, rules, now):
        return False
    session.count_exactly(len(ending.stayers), leavers.entered_among(db, session, ending.stayers))
    return True


class Share(NamedTuple):
    """So many of at least so many `old` members would leave."""

    leaving: int
    old: int


def judge(
    db: Connection, cohort: CohortState, session: SessionState, share: Share, doubt: str | None, rules: Rules, now: int
) -> bool:
    """Whether the refresh is held: because of `doubt` (see `readability.doubt`), or because too large a share would
    leave and the refresh before it was not held for the same."""
    if doubt is None and not _is_too_much(cohort, share, rules):
        return False
    session.would_leave, session.would_leave_of = share
    if doubt is None and _follows_one_that_waits(db, session):
        session.decision = "agreed"
        return False
    session.status, session.held_at, session.settles_at = "held", now, None
    session.held_for = doubt or readability.REMOVALS
    return True


def arrivals(
    db: Connection, session: SessionState, stayers: Container[int], first: int = 0, last: int = leavers.ALL_IDS
) -> int:
    """Count the members with `first <= id < last` who are new: they have entered by this session, are in, and are to
    stay."""
    if not session.id or not session.entered:
        return 0
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "first": first, "last": last}
    changes = {"first_change": session.first_change, "last_change": session.last_change}
    result = db.execute(_ARRIVALS, values | changes, execution_options={"yield_per": leavers.FETCH})
    return sum(person_id in stayers for person_id in result.scalars())


def _is_too_much(cohort: CohortState, share: Share, rules: Rules) -> bool:
    return share.old >= rules.guard_min_members and _is_over(percent(cohort, rules), *share)


def _is_over(share: int, leaving: int, old: int) -> bool:
    return share > 0 and leaving * 100 > share * old


def _follows_one_that_waits(db: Connection, session: SessionState) -> bool:
    """Whether the refresh just before this one was held for its removals, and nobody has decided on it. One that could
    not be read says nothing about who is in the cohort, and so confirms nothing."""
    former = _FORMER.first(db, {"cohort_id": session.cohort_id, "number": session.number})
    if former is None:
        return False
    held_at, decision, held_for = former
    return held_at is not None and decision is None and held_for in {None, readability.REMOVALS}
