"""Mixpanel as one connection sees it: every cycle each of its cohorts is synced, one after another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simulator.exports import Cohort
from simulator.sender import GaveUp, Paused, Sender

CLOSING_CYCLES = 5  # further cycles that a cohort gets whose last sync failed, before the comparison

Moves = Callable[[Cohort, Random], None]


@dataclass
class Connection:
    """A connection's cohorts and its place in simulated time. `minutes` lie between two cycles (Mixpanel: 30).

    `moves` lets people enter and leave a cohort between two cycles.
    """

    sender: Sender
    cohorts: list[Cohort]
    moves: Moves
    page_size: int = 1000
    minutes: int = 30
    minute: int = 0
    troubles: list[str] = field(default_factory=list)  # what an operator would read in Mixpanel, oldest first

    def cycle(self) -> None:
        """Let people move, then sync every cohort. A paused sync stays paused."""
        for cohort in self.cohorts:
            if cohort.snapshot is not None:
                self.moves(cohort, self.sender.dice)
        self.sync_all(self.cohorts)

    def close(self) -> None:
        """Sync again what failed last, as the coming cycles would, with nobody moving."""
        for _ in range(CLOSING_CYCLES):
            behind = [cohort for cohort in self.cohorts if not cohort.in_step]
            if not behind:
                return
            self.sync_all(behind)

    @property
    def is_paused(self) -> bool:
        """Tell whether Mixpanel has paused every sync of this connection."""
        return all(cohort.paused is not None for cohort in self.cohorts)

    def forget(self) -> list[str]:
        """Drop what only the comparison at a run's end needs; returns the troubles that were dropped."""
        for cohort in self.cohorts:
            cohort.delivered.clear()
        return [self.troubles.pop(0) for _ in range(len(self.troubles))]

    def sync_all(self, cohorts: list[Cohort]) -> None:
        for cohort in cohorts:
            if self.sender.stop.is_set():
                return
            if cohort.paused is None:
                self.sync(cohort)
        self.minute += self.minutes

    def sync(self, cohort: Cohort) -> bool:
        """Sync one cohort; tell whether it succeeded. A failed one leaves the snapshot where it was."""
        self.sender.tally.syncs += 1
        try:
            self._deliver(cohort)
        except (GaveUp, Paused) as error:
            cohort.failed()
            self.sender.tally.failed_syncs += 1
            if isinstance(error, Paused):
                cohort.paused = str(error)
            self.troubles.append(f"{self.sender.username}, {cohort.name}: {_says(error)}")
            return False
        cohort.succeeded(self.minute)
        return True

    def _deliver(self, cohort: Cohort) -> None:
        dice = self.sender.dice
        exports = cohort.due(self.minute, self.sender.new_id, one_id=dice.choice((True, False)))
        if self.sender.troubles.out_of_order:
            dice.shuffle(exports)
        for export in exports:
            done = self.sender.deliver(export, self.page_size)
            cohort.delivered[done.session_id, done.action] = len(done)


def _says(error: GaveUp | Paused) -> str:
    if isinstance(error, Paused):
        return f"paused, {error}"
    return f"gave up until the next cycle, {error}"


def churn(share: float) -> Moves:
    """Return the moves that let about `share` of a cohort leave at each cycle, and about as many enter."""

    def moves(cohort: Cohort, dice: Random) -> None:
        expected = share * max(len(cohort.members), 1)
        cohort.drift(dice, _about(expected, dice), _about(expected, dice))

    return moves


def _about(expected: float, dice: Random) -> int:
    """Return a whole number between nothing and twice `expected`, `expected` on average."""
    amount = expected * 2 * dice.random()
    return int(amount) + (dice.random() < amount % 1)
