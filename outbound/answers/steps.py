"""What people go through: funnels, retention, frequency."""

from collections.abc import Mapping
from typing import Any

from config.counts import counted
from outbound.answers import breakdowns
from outbound.answers.types import MOST_COLUMNS, AnswerTables, Cell, Column, Table, number, table, total

Params = Mapping[str, Any]
Counts = list[tuple[str, list[int | float]]]  # by date


def funnel(_params: Params, body: Any) -> AnswerTables | None:
    """Read `data`: a date, then `steps`, each with a count."""
    every = _of_days(body)
    values = breakdowns.by_value((day for _, day in every), breakdowns.steps_of)
    days = _days(every)
    if not days:
        return None
    width = max(len(steps) for _, steps in days)
    longest = next(steps for _, steps in days if len(steps) == width)
    heads = [_label(step, place) for place, step in enumerate(longest)]
    counts: Counts = [(date, [number(step.get("count")) or 0 for step in steps]) for date, steps in days]
    sums = [sum(found[place] for _, found in counts if place < len(found)) for place in range(len(heads))]
    through = f"{sums[-1]:,} of {sums[0]:,} came through{_percent(sums[-1], sums[0])}"
    says = f"{counted(len(heads), 'step')}, {counted(len(counts), 'day')}, {through}"
    tables = (_steps(heads, sums, days), _by_day(heads, counts, sums))
    if not values:
        return AnswerTables(says, tables)
    says += f", {counted(len(values), 'value')}"
    return AnswerTables(says, (breakdowns.funnel_table(heads, values), *tables))


def _of_days(body: Any) -> list[tuple[str, dict[str, Any]]]:
    data = body.get("data") if isinstance(body, dict) else None
    return [(date, day) for date, day in data.items() if isinstance(day, dict)] if isinstance(data, dict) else []


def _days(every: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the steps of everybody; where only those of values are there, of all values together."""
    found = []
    for date, day in every:
        steps = day.get("steps", day.get(breakdowns.ALL)) or _of_values(day)
        steps = steps.get("steps") if isinstance(steps, dict) else steps
        good = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
        found += [(date, good[: MOST_COLUMNS - 1])] if good else []
    return sorted(found, key=lambda pair: pair[0])


def _of_values(day: dict[str, Any]) -> list[dict[str, Any]]:
    sums = breakdowns.summed(breakdowns.by_value([day], breakdowns.steps_of))
    names = next((found for found in day.values() if isinstance(found, list)), [])
    return [
        {"step_label": step.get("step_label"), "event": step.get("event"), "goal": step.get("goal"), "count": count}
        for step, count in zip(names, sums, strict=False)
        if isinstance(step, dict)
    ]


def _label(step: dict[str, Any], place: int) -> str:
    name = step.get("step_label") or step.get("event") or step.get("goal") or ""
    return f"{place + 1}. {str(name)[:80]}".rstrip(" .") if name else f"Step {place + 1}"


def _steps(heads: list[str], sums: list[int | float], days: list[tuple[str, list[dict[str, Any]]]]) -> Table:
    """Return the steps over all days, with what went on from the one before."""
    before = [sums[0], *sums[:-1]]
    waits = [_wait([steps[place] for _, steps in days if place < len(steps)]) for place in range(len(heads))]
    rows: list[tuple[Cell, ...]] = [
        (head, count, _part(count, one) if place else None, _part(count, sums[0]), wait)
        for place, (head, count, one, wait) in enumerate(zip(heads, sums, before, waits, strict=True))
    ]
    columns = [Column("Step"), Column("Came", "number", plotted=True), Column("Of the step before", "share")]
    columns += [Column("Of the first", "share"), Column("Seconds since the step before, on average", "number")]
    return table(columns, rows, title="Steps", chart="bars")


def _wait(steps: list[dict[str, Any]]) -> Cell:
    """Return the average time to a step, weighted by how many came."""
    pairs = [(number(step.get("avg_time")), number(step.get("count"))) for step in steps]
    known = [(time, count) for time, count in pairs if time is not None and count]
    came = sum(count for _, count in known)
    return round(sum(time * count for time, count in known) / came) if came else None


def _by_day(heads: list[str], counts: Counts, sums: list[int | float]) -> Table:
    columns = [Column("Date", "date"), *(Column(head, "number", plotted=True) for head in heads)]
    rows: list[tuple[Cell, ...]] = [(date, *_padded(found, len(heads))) for date, found in counts]
    return table(columns, rows, title="By day", chart="line", totals=("Total", *sums))


def retention(params: Params, body: Any) -> AnswerTables | None:
    """Read a date, then `first`, how many began, and `counts`, how many came back by interval."""
    days = [(date, day) for date, day in sorted(body.items())] if isinstance(body, dict) else []
    every = [(date, day) for date, day in days if isinstance(day, dict)]
    values = breakdowns.by_value((day for _, day in every), breakdowns.returns_of)
    good = [(date, one) for date, day in every if (one := _everybody(day)) is not None]
    if not good:
        return None
    counts: Counts = [(date, [number(one) or 0 for one in day["counts"][: MOST_COLUMNS - 2]]) for date, day in good]
    widest = max(len(found) for _, found in counts)
    firsts = [number(day.get("first")) or 0 for _, day in good]
    rows: list[tuple[Cell, ...]] = [
        (date, first, *_padded(found, widest)) for (date, found), first in zip(counts, firsts, strict=True)
    ]
    unit = params.get("unit") if params.get("unit") in {"week", "month"} else "day"
    heads = [Column(f"{unit} {place}", "number", plotted=place < 3) for place in range(1, widest + 1)]  # noqa: PLR2004
    sums = [sum(found[place] for _, found in counts if place < len(found)) for place in range(widest)]
    columns = [Column("Began", "date"), Column("People", "number", plotted=True), *heads]
    says = f"{counted(len(rows), str(unit))}, {counted(total([*firsts]), 'person', 'people')} began"
    says += f", {sums[0]:,} came back in the first {unit}{_percent(sums[0], total([*firsts]))}" if sums else ""
    by_day = table(
        columns, rows, title="By day" * bool(values), chart="line", totals=("Total", total([*firsts]), *sums)
    )
    if not values:
        return AnswerTables(says, (by_day,))
    return AnswerTables(
        f"{says}, {counted(len(values), 'value')}", (breakdowns.retention_table(str(unit), values), by_day)
    )


def _everybody(day: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is said of everybody on a day; where only values are there, of all values together."""
    for one in (day, day.get(breakdowns.ALL)):
        if isinstance(one, dict) and isinstance(one.get("counts"), list):
            return one
    sums = breakdowns.summed(breakdowns.by_value([day], breakdowns.returns_of))
    return {"first": sums[0], "counts": sums[1:]} if sums else None


def frequency(params: Params, body: Any) -> AnswerTables | None:
    """Read `data`, or the whole answer: a date, then how many were there in at least 1, 2, 3… units."""
    data = body.get("data", body) if isinstance(body, dict) else None
    days = sorted(data.items()) if isinstance(data, dict) else []
    counts: Counts = [
        (date, [number(one) or 0 for one in found[: MOST_COLUMNS - 1]])
        for date, found in days
        if isinstance(found, list)
    ]
    widest = max((_used(found) for _, found in counts), default=0)
    if not widest:
        return None
    unit = "day" if params.get("addiction_unit") == "day" else "hour"
    heads = [Column(f"{place}+ {unit}s", "number", plotted=place < 4) for place in range(1, widest + 1)]  # noqa: PLR2004
    rows: list[tuple[Cell, ...]] = [(date, *_padded(found, widest)) for date, found in counts]
    span = params.get("unit") if params.get("unit") in {"week", "month"} else "day"
    most = max(found[0] for _, found in counts if found)
    people = counted(most, "person", "people")
    says = f"{counted(len(rows), str(span))}, up to {people}, in up to {counted(widest, unit)} of one"
    return AnswerTables(says, (table([Column("Date", "date"), *heads], rows, chart="line"),))


def _used(found: list[int | float]) -> int:
    """Return how many of the numbers there are up to the last that is no zero."""
    return max((place + 1 for place, one in enumerate(found) if one), default=0)


def _padded(found: list[int | float], width: int) -> list[Cell]:
    return [*found[:width], *[None] * (width - len(found))]


def _part(some: float, of: float) -> float | None:
    return round(some / of, 4) if of else None


def _percent(some: float, of: float) -> str:
    return f" ({some / of:.1%})" if of else ""
