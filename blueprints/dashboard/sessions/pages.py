"""The pages of a session: the strip that shows them all, which are missing, and how fast they came.

A strip has at most 400 cells, so that an export of 10,000 pages stays under 100 KB of HTML; a cell then stands for a
group of pages and shows the worst of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, sub
from typing import Any, NamedTuple

from sqlalchemy import Connection

from blueprints.dashboard.sessions.words import RUNNING
from blueprints.formatting import number
from config.clock import SECOND
from config.words import counted
from models.statement import Statement
from sync.status import progress

MOST_CELLS = 400

# From good to bad. The words are said of one page or of many.
WORDS = {
    "received": "received",
    "replayed": "received, and sent again",
    "late": "late, changed nothing",
    "waiting": "waiting",
    "failed": "probably refused",
}
_BADNESS = {state: rank for rank, state in enumerate(WORDS)}

_PAGES = Statement("""
    SELECT page, received, replays, applied, received_at FROM sync_page WHERE session_id = :session_id ORDER BY page""")


class Arrival(NamedTuple):
    """A page that came, in its latest version; `page` is negative where it came without a number."""

    page: int
    received: int
    replays: int
    applied: bool
    received_at: int

    @property
    def state(self) -> str:
        if not self.applied:
            return "late"
        return "replayed" if self.replays else "received"


class Cell(NamedTuple):
    """A page, or a group of them: the state of the worst, and words for all."""

    state: str
    words: str


class Waits(NamedTuple):
    """How long the pages let wait for themselves: half of them at most `p50`, 99 of a hundred at most `p99`."""

    p50: int
    p99: int
    longest: int

    @classmethod
    def of(cls, waits: Sequence[int]) -> "Waits":
        ordered = sorted(waits)
        return cls(*(ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in (50, 99, 100)))


class Pace(NamedTuple):
    """How the pages came. `interval` (between two pages, on average) and `waits` in milliseconds, `expected_at` a
    moment."""

    per_second: float | None = None
    interval: float | None = None
    waits: Waits | None = None
    expected_at: int | None = None


@dataclass
class Pages:
    """All pages of a session. `missing` are ranges; `is_pruned` says that they were removed after their time."""

    cells: list[Cell] = field(default_factory=list)
    a_cell: int = 1  # how many pages it stands for
    missing: list[tuple[int, int]] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    late: int = 0
    is_pruned: bool = False
    summary: str = ""
    absent: str = WORDS["waiting"]  # what is said of pages that have not come
    pace: Pace = field(default_factory=Pace)
    due: tuple[int, int] | None = None  # the page that should be next, and when

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The states that cells show, with their words."""
        words = WORDS | {"replayed": "sent again", "late": "late", "waiting": self.absent}
        shown = {cell.state for cell in self.cells}
        return [(state, word) for state, word in words.items() if state in shown]

    @property
    def missing_count(self) -> int:
        return progress.count(self.missing)


def read(db: Connection, session_id: int) -> list[Arrival]:
    """Read the pages that have come, by number; those without a number first."""
    return list(map(Arrival._make, _PAGES.all(db, {"session_id": session_id})))


def arrange(session: Any, arrivals: Sequence[Arrival], refused_at: int | None) -> Pages:
    """The strip and what there is to say of it. `refused_at` is when a call of this cohort was last refused."""
    if session.pages_received and not arrivals:
        return Pages(is_pruned=True)
    total = session.total_pages
    numbered = [arrival for arrival in arrivals if 0 < arrival.page <= (total or arrival.page)]
    ended = session.status == "complete"
    missing = [] if ended or total is None else progress.missing_ranges((arrival.page for arrival in numbered), total)
    pages = Pages(missing=missing, replayed=_joined([arrival.page for arrival in numbered if arrival.replays]))
    pages.absent = WORDS["waiting"] if _may_still_come(session) else "did not come"
    pages.late = sum(not arrival.applied for arrival in arrivals)
    pages.pace = _pace(session, arrivals, pages.missing_count)
    suspect = _refused_page(session, numbered, missing, refused_at)
    pages.due = _due(session, pages.pace, numbered, missing)
    if total is None:
        pages.cells, pages.a_cell = _as_they_came(arrivals)
    else:
        odd = {arrival.page: arrival.state for arrival in numbered if arrival.replays or not arrival.applied}
        odd |= {suspect: "failed"} if suspect else {}
        pages.cells, pages.a_cell = _cells(total, [arrival.page for arrival in numbered], odd, pages.absent)
    pages.summary = _summary(session, arrivals, pages)
    return pages


def _may_still_come(session: Any) -> bool:
    return session.status in (*RUNNING, "stalled")


def _as_they_came(arrivals: Sequence[Arrival]) -> tuple[list[Cell], int]:
    """Cells where nobody knows how many pages there are."""
    by_time = enumerate(sorted(arrivals, key=attrgetter("received_at")), 1)
    return _cells(len(arrivals), (), {place: arrival.state for place, arrival in by_time})


def _cells(
    total: int, arrived: Iterable[int], odd: dict[int, str], absent: str = WORDS["waiting"]
) -> tuple[list[Cell], int]:
    """Cells for the pages 1 to `total`, of which those `arrived` have come. `odd` are states of single pages that are
    not simply received or waiting; `absent` is what is said of pages that have not come."""
    size = max(1, -(-total // MOST_CELLS))
    came = Counter((page - 1) // size for page in arrived if page not in odd)
    groups = [Counter(received=came[place]) for place in range(-(-total // size))]
    for page, state in odd.items():
        groups[(page - 1) // size][state] += 1
    words = WORDS | {"waiting": absent}
    cells = [
        _cell(place * size + 1, min((place + 1) * size, total), +group, words) for place, group in enumerate(groups)
    ]
    return cells, size


def _cell(first: int, last: int, group: Counter[str], words: dict[str, str]) -> Cell:
    absent = last - first + 1 - group.total()
    if absent:
        group["waiting"] += absent
    worst = max(group, key=_BADNESS.__getitem__)
    if first == last:
        return Cell(worst, f"Page {first}: {words[worst]}")
    if len(group) == 1:
        return Cell(worst, f"Pages {first} to {last}: all {words[worst]}")
    parts = (f"{number(group[state])} {words[state]}" for state in sorted(group, key=_BADNESS.__getitem__))
    return Cell(worst, f"Pages {first} to {last}: {'; '.join(parts)}")


def _joined(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges."""
    found: list[tuple[int, int]] = []
    for page in numbers:
        if found and found[-1][1] == page - 1:
            found[-1] = (found[-1][0], page)
        else:
            found.append((page, page))
    return found


def _pace(session: Any, arrivals: Sequence[Arrival], missing: int) -> Pace:
    """The first page took no time that we know of, so that the others' members and intervals count."""
    times = sorted(map(attrgetter("received_at"), arrivals))
    if len(times) < 2:  # noqa: PLR2004 - an interval has two ends
        return Pace()
    elapsed = times[-1] - times[0]
    interval = elapsed / (len(times) - 1)
    waits = Waits.of(list(map(sub, times[1:], times)))
    first = next(arrival for arrival in arrivals if arrival.received_at == times[0])
    members = sum(map(attrgetter("received"), arrivals)) - first.received
    per_second = members * SECOND / elapsed if elapsed else None
    receiving = session.status == "receiving" and missing and elapsed
    expected_at = round(times[-1] + missing * interval) if receiving else None
    return Pace(per_second, interval, waits, expected_at)


def _next_missing(numbered: Sequence[Arrival], missing: Sequence[tuple[int, int]]) -> int:
    """Return the page that should come next: the one after the highest that came, else the first that is missing."""
    highest = numbered[-1].page if numbered else 0
    return missing[-1][0] if missing[-1][0] == highest + 1 else missing[0][0]


def _refused_page(
    session: Any, numbered: Sequence[Arrival], missing: Sequence[tuple[int, int]], refused_at: int | None
) -> int | None:
    """The page that was probably refused. A refused call is not tied to a page; but where one of this cohort and action
    was refused and no page has come since, it was the next one, because Mixpanel sends one call at a time."""
    unfinished = session.status in {"receiving", "stalled"}
    if not unfinished or not missing or refused_at is None or refused_at < session.last_page_at:
        return None
    return _next_missing(numbered, missing)


def _due(
    session: Any, pace: Pace, numbered: Sequence[Arrival], missing: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    if pace.interval is None or not missing:
        return None
    return _next_missing(numbered, missing), round(session.last_page_at + pace.interval)


def _summary(session: Any, arrivals: Sequence[Arrival], pages: Pages) -> str:
    """The strip in one sentence."""
    if session.total_pages is None:
        first = f"{counted(len(arrivals), 'page')} received; Mixpanel did not say how many there are"
    else:
        received = session.total_pages - pages.missing_count
        first = f"{number(received)} of {counted(session.total_pages, 'page')} received"
    return "; ".join([first, *_oddities(pages)]) + "."


def _oddities(pages: Pages) -> Iterator[str]:
    if pages.replayed:
        yield f"{number(sum(last - first + 1 for first, last in pages.replayed))} sent again"
    if pages.late:
        yield f"{number(pages.late)} late"
    if pages.a_cell > 1:
        yield f"each mark stands for {pages.a_cell} pages and shows the worst of them"
