"""The end of a refresh: whoever its pages did not name leaves (S5), unless the removal guard holds it (S4).

At once, in the transaction that finds all pages here, or step by step by a worker where the cohort is large
(`sync.sweep.steps`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from sync import dialects
from sync.apply import cohorts, sessions
from sync.apply.cohorts import CohortState
from sync.apply.membership import Stay
from sync.apply.sessions import SessionState
from sync.contract.page import Page
from sync.rules import Rules
from sync.sweep import guard, leavers
from sync.sweep.guard import Ending


@dataclass(frozen=True)
class LastPage:
    """The page with which a refresh ends, and whose rows are not written yet: ids of the people whom it named, and how
    many of them have entered by it."""

    page: Page
    named: Collection[int]
    entered: int


def end(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    rules: Rules,
    now: int,
    *,
    last: LastPage | None = None,
    guarded: bool = True,
) -> list[Stay]:
    """End a refresh of which all pages are here, or leave it to the worker where the cohort is large.

    Return the exits, which are counted and still to be written; none where the removal guard holds the refresh. Without
    `guarded` the guard is not asked.
    """
    if cohort.member_count > rules.sweep_inline:
        leave_to_worker(cohort, session, judged=not (guarded and guard.watches(cohort, session, rules)))
        return []
    stayers = leavers.named(db, session) if last is None else _named_with(db, session, last)
    page, entered = (None, 0) if last is None else (last.page, last.entered)
    nobody_else = cohort.member_count == entered
    gone = [] if nobody_else else list(leavers.leavers(db, cohort, session, stayers, now))
    if guarded and guard.holds(db, cohort, session, Ending(stayers, len(gone), page, entered), rules, now):
        return []
    count_exits(cohort, session, gone)
    session.count_exactly(len(stayers), leavers.entered_among(db, session, stayers))
    session.complete(cohort, now)
    return gone


def end_and_save(
    db: Connection, cohort: CohortState, session: SessionState, rules: Rules, now: int, *, guarded: bool = True
) -> None:
    """The same of a refresh whose pages are all written; with it the exits, the session and the cohort."""
    gone = end(db, cohort, session, rules, now, guarded=guarded)
    if gone:
        dialects.of(db).write_stays(db, cohort.id, session.number, session.id, gone, now)
    sessions.save(db, session)
    cohorts.save(db, cohort)


def _named_with(db: Connection, session: SessionState, last: LastPage) -> set[int]:
    """Return the ids of all people whom the session has named, those of the last page from the version at hand."""
    return leavers.named(db, session, besides=last.page.key).union(last.named)


def leave_to_worker(cohort: CohortState, session: SessionState, *, judged: bool) -> None:
    """Let the worker sweep, in steps; first it asks the removal guard, where that has not judged yet."""
    session.status = "sweeping"
    if judged:
        let_steps_begin(cohort, session)


def let_steps_begin(cohort: CohortState, session: SessionState) -> None:
    """Let the steps of a sweep go on after the removal guard has judged. The refresh has had its word on everybody:
    late pages of older diffs change nothing from now on, or the steps would miss those whom they let in behind them."""
    cohort.complete_refresh = max(cohort.complete_refresh, session.number)
    if not session.is_judged:
        session.would_leave_of = cohort.member_count - session.entered


def count_exits(cohort: CohortState, session: SessionState, gone: Sequence[Stay]) -> None:
    """Count these exits on the cohort and the session."""
    cohort.count_changes(0, len(gone))
    session.count_changes(cohort, 0, len(gone))
