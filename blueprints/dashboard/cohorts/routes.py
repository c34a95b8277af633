"""Cohorts: all of them, the ones that need somebody first, with how each stands, its size and where it goes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from sqlalchemy import Connection

from blueprints import paging, urls
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.cohorts import sparklines
from blueprints.dashboard.cohorts.history import Bucket
from blueprints.dashboard.overview import attention
from config.words import _
from runtime import current_runtime
from sync.status import cohort as cohort_status
from sync.status.cohort import CohortStatus
from sync.status.text import WORDS

SHOWN = 200
# What needs somebody comes first, what is as it should be at the end.
URGENCY = (
    *("held", "failing", "stalled", "late", "quiet"),
    *("receiving", "settling", "sweeping", "in_step", "one_time", "off"),
)
STATES = {state: WORDS[state] for state in URGENCY}
SORTS = ("state", "name", "size", "today", "last_sync")
LARGEST_FIRST = {"size", "today", "last_sync"}


@dataclass(frozen=True)
class CohortFilters:
    """The filters in the address; a wrong one is left out. `sort` is one of SORTS, with a minus for the other way
    round."""

    q: str
    states: tuple[str, ...]
    sort: str
    page: int

    @classmethod
    def of_request(cls) -> "CohortFilters":
        given = request.args
        sort, page = given.get("sort", ""), urls.key_of_query("page", 1)
        return cls(
            given.get("q", "").strip(),
            tuple(state for state in STATES if state in given.getlist("state")),
            sort if sort.removeprefix("-") in SORTS else "state",
            min(max(page, 1), 10_000),
        )

    @property
    def kept(self) -> dict[str, Any]:
        """Return those that are set, as parameters of an address."""
        given = {"q": self.q, "state": list(self.states), "sort": self.sort if self.sort != "state" else ""}
        return {name: value for name, value in given.items() if value}

    @property
    def are_any(self) -> bool:
        return bool(self.q or self.states)

    def toggled(self, state: str) -> dict[str, Any]:
        """Return the same with one state more, or one less."""
        others = [name for name in self.states if name != state]
        return self.kept | {"state": others if state in self.states else [*others, state]}

    def sorted_by(self, sort: str) -> dict[str, Any]:
        """Return the same in another order; in the other direction where it is sorted by that already."""
        return self.kept | {"sort": f"-{sort}" if self.sort == sort else sort}

    def direction(self, sort: str) -> str | None:
        """Return which way the list is sorted by it, as a head says it."""
        if self.sort.removeprefix("-") != sort:
            return None
        return "descending" if (sort in LARGEST_FIRST) != self.sort.startswith("-") else "ascending"


@dataclass(frozen=True)
class Line:
    """A cohort of the list with its last days, the oldest first."""

    status: CohortStatus
    days: Sequence[Bucket]

    @property
    def sizes(self) -> list[int]:
        return [day.size for day in self.days]


@blueprint.get("/cohorts")
def list_cohorts() -> str:
    return render_template("dashboard/cohorts/list.html", **_listed())


@blueprint.get("/cohorts/now")
def list_cohorts_now() -> str:
    """The list without its filters; it asks for itself again."""
    return render_template("dashboard/cohorts/_list.html", **_listed())


def _listed() -> dict[str, Any]:
    runtime, filters = current_runtime(), CohortFilters.of_request()
    now = runtime.clock()

    def read(db: Connection) -> tuple[Sequence[CohortStatus], Mapping[int, Sequence[Bucket]]]:
        found = attention.read(db, now).cohorts
        return found, sparklines.read(runtime.database, db, {cohort.id: cohort.member_count for cohort in found}, now)

    everything, days = reading.read(read)
    named = [cohort for cohort in everything if is_named(cohort, filters.q)]
    fitting = [cohort for cohort in named if not filters.states or cohort.state in filters.states]
    first = (filters.page - 1) * SHOWN
    shown = ordered([Line(cohort, days[cohort.id]) for cohort in fitting], filters.sort)[first : first + SHOWN]
    counts = Counter(cohort.state for cohort in named)
    following = filters.page + 1 if len(fitting) > filters.page * SHOWN else None
    return {
        "total": len(everything),
        "lines": shown,
        "filters": filters,
        "counts": [(state, counts[state]) for state in STATES if counts[state] or state in filters.states],
        "states": {state: _(word) for state, word in STATES.items()},
        "tones": cohort_status.TONES,
        "pages": paging.pager(
            len(shown), following, len(fitting), "page", filters.kept, endpoint="dashboard.list_cohorts"
        ),
    }


def is_named(cohort: CohortStatus, wanted: str) -> bool:
    """Whether the cohort answers to what was typed: the search looks into its name, and takes its ids whole."""
    return wanted.casefold() in cohort.name.casefold() or wanted in {cohort.mixpanel_cohort_id, cohort.project_id}


def ordered(found: Sequence[Line], sort: str) -> list[Line]:
    """Put them in one order of SORTS; what is alike in it is in the order of the names."""
    keys: dict[str, Callable[[Line], Any]] = {
        "state": lambda line: URGENCY.index(line.status.state),
        "name": lambda line: line.status.name.casefold(),
        "size": lambda line: line.status.member_count,
        "today": lambda line: line.days[-1].entered + line.days[-1].left,
        "last_sync": lambda line: line.status.last_synced_at or 0,
    }
    by = sort.removeprefix("-")
    by_name = sorted(found, key=lambda line: (line.status.name.casefold(), line.status.id))
    return sorted(by_name, key=keys[by], reverse=(by in LARGEST_FIRST) != sort.startswith("-"))
