"""Cohorts: all of them, with how each stands, its size and where it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from sqlalchemy import Connection

from blueprints import paging, urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.cohorts import history
from blueprints.dashboard.cohorts.history import Bucket
from config.clock import DAY
from runtime import current_runtime
from sync.status import cohort as cohort_status
from sync.status.cohort import CohortStatus
from sync.status.text import WORDS

SHOWN = 25
SORTS = {"name": "Name", "size": "Size", "last_sync": "Last sync"}
STATES = {
    state: WORDS[state]
    for state in (
        *("in_step", "receiving", "late", "settling", "sweeping", "held"),
        *("failing", "stalled", "quiet", "one_time", "off"),
    )
}


@dataclass(frozen=True)
class CohortFilters:
    """The filters in the address; a wrong one is left out."""

    q: str
    state: str
    sort: str
    page: int

    @classmethod
    def of_request(cls) -> "CohortFilters":
        given = request.args
        state, sort, page = given.get("state", ""), given.get("sort", ""), urls.key_of_query("page", 1)
        return cls(
            given.get("q", "").strip(),
            state if state in STATES else "",
            sort if sort in SORTS else "name",
            min(max(page, 1), 10_000),
        )

    @property
    def kept(self) -> dict[str, str]:
        """Return those that are set, as parameters of an address."""
        given = {"q": self.q, "state": self.state, "sort": self.sort if self.sort != "name" else ""}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Line:
    """A cohort of the list with its last days, the oldest first."""

    status: CohortStatus
    days: Sequence[Bucket]


@blueprint.get("/cohorts")
def list_cohorts() -> str:
    runtime = current_runtime()
    filters = CohortFilters.of_request()

    def read(db: Connection) -> tuple[int, int, list[Line]]:
        everything = cohort_status.cohort_statuses(db, runtime.clock())
        fitting = ordered([standing for standing in everything if fits(standing, filters)], filters.sort)
        first = (filters.page - 1) * SHOWN
        return len(everything), len(fitting), lines(db, fitting[first : first + SHOWN])

    total, fitting, shown = runtime.database.read(read)
    return render_template(
        "dashboard/cohorts/list.html",
        total=total,
        fitting=fitting,
        lines=shown,
        filters=filters,
        states=STATES,
        sorts=SORTS,
        pages=paging.pager(
            len(shown), filters.page + 1 if fitting > filters.page * SHOWN else None, fitting, "page", filters.kept
        ),
    )


def fits(cohort: CohortStatus, filters: CohortFilters) -> bool:
    """Whether the cohort passes: the search looks into its name, and takes its ids whole."""
    wanted = filters.q.casefold()
    named = wanted in cohort.name.casefold() or filters.q in {cohort.mixpanel_cohort_id, cohort.project_id}
    return named and filters.state in {"", cohort.state}


def ordered(found: Sequence[CohortStatus], sort: str) -> list[CohortStatus]:
    keys: dict[str, Any] = {
        "name": lambda cohort: (cohort.name.casefold(), cohort.id),
        "size": lambda cohort: (-cohort.member_count, cohort.id),
        "last_sync": lambda cohort: (-(cohort.last_synced_at or 0), cohort.id),
    }
    return sorted(found, key=keys[sort])


def lines(db: Connection, shown: Sequence[CohortStatus]) -> list[Line]:
    """The cohorts with their last days; one statement."""
    if not shown:
        return []
    now = current_runtime().clock()
    found = history.counts(db, [cohort.id for cohort in shown], history.start_of_days(now), DAY)
    return [Line(cohort, history.days(found[cohort.id], cohort.member_count, now)) for cohort in shown]
