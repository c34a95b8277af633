"""Funnels and retention that are broken down by a property: what each of its values came to, over all days."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from outbound.answers.types import MOST_COLUMNS, Cell, Column, Table, number, table

ALL = "$overall"  # everybody, beside the values
OWN = frozenset({ALL, "steps", "analysis", "counts", "first"})  # names that are no values of a property

Numbers = list[int | float]
Read = Callable[[Any], Numbers | None]


def by_value(days: Iterable[Mapping[str, Any]], read: Read) -> list[tuple[str, Numbers]]:
    """Return the sums of all days for each value of the property, the largest first. `read` returns the numbers of a
    value on a day, None where that is none."""
    sums: dict[str, Numbers] = {}
    for day in days:
        for value, found in day.items():
            counts = None if value in OWN else read(found)
            if counts:
                sums[value] = _added(sums.get(value, []), counts)
    return sorted(sums.items(), key=lambda pair: -pair[1][0])


def summed(values: list[tuple[str, Numbers]]) -> Numbers:
    """Return what all values came to together."""
    every: Numbers = []
    for _, counts in values:
        every = _added(every, counts)
    return every


def _added(one: Numbers, other: Numbers) -> Numbers:
    width = max(len(one), len(other))
    return [sum(found[place] for found in (one, other) if place < len(found)) for place in range(width)]


def steps_of(found: Any) -> Numbers | None:
    """Return how many came to each step of a funnel."""
    steps = found.get("steps") if isinstance(found, dict) else found
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        return None
    return [number(step.get("count")) or 0 for step in steps[: MOST_COLUMNS - 2]]


def returns_of(found: Any) -> Numbers | None:
    """Return how many began, and how many of them came back by interval."""
    if not isinstance(found, dict) or not isinstance(found.get("counts"), list):
        return None
    return [number(found.get("first")) or 0, *(number(one) or 0 for one in found["counts"][: MOST_COLUMNS - 2])]


def funnel_table(heads: list[str], values: list[tuple[str, Numbers]]) -> Table:
    """Return a row for each value: its steps, and the share that came through."""
    width = len(heads)
    rows = [
        (value, *_filled(counts, width), _share(counts[width - 1] if len(counts) >= width else 0, counts[0]))
        for value, counts in values
    ]
    columns = [Column("Value"), *(Column(head, "number", plotted=not place) for place, head in enumerate(heads))]
    return table([*columns, Column("Came through", "share")], rows, title="By value", chart="bars")


def retention_table(unit: str, values: list[tuple[str, Numbers]]) -> Table:
    """Return a row for each value: who began, and who came back."""
    width = max(len(counts) for _, counts in values)
    rows: list[tuple[Cell, ...]] = [(value, *_filled(counts, width)) for value, counts in values]
    heads = [Column(f"{unit} {place}", "number") for place in range(1, width)]
    return table(
        [Column("Value"), Column("People", "number", plotted=True), *heads], rows, title="By value", chart="bars"
    )


def _filled(counts: Numbers, width: int) -> list[Cell]:
    return [*counts[:width], *[None] * (width - len(counts))]


def _share(some: float, of: float) -> float | None:
    return round(some / of, 4) if of else None
