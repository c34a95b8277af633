"""The sweep of a large cohort, step by step: a transaction each, so that pages and readers get in between.

It can be taken up from anywhere, because a step only removes who is still there. Each step begins by renewing the
worker's claim, so that a worker which was only asleep finds out before it writes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, text

from models.claims import Claim, Claims
from models.database import Database
from models.sessions import IS_UNFINISHED
from sync import dialects
from sync.apply import cohorts, sessions
from sync.apply.cohorts import CohortState
from sync.apply.sessions import SessionState
from sync.id_sets import WINDOW, IdSet
from sync.rules import Rules
from sync.sweep import conclude, guard, leavers, readability

T = TypeVar("T")
Clock = Callable[[], int]

# Which worker ends which refresh.
CLAIMS = Claims(
    "sync_session",
    f"""{IS_UNFINISHED}
        AND (status = 'sweeping' OR (status = 'settling' AND settles_at <= :now))""",
)

_HIGHEST = text("SELECT coalesce(max(id), 0) FROM person")


@dataclass
class Tally:
    """What a pass over everybody has counted so far: different people `named`, those of them who `entered` by this
    refresh, those of them who `arrived` and are in still, and members who would be `leaving`."""

    named: int = 0
    entered: int = 0
    arrived: int = 0
    leaving: int = 0


@dataclass
class Sweep:
    """A refresh whose sweep a worker has claimed."""

    database: Database
    rules: Rules
    claim: Claim
    clock: Clock

    def run(self) -> None:
        """Sweep until everybody has left who is to, the removal guard holds it, or another worker has it."""
        if not self._passes_guard():
            return
        named = entered = 0
        for stayers in _windows(self.database):
            entered += self.database.read(lambda db, ids=stayers: read_named(db, self.claim.id, ids))  # type: ignore[misc]
            named += stayers.count()
            for first in range(stayers.start, stayers.end, self.rules.step):
                if not self.step(stayers, first):
                    return
        self.locked(lambda _db, cohort, session: finish(cohort, session, named, entered, self.clock()))

    def locked(self, work: Callable[[Connection, CohortState, SessionState], T]) -> T | None:
        """Run `work` in a transaction of its own, under the cohort's lock, and renew the claim with it. Return what it
        returns; None where the session sweeps no more (a newer one took over) or another worker has claimed it."""
        until = self.clock() + self.rules.claim

        def write(db: Connection) -> tuple[T] | None:
            found = sessions.locked(db, self.claim.id)
            if found is None or found[1].status != "sweeping":
                return None
            if not CLAIMS.renew(db, self.claim, until):
                return None
            cohort, session = found
            done = work(db, cohort, session)
            sessions.save(db, session)
            cohorts.save(db, cohort)
            return (done,)

        written = self.database.write(write)
        if written is None:
            return None
        self.claim.until = until
        return written[0]

    def step(self, stayers: IdSet, first: int) -> bool:
        """Remove the leavers from the id `first` on, as many ids as a step has; False where it is ours no more."""
        last = min(first + self.rules.step, stayers.end)
        return bool(self.locked(lambda db, cohort, its: step(db, cohort, its, stayers, (first, last), self.clock())))

    def _passes_guard(self) -> bool:
        """Whether the steps may begin. Nobody has left yet, and the counting holds no lock."""
        session = self.database.read(lambda db: sessions.by_id(db, self.claim.id))
        if session is None or session.is_judged:
            return session is not None
        tally = Tally()
        for stayers in _windows(self.database):
            self.database.read(lambda db, ids=stayers: _count(db, session, ids, tally))  # type: ignore[misc]
            if not self.locked(lambda *_: True):
                return False
        return bool(self.locked(lambda db, cohort, its: judge(db, self.rules, cohort, its, tally, self.clock())))


def _windows(database: Database) -> Iterator[IdSet]:
    """Yield empty sets that together have room for all people, each for as many as memory may hold."""
    highest = database.read(lambda db: db.execute(_HIGHEST).scalar_one())
    return (IdSet(first, min(WINDOW, highest + 1 - first)) for first in range(0, highest + 1, WINDOW))


def _count(db: Connection, session: SessionState, stayers: IdSet, tally: Tally) -> None:
    """Add to the tally what one window of ids has."""
    entered = read_named(db, session.id, stayers)
    arrived = guard.arrivals(db, session, stayers, stayers.start, stayers.end)
    leaving = sum(
        1 for span in leavers.spans(stayers.start, stayers.end) for _ in leavers.unnamed(db, session, stayers, *span)
    )
    tally.entered += entered  # at the end, because a read may be tried again
    tally.arrived += arrived
    tally.leaving += leaving
    tally.named += stayers.count()


def read_named(db: Connection, session_id: int, stayers: IdSet) -> int:
    """Put into `stayers` whom the session has named. Return how many of them have entered by it; in the first window
    alone, and for all of them, where each page has one version."""
    session = sessions.by_id(db, session_id)
    if session is None:
        return 0
    stayers.add(leavers.blobs(db, session))
    if session.unclear:
        return leavers.newcomers(db, session, stayers, stayers.start, stayers.end)
    return session.entered if stayers.start == 0 else 0


def judge(db: Connection, rules: Rules, cohort: CohortState, session: SessionState, tally: Tally, now: int) -> bool:
    """Whether the removal guard lets the steps begin."""
    share = guard.Share(tally.leaving, cohort.member_count - tally.arrived)
    held = guard.judge(db, cohort, session, share, readability.doubt(db, session), rules, now)
    if held:
        session.count_exactly(tally.named, tally.entered)
    else:
        conclude.let_steps_begin(cohort, session)
    return not held


def step(
    db: Connection, cohort: CohortState, session: SessionState, stayers: IdSet, span: tuple[int, int], now: int
) -> bool:
    """Let leave whoever has an id from the first of `span` to before its last, and is not among `stayers`."""
    gone = list(leavers.leavers(db, cohort, session, stayers, now, *span))
    dialects.of(db).write_stays(db, cohort.id, session.number, session.id, gone, now)
    conclude.count_exits(cohort, session, gone)
    return True


def finish(cohort: CohortState, session: SessionState, named: int, entered: int, now: int) -> None:
    """Complete the refresh: so many people were named, and so many of them have entered by it."""
    session.count_exactly(named, entered)
    session.complete(cohort, now)
