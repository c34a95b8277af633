"""A cohort's past, from the counts of its sessions: sizes, entries, exits and syncs over time, and renames.

A session's entries and exits count at the moment of its end (its last page where it has not ended), so that a chart
costs one grouped statement however large the log is. Sizes are reckoned backwards from the size of now, which is exact:
members are entries minus exits (S10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, text

from blueprints.cohorts import Cohort
from blueprints.dashboard.time_axis import TimeAxis
from blueprints.rows import every
from config.clock import DAY, HOUR, Zone
from config.words import _, later

WEEK = 7 * DAY
UNITS = {
    HOUR: later("hour"),
    DAY: later("day"),
    WEEK: later("week"),
    4 * WEEK: later("four weeks"),
    52 * WEEK: later("year"),
}
HEADS = {
    HOUR: later("Hour"),
    DAY: later("Day"),
    WEEK: later("Week from"),
    4 * WEEK: later("Four weeks from"),
    52 * WEEK: later("Year from"),
}
MOST = 92  # points that a chart can show
RANGES = {"30d": (later("30 d"), 30 * DAY), "90d": (later("90 d"), 90 * DAY), "all": (later("All"), None)}
SPARKLINE_DAYS = 14
LONGEST_SESSION = 31 * DAY  # from a session's first page to its end; a refresh waits while it is held

# The index is by the start of a session, what counts is its end.
_COUNTS = text("""
    SELECT cohort_id, at / :unit AS bucket, CAST(sum(entered) AS BIGINT) AS entered,
        CAST(sum(left_count) AS BIGINT) AS left_count, count(CASE WHEN number > 0 THEN 1 END) AS syncs,
        CAST(sum(rejected) AS BIGINT) AS rejected
    FROM (
        SELECT cohort_id, coalesce(completed_at, last_page_at) AS at, number, entered, left_count, rejected
        FROM sync_session
        WHERE cohort_id IN :cohorts AND started_at >= :started) s
    WHERE at >= :since GROUP BY 1, 2""").bindparams(bindparam("cohorts", expanding=True))

_LABELS = text("""
    SELECT name, description, until FROM cohort_label WHERE cohort_id = :cohort ORDER BY until DESC LIMIT 50""")


class Bucket(NamedTuple):
    """A stretch of time: its number (start divided by the unit), the size at its end, and what happened in it; `silent`
    where no session ended in it."""

    number: int
    size: int
    entered: int = 0
    left: int = 0
    syncs: int = 0
    rejected: int = 0
    silent: bool = False


class Counted(NamedTuple):
    """What the sessions of a cohort that ended in one stretch have done; `bucket` is its number."""

    cohort_id: int
    bucket: int
    entered: int
    left_count: int
    syncs: int
    rejected: int


@dataclass(frozen=True)
class Rename:
    at: int
    before: str
    after: str


@dataclass(frozen=True)
class History:
    """A chart's stretches of `unit` milliseconds, the oldest first, and the renames among them. The chart begins with
    `since`, also where the cohort is younger."""

    unit: int
    since: int
    buckets: Sequence[Bucket]
    renames: Sequence[Rename]
    reader: Zone

    @property
    def zone(self) -> Zone:
        """Hours are written in the reader's zone; longer stretches begin at midnight UTC."""
        return self.reader if self.unit == HOUR else Zone()

    @property
    def heads(self) -> list[str]:
        marks = [_("Size when renamed")] if self.renames else []
        return [_(HEADS[self.unit]), _("Members"), *marks, _("Syncs")]

    @property
    def word(self) -> str:
        return _(UNITS[self.unit])

    @property
    def axis(self) -> TimeAxis:
        starts = [bucket.number * self.unit for bucket in self.buckets]
        silent = [bucket.silent for bucket in self.buckets]
        return TimeAxis(self.unit, self.since, starts[-1] + self.unit, starts, silent)

    @property
    def sizes(self) -> list[list[str | int]]:
        """Rows of the chart of sizes."""
        marked = {rename.at // self.unit for rename in self.renames}
        return [
            [
                self.label(bucket),
                bucket.size,
                *([bucket.size if bucket.number in marked else ""] if self.renames else []),
                bucket.syncs,
            ]
            for bucket in self.buckets
        ]

    @property
    def moves(self) -> list[list[str | int]]:
        """Rows of the chart of entries and exits."""
        return [[self.label(bucket), bucket.entered, bucket.left] for bucket in self.buckets]

    def label(self, bucket: Bucket) -> str:
        moment = self.zone.at(bucket.number * self.unit)
        if self.unit == HOUR:
            return f"{moment.day} {moment:%b %H:%M}"
        return f"{moment.day} {moment:%b %Y}" if self.unit > DAY else f"{moment.day} {moment:%b}"


def history(db: Connection, cohort: Cohort, span: str, now: int, zone: Zone) -> History:
    """The history of `cohort` (its id, member_count, created_at and name) over one of RANGES; two statements."""
    reach = RANGES[span][1]
    begins = cohort.created_at if reach is None else now - reach
    unit = next((unit for unit in UNITS if now // unit - begins // unit < MOST), max(UNITS))
    first = max(cohort.created_at, begins) // unit
    found = counts(db, [cohort.id], first * unit, unit)[cohort.id]
    renames = [rename for rename in _renames(db, cohort) if rename.at >= first * unit]
    sizes = buckets(found, cohort.member_count, first, now // unit)
    return History(unit, begins // unit * unit, sizes, renames, zone)


def counts(db: Connection, cohorts: Sequence[int], since: int, unit: int) -> dict[int, list[Counted]]:
    """Count what each cohort's sessions did from `since` on, by stretches of `unit` milliseconds; one statement."""
    values = {"cohorts": list(cohorts), "since": since, "started": since - LONGEST_SESSION, "unit": unit}
    found: dict[int, list[Counted]] = {cohort: [] for cohort in cohorts}
    for row in every(db.execute(_COUNTS, values), Counted):
        found[row.cohort_id].append(row)
    return found


def buckets(rows: Sequence[Counted], size: int, first: int, last: int) -> list[Bucket]:
    """Every stretch from `first` to `last`, at whose end there are `size` members."""
    by_number = {min(row.bucket, last): row for row in rows}  # another process's clock may be ahead
    found = []
    for number in range(last, first - 1, -1):
        row = by_number.get(number)
        found.append(
            Bucket(number, size, row.entered, row.left_count, row.syncs, row.rejected)
            if row
            else Bucket(number, size, silent=True)
        )
        size -= found[-1].entered - found[-1].left
    return found[::-1]


def days(rows: Sequence[Counted], size: int, now: int, count: int = SPARKLINE_DAYS) -> list[Bucket]:
    """The last `count` days (UTC) up to today, from `counts` by days."""
    return buckets(rows, size, now // DAY - count + 1, now // DAY)


def start_of_days(now: int, count: int = SPARKLINE_DAYS) -> int:
    """When the first of the last `count` days began (UTC)."""
    return (now // DAY - count + 1) * DAY


def _renames(db: Connection, cohort: Cohort) -> list[Rename]:
    """The newest first; a new description alone is none."""
    after, found = cohort.name, []
    for row in db.execute(_LABELS, {"cohort": cohort.id}):
        if row.name != after:
            found.append(Rename(row.until, row.name, after))
        after = row.name
    return found
