"""The story of one page, inside one transaction: read what is known, decide, write (S10)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from sync import dialects, id_sets
from sync.apply import cohorts, pages, people, sessions
from sync.apply.cohorts import CohortState
from sync.apply.membership import People, Plan, Stay, plan_entries, plan_exits
from sync.apply.pages import PageRecord
from sync.apply.session_counts import EarlierPage
from sync.apply.sessions import SessionState
from sync.contract.page import Page
from sync.rules import Rules
from sync.sweep import conclude, leavers
from sync.sweep.conclude import LastPage


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
    run = PageRun(db, cohort, session, page, earlier, rules, now)
    if run.is_replay:
        receipt = run.replay()
    else:
        sessions.take_in(db, session, page, earlier, now)
        cohorts.relabel(db, cohort, page, session.number, now)
        receipt = run.record() if session.is_overtaken(cohort) else run.apply()
    cohorts.save(db, cohort)
    return receipt


@dataclass
class PageRun:
    """A page with all that it is applied to. `earlier` is its version of before, if it has come in another one."""

    db: Connection
    cohort: CohortState
    session: SessionState
    page: Page
    earlier: EarlierPage | None
    rules: Rules
    now: int

    @property
    def is_replay(self) -> bool:
        page = self.page
        return self.earlier is not None and self.earlier.body_digest in {page.digest, page.other_digest}

    def replay(self) -> Receipt:
        """Count a page that came once more; it changes nothing else (S7, S8, S13)."""
        sessions.replay(self.db, self.session, self.rules, self.now)
        pages.count_replay(self.db, self.session, self.page)
        return Receipt("replayed")

    def record(self) -> Receipt:
        """Keep a late page of a session that a newer one has overtaken; it changes nothing (S9)."""
        session, page, unchanged = self.session, self.page, len(self.page.members)
        session.count_version(page, unchanged, self.earlier)
        if session.status not in {"complete", "superseded"}:
            session.status = "superseded"
        record = PageRecord(unchanged + page.rejected_count, unchanged=unchanged, applied=False)
        self._save(record)
        return Receipt("superseded", record.received, rejected=page.rejected_count)

    def apply(self) -> Receipt:
        """Write what the page changes, and end the session where it is the last one."""
        known = self._read_people()
        ids = self._write_people(known)
        plan = self._plan(known, ids)
        named = [*known.settled, *ids]
        before = self._named_before()
        if before is not None:
            plan.counted = len(set(named) - before)
        self._count(plan)
        leaving = self._conclude(named, plan)
        received = len(named) + self.page.rejected_count
        seen = id_sets.encode(before.union(named) if before and self.earlier else named)
        self._save(PageRecord(received, plan.entered, plan.left, plan.unchanged, seen=seen))
        self._write_stays(plan.stays + leaving)
        return Receipt("applied", received, plan.entered, plan.left + len(leaving), self.page.rejected_count)

    def _read_people(self) -> People:
        page = self.page
        if not page.members:
            return People([])
        digests = dict.fromkeys(page.members) if page.is_removal else people.digests(page.members)
        refresh = self.session.number if page.is_refresh else None
        return dialects.of(self.db).read_people(self.db, self.cohort.project_id, self.cohort.id, digests, refresh)

    def _write_people(self, known: People) -> list[int]:
        """Write who is new or changed (S3). Return the ids of `known.known`, in their order."""
        cohort, page = self.cohort, self.page
        # A removal touches no profile.
        changed = people.strangers(known.known) if page.is_removal else people.changes(known.known, page)
        cohort.version += 1 if changed else 0
        written = dialects.of(self.db).write_people(self.db, cohort.project_id, changed, known.highest_id, self.now)
        return [person[1] or written[person[0]] for person in known.known]

    def _plan(self, known: People, ids: list[int]) -> Plan:
        plan = Plan(self.session.number, self.cohort.change_count, self.now)
        if self.page.is_removal:
            plan_exits(plan, known.known, ids, spared=self._named_by_newer_refresh())
        else:
            plan_entries(plan, known.known, ids, is_diff=not self.page.is_refresh)
        plan.leave(len(known.settled))
        return plan

    def _named_by_newer_refresh(self) -> set[int]:
        """Return the ids of the people whom a newer, unfinished refresh has named: a late page of a diff must not
        remove them (S9)."""
        if self.session.number > self.cohort.newest_refresh:
            return set()
        refresh = sessions.by_number(self.db, self.cohort.id, self.cohort.newest_refresh)
        return set() if refresh.is_rejected else leavers.named(self.db, refresh)

    def _named_before(self) -> set[int] | None:
        """Return the ids of the people whom a diff has named before this page, or None where their rows tell. Rows do
        not tell where a newer session may have spoken since, and where the page came in another version (S14)."""
        is_newest = self.session.number == self.cohort.session_count
        if self.session.is_refresh or (is_newest and self.earlier is None):
            return None
        return leavers.named(self.db, self.session)

    def _count(self, plan: Plan) -> None:
        """Count the plan in, on the cohort and on the session (S10, S14)."""
        cohort, session = self.cohort, self.session
        cohort.count_changes(plan.entered, plan.left)
        session.count_changes(cohort, plan.entered, plan.left)
        if self.page.is_refresh:
            session.count_version(self.page, plan.unchanged, self.earlier)
        else:
            session.count_addition(self.page, plan.counted, self.earlier)

    def _conclude(self, named: list[int], plan: Plan) -> list[Stay]:
        """Set where the session stands after this page. Return the exits of the sweep that a clear refresh's last page
        runs (S5, S8), unless the removal guard holds it."""
        session = self.session
        session.open()
        if not session.has_all_pages:
            return []
        if not session.is_refresh:
            session.complete(self.cohort, self.now)
        elif session.unclear or session.total_pages is None:
            session.settle(self.now + self.rules.settle)
        else:
            last = LastPage(self.page, named, plan.entered)
            return conclude.end(self.db, self.cohort, session, self.rules, self.now, last=last)
        return []

    def _save(self, record: PageRecord) -> None:
        sessions.save(self.db, self.session)
        pages.save(self.db, self.session, self.page, record, self.now)

    def _write_stays(self, stays: list[Stay]) -> None:
        session = self.session
        dialects.of(self.db).write_stays(self.db, self.cohort.id, session.number, session.id, stays, self.now)
