"""The story of one page, inside one transaction: read what is known, decide, write (S10)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from sync import dialects, id_sets
from sync.apply import cohorts, people, sessions
from sync.apply.cohorts import CohortState
from sync.apply.membership import People, Plan, Stay, plan_entries, plan_exits
from sync.apply.sessions import EarlierPage, PageRecord, SessionState
from sync.contract.page import Page
from sync.rules import Rules
from sync.sweep import guard, leavers
from sync.sweep.guard import Ending


@dataclass(frozen=True)
class Receipt:
    """What became of a page: `applied`, `replayed` (S7) or `superseded` (S9), and its true counts."""

    outcome: str
    received: int = 0
    entered: int = 0
    left: int = 0
    rejected: int = 0


def receive(db: Connection, page: Page, rules: Rules, connection_id: int, now: int) -> Receipt:
    """Apply `page` in the transaction of `db`; the caller commits, then answers."""
    cohort = cohorts.lock(db, page, now)
    cohort.last_call_at = now
    session, earlier = sessions.join(db, cohort, page, rules, connection_id, now)
    if earlier is not None and earlier.body_digest == page.digest:
        sessions.replay(db, session, page, rules, now)
        receipt = Receipt("replayed")
    else:
        sessions.take_in(db, session, page, earlier, now)
        cohorts.relabel(db, cohort, page, session.number, now)
        receipt = _apply(db, cohort, session, page, earlier, rules, now)
    cohorts.save(db, cohort)
    return receipt


def _apply(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    page: Page,
    earlier: EarlierPage | None,
    rules: Rules,
    now: int,
) -> Receipt:
    session.rejected += page.rejected_count - (earlier.rejected if earlier else 0)
    if session.is_overtaken(cohort):
        return _record_only(db, session, page, earlier, now)
    found = _read(db, cohort, session, page)
    written = _write_people(db, cohort, page, found, now)
    ids = [known[1] or written[known[0]] for known in found.known]
    plan = _plan(db, cohort, session, page, found, ids, now)
    named = [*found.settled, *ids]
    heard = _heard_before(db, cohort, session, earlier)
    if heard is not None:
        plan.counted = len(set(named) - heard)
    _book(cohort, session, page, earlier, plan)
    swept = _conclude(db, cohort, session, page, named, plan, rules, now)
    sessions.save(db, session)
    kept = id_sets.encode(heard.union(named) if heard and earlier else named)
    record = PageRecord(
        len(named) + page.rejected_count, plan.entered, plan.left, plan.unchanged, applied=True, seen=kept
    )
    sessions.save_page(db, session, page, record, now)
    dialects.of(db).write_stays(db, cohort.id, session.number, session.id, plan.stays + swept, now)
    return Receipt("applied", record.received, plan.entered, plan.left + len(swept), page.rejected_count)


def _record_only(db: Connection, session: SessionState, page: Page, earlier: EarlierPage | None, now: int) -> Receipt:
    """A late page of a session that a newer one has overtaken: it is kept, and changes nothing (S9)."""
    named = len(page.members) + page.rejected_count
    session.received += named - (earlier.received if earlier else 0)
    session.unchanged += len(page.members) - (earlier.unchanged if earlier else 0)
    if session.status not in {"complete", "superseded"}:
        session.status = "superseded"
    sessions.save(db, session)
    sessions.save_page(db, session, page, PageRecord(named, unchanged=len(page.members), applied=False), now)
    return Receipt("superseded", named, rejected=page.rejected_count)


def _read(db: Connection, cohort: CohortState, session: SessionState, page: Page) -> People:
    if not page.members:
        return People([])
    removal = page.action == "remove_members"  # touches no profile (S3)
    digests = dict.fromkeys(page.members) if removal else people.digests(page.members)
    refresh = session.number if page.is_refresh else None
    return dialects.of(db).read_people(db, cohort.project_id, cohort.id, digests, refresh)


def _write_people(db: Connection, cohort: CohortState, page: Page, found: People, now: int) -> dict[str, int]:
    """Write who is new or changed (S3); returns the ids of those written."""
    if page.action == "remove_members":
        changed = people.strangers(found.known)
    else:
        changed = people.changes(found.known, page.members)
    cohort.version += 1 if changed else 0
    return dialects.of(db).write_people(db, cohort.project_id, changed, found.highest_id, now)


def _plan(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    page: Page,
    found: People,
    ids: list[int],
    now: int,
) -> Plan:
    plan = Plan(session.number, cohort.change_count, now)
    if page.action == "remove_members":
        plan_exits(plan, found.known, ids, spared=_named_by_newer_refresh(db, cohort, session))
    else:
        plan_entries(plan, found.known, ids, is_diff=not page.is_refresh)
    plan.leave(len(found.settled))
    return plan


def _named_by_newer_refresh(db: Connection, cohort: CohortState, session: SessionState) -> set[int]:
    """A late page of a diff must not remove whom a newer refresh, still unfinished, has already named (S9)."""
    if session.number > cohort.newest_refresh:
        return set()
    refresh = sessions.by_number(db, cohort.id, cohort.newest_refresh)
    return set() if refresh.is_rejected else leavers.named(db, refresh)


def _heard_before(
    db: Connection, cohort: CohortState, session: SessionState, earlier: EarlierPage | None
) -> set[int] | None:
    """Whom a diff has named before this page, where their rows do not tell it: a newer session may have spoken since,
    or the page came in another version (S14). None where the rows tell."""
    if session.is_refresh or (session.number == cohort.session_count and earlier is None):
        return None
    return leavers.named(db, session)


def _book(cohort: CohortState, session: SessionState, page: Page, earlier: EarlierPage | None, plan: Plan) -> None:
    """Count the plan in, on the cohort and on the session (S10, S14)."""
    cohort.change_count += plan.changes
    cohort.member_count += plan.entered - plan.left
    cohort.version += 1 if plan.changes else 0
    session.count_changes(cohort, plan.entered, plan.left)
    rejected_before = earlier.rejected if earlier else 0
    if page.is_refresh:  # a page's latest version counts
        session.received += len(page.members) + page.rejected_count - (earlier.received if earlier else 0)
        session.unchanged += plan.unchanged - (earlier.unchanged if earlier else 0)
    else:  # every version has been applied
        session.received += plan.counted + page.rejected_count - rejected_before
        session.unchanged = session.received - session.rejected - session.entered - session.left_count


def _conclude(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    page: Page,
    named: list[int],
    plan: Plan,
    rules: Rules,
    now: int,
) -> list[Stay]:
    """Where the session stands after this page; returns the exits of the sweep that a clear refresh's last page runs
    (S5, S8), unless the removal guard holds it."""
    session.open()
    if not session.has_all_pages:
        return []
    if not session.is_refresh:
        session.status = "complete"
        session.completed_at = now
        cohort.synced(now)
    elif session.unclear or session.total_pages is None:
        session.status = "settling"
        session.settles_at = now + rules.settle
    elif cohort.member_count > rules.sweep_inline:
        leavers.hand_over(cohort, session, judged=not guard.watches(cohort, session, rules))
    else:
        stayers = leavers.named(db, session, besides=page.key).union(named)
        return _sweep(db, cohort, session, page, stayers, plan, rules, now)
    return []


def _sweep(
    db: Connection,
    cohort: CohortState,
    session: SessionState,
    page: Page,
    stayers: set[int],
    plan: Plan,
    rules: Rules,
    now: int,
) -> list[Stay]:
    """Whoever is not among `stayers` leaves, unless the removal guard holds them."""
    empty_before = cohort.member_count == plan.entered
    gone = [] if empty_before else list(leavers.leavers(db, cohort, session, stayers, now))
    if guard.holds(db, cohort, session, Ending(stayers, len(gone), page, plan.entered), rules, now):
        return []
    leavers.book(cohort, session, gone)
    leavers.finish(cohort, session, len(stayers), session.entered, now)
    return gone
