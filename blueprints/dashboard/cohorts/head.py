"""The head of a cohort's pages: how it stands, how many are in it, what changed today."""

from dataclasses import dataclass

from flask import render_template
from sqlalchemy import Connection, select, text

from blueprints import rows
from blueprints.cohorts import Cohort, find
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.cohorts import history
from blueprints.dashboard.cohorts.history import Bucket
from blueprints.dashboard.sessions.words import RUNNING
from config.clock import DAY, MINUTE
from config.durations import duration
from config.words import _
from destinations import subscriptions
from destinations.subscriptions import Subscription
from models.columns import columns_of
from models.sessions import IS_UNFINISHED, SyncSession
from runtime import current_runtime
from sync.status import cohort as cohort_status
from sync.status.cohort import CohortStatus
from sync.sweep import held as words

REJECTED_DAYS = 30


@dataclass(frozen=True)
class HeldRefresh:
    """The refresh that the removal guard holds. Of `would_leave_of` members `would_leave` are not named by it."""

    id: int
    held_at: int
    started_at: int
    received: int
    entered: int
    rejected: int
    would_leave: int | None
    would_leave_of: int | None
    held_for: str | None


@dataclass(frozen=True)
class Head:
    """`rejected` members came in the last REJECTED_DAYS; `held` is the refresh that the removal guard holds,
    `goes_to` where its changes are relayed."""

    cohort: Cohort
    status: CohortStatus
    today: Bucket
    rejected: int
    held: HeldRefresh | None
    goes_to: list[Subscription]

    @property
    def held_why(self) -> str:
        return "" if self.held is None else words.why(self.held)

    @property
    def is_moving(self) -> bool:
        """Whether the next seconds may change it, so that the browser asks again."""
        return self.status.session is not None and self.status.session.status in RUNNING

    @property
    def rhythm(self) -> str:
        """How often syncs come (F5)."""
        learned = self.status.rhythm
        if learned.every is not None:
            return _("Every %(rhythm)s", rhythm=duration(round(learned.every / MINUTE) * MINUTE or learned.every))
        return _("One-time export") if learned.kind == "one_time" else _("New: its rhythm is not known yet")


@blueprint.get("/cohorts/<int:cohort_id>/now")
def cohort_now(cohort_id: int) -> str:
    """The part of the head that refreshes itself while a session is under way."""
    found = reading.read(lambda db: head(db, cohort_id))
    return render_template("dashboard/cohorts/_now.html", head=found)


def head(db: Connection, cohort_id: int) -> Head:
    """Answers 404 where there is no such cohort."""
    cohort, now = find(db, cohort_id), current_runtime().clock()
    (stands,) = cohort_status.cohort_statuses(db, now, cohort_id)
    since = history.start_of_days(now, REJECTED_DAYS)
    counted = history.counts(db, [cohort_id], since, DAY)[cohort_id]
    days = history.days(counted, cohort.member_count, now, REJECTED_DAYS)
    is_held = stands.session is not None and stands.session.status == "held"
    waiting = held(db, cohort_id) if is_held else None
    rejected, goes_to = sum(day.rejected for day in days), subscriptions.of_cohort(db, cohort_id)
    return Head(cohort, stands, days[-1], rejected, waiting, goes_to)


def held(db: Connection, cohort_id: int) -> HeldRefresh | None:
    """The refresh of this cohort that waits for an operator."""
    is_held = (SyncSession.cohort_id == cohort_id, text(IS_UNFINISHED), SyncSession.status == "held")
    found = select(*columns_of(SyncSession, HeldRefresh)).where(*is_held)
    return rows.one_or_none(db.execute(found.order_by(SyncSession.number.desc()).limit(1)), HeldRefresh)
