"""Numbers as the tables print them, and what misses its goal."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(times: Sequence[float], share: float) -> float:
    """The `share` (0 to 100) of these, in milliseconds where they are seconds."""
    ordered = sorted(times)
    place = min(len(ordered) - 1, round(share / 100 * (len(ordered) - 1)))
    return ordered[place] * 1000


def middle(times: Sequence[float]) -> float:
    return statistics.median(times) * 1000


@dataclass
class Verdicts:
    """Every bar that was measured; `missed` is what to say of those that do not hold."""

    missed: list[str] = field(default_factory=list)

    def at_most(self, what: str, value: float, goal: float, unit: str = "") -> None:
        self._note(what, value, goal, unit, "at most", kept=value <= goal)

    def at_least(self, what: str, value: float, goal: float, unit: str = "") -> None:
        self._note(what, value, goal, unit, "at least", kept=value >= goal)

    def true(self, what: str, *, holds: bool) -> None:
        print(f"  {'holds ' if holds else 'MISSED'}  {what}", flush=True)
        if not holds:
            self.missed.append(what)

    def _note(self, what: str, value: float, goal: float, unit: str, bound: str, *, kept: bool) -> None:
        self.true(f"{what}: {value:,.2f}{unit} ({bound} {goal:,.2f}{unit})", holds=kept)
