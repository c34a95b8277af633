"""What Mixpanel knows of a cohort, and the exports that it makes of it (mixpanel-facts.md sections 1.1, 1.2, 1.5).

Mixpanel compares the cohort with its snapshot of the last successful sync. A failed sync does not move the snapshot,
so the next diff covers both periods; a snapshot older than three days is gone, and the whole cohort is sent.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.people import Member, Population

SNAPSHOT_MINUTES = 3 * 24 * 60  # how long Mixpanel keeps the snapshot of the last successful sync

NewId = Callable[[], str]


@dataclass
class Cohort:
    """Mixpanel's side of one cohort. `members` are numbers of the population; times are simulated minutes.

    `first` is the action of the very first export: Mixpanel's text says `members`, its timeline `add_members`.
    """

    project_id: str
    cohort_id: str
    name: str
    description: str
    population: Population
    members: set[int] = field(default_factory=set)
    first: str = "members"
    snapshot: frozenset[int] | None = None
    snapshot_at: int = 0
    in_step: bool = True  # whether the last sync succeeded
    paused: str | None = None  # why Mixpanel has paused this sync for good
    odd: list[Member] = field(default_factory=list)  # members that no receiver can keep, for the next export
    delivered: dict[tuple[str, str], int] = field(default_factory=dict)  # members, by session id and action

    def due(self, minute: int, new_id: NewId, *, one_id: bool = False) -> list["Export"]:
        """Return the exports of this cycle: both diffs also where nobody moved, which is Mixpanel's heartbeat.

        Whether the two diffs of a cycle share a session id is not documented; `one_id` decides.
        """
        odd, self.odd = self.odd, []
        if self.first == "members" and self.snapshot is None:
            return [self._export("members", new_id(), self.members, odd)]
        if self.snapshot is not None and minute - self.snapshot_at > SNAPSHOT_MINUTES:
            return [self._export("members", new_id(), self.members, odd)]
        before = self.snapshot or frozenset()
        adding = new_id()
        removing = adding if one_id else new_id()
        return [
            self._export("add_members", adding, self.members - before, odd),
            self._export("remove_members", removing, before - self.members, []),
        ]

    def succeeded(self, minute: int) -> None:
        """Note that every call of a sync got its success: this is the new snapshot."""
        self.snapshot, self.snapshot_at, self.in_step = frozenset(self.members), minute, True

    def failed(self) -> None:
        self.in_step = False

    def enter(self, numbers: Collection[int]) -> None:
        self.members.update(numbers)

    def leave(self, numbers: Collection[int]) -> None:
        self.members.difference_update(numbers)

    def drift(self, dice: Random, entering: int, leaving: int) -> None:
        """Let people move: somebody enters and somebody leaves, but nobody who already moved since the snapshot moves
        back.

        Who enters and leaves again between two successful syncs is in no diff; where the first of them failed halfway,
        a receiver keeps that person, and no receiver could know better. Left out here, so that every difference that
        the comparison finds is the receiver's.
        """
        before = self.snapshot or frozenset()
        stayed = sorted(self.members & before)
        self.leave(dice.sample(stayed, min(leaving, len(stayed))))
        outside = len(self.population) - len(self.members | before)
        self.enter(self._strangers(dice, min(entering, outside), before))

    def _strangers(self, dice: Random, count: int, before: frozenset[int]) -> set[int]:
        found: set[int] = set()
        while len(found) < count:
            number = dice.randrange(len(self.population))
            if number not in self.members and number not in before:
                found.add(number)
        return found

    def _export(self, action: str, session_id: str, numbers: Collection[int], odd: Sequence[Member]) -> "Export":
        return Export(self, action, session_id, tuple(sorted(numbers)), tuple(odd))


@dataclass(frozen=True)
class Export:
    """One session: a whole cohort or one half of a diff, taken at one moment."""

    cohort: Cohort
    action: str
    session_id: str
    numbers: tuple[int, ...]
    odd: tuple[Member, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    def total_pages(self, size: int) -> int:
        return max(1, -(-len(self) // size))

    def pages(self, size: int) -> list["Page"]:
        """Return the pages, at least one: an empty export is a page without members."""
        total = self.total_pages(size)
        return [Page(self, number, total, slice((number - 1) * size, number * size)) for number in range(1, total + 1)]

    def members(self, part: slice) -> Iterator[Member]:
        people = len(self.numbers)
        for place in range(*part.indices(len(self))):
            if place < people:
                yield self.cohort.population.member(self.numbers[place])
            else:
                yield self.odd[place - people]


@dataclass(frozen=True)
class Page:
    """One webhook call; `number` is 1-based."""

    export: Export
    number: int
    total: int
    part: slice

    def body(self) -> bytes:
        """Return the call's JSON, in the shape of Mixpanel's documentation."""
        cohort = self.export.cohort
        parameters = {
            "mixpanel_project_id": cohort.project_id,
            "mixpanel_cohort_name": cohort.name,
            "mixpanel_cohort_id": cohort.cohort_id,
            "mixpanel_cohort_description": cohort.description,
            "mixpanel_session_id": self.export.session_id,
            "page_info": {"total_pages": self.total, "page_count": self.number},
            "members": list(self.export.members(self.part)),
        }
        return json.dumps({"action": self.export.action, "parameters": parameters}).encode()

    def __len__(self) -> int:
        return len(range(*self.part.indices(len(self.export))))
