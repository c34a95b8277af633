"""Numbers over time: events, segments and properties by day, sums, averages, saved reports."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from config.counts import counted, plural
from outbound.answers.types import AnswerTables, Cell, Column, number, table, total

Params = Mapping[str, Any]
Values = dict[str, dict[str, int | float]]

PLOTTED = 5  # lines that a chart can tell apart
MOST_LEAVES = 20_000
DEEPEST = 8
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PROPERTY = re.compile(r"""properties\[\s*["']([^"']+)["']\s*\]""")
_PLAIN = re.compile(r"[a-z]{3,}")


def segments(params: Params, body: Any) -> AnswerTables | None:
    """Read `data.values`: a name, then a date, then a number."""
    data = body.get("data") if isinstance(body, dict) else None
    values = _values(data.get("values") if isinstance(data, dict) else None)
    return _told(params, values, _dates(values, data.get("series"))) if values and isinstance(data, dict) else None


def results(params: Params, body: Any) -> AnswerTables | None:
    """Read `results`, or the whole answer: a date, then a number."""
    found = body.get("results") if isinstance(body, dict) else None
    values = _numbers(found)
    if not values:
        return None
    dates, is_sum = sorted(values), "results_sum" in params
    name = "Sum" if is_sum else "Average"
    rows: list[tuple[Cell, ...]] = [(date, values[date]) for date in dates]
    added = total(list(values.values()))
    words = (
        f"{_number(added)} in all"
        if is_sum
        else f"from {_number(min(values.values()))} to {_number(max(values.values()))}"
    )
    shown = table(
        [Column("Date", "date"), Column(name, "number", plotted=True)],
        rows,
        chart="line",
        totals=("Total", added) if is_sum else (),
    )
    return AnswerTables(f"{_spans(params, dates)}, {words}", (shown,))


def report(_params: Params, body: Any) -> AnswerTables | None:
    """Read `series` of a saved report: events, then breakdowns, then dates or the numbers themselves."""
    leaves = list(_leaves(body.get("series") if isinstance(body, dict) else None))
    if not leaves:
        return None
    if all(len(path) > 1 and _DATE.match(path[-1]) for path, _value in leaves):
        values: Values = {}
        for path, value in leaves:
            values.setdefault(" · ".join(path[:-1]), {})[path[-1]] = value
        return _told({"report": True}, values, _dates(values, None))
    deepest = max(len(path) for path, _value in leaves)
    heads = [Column("Of" if level == 0 else "and") for level in range(deepest)]
    rows = [(*path, *[None] * (deepest - len(path)), value) for path, value in leaves]
    return AnswerTables(counted(len(rows), "number"), (table([*heads, Column("Value", "number")], rows),))


def _leaves(value: Any) -> Iterator[tuple[tuple[str, ...], int | float]]:
    """Yield each number with the names that lead to it."""
    left: deque[tuple[tuple[str, ...], Any]] = deque([((), value)])
    for _turn in range(MOST_LEAVES):
        if not left:
            return
        path, inner = left.popleft()
        found = number(inner)
        if isinstance(inner, dict) and len(path) < DEEPEST:
            left.extend(((*path, name), one) for name, one in inner.items())
        elif found is not None and path:
            yield path, found


def _values(found: Any) -> Values:
    read = {name: _numbers(inner) for name, inner in found.items()} if isinstance(found, dict) else {}
    return {name: inner for name, inner in read.items() if inner}


def _numbers(found: Any) -> dict[str, int | float]:
    if not isinstance(found, dict):
        return {}
    read = {name: number(value) for name, value in found.items()}
    return {name: value for name, value in read.items() if value is not None}


def _dates(values: Values, listed: Any) -> list[str]:
    """Return all dates in order: those that Mixpanel lists, and those of the numbers."""
    named = {one for one in listed if isinstance(one, str)} if isinstance(listed, list) else set()
    return sorted(named | {date for inner in values.values() for date in inner})


def _told(params: Params, values: Values, dates: list[str]) -> AnswerTables:
    """Put dates into rows and names into columns, the largest first. Sums are told of what can be added."""
    adds = params.get("type", "general") in {"general", "", None}
    names = sorted(values, key=lambda name: -total(list(values[name].values())))
    shown = _shown(dates)
    heads = [Column(name, "number", plotted=place < PLOTTED) for place, name in enumerate(names)]
    missing = 0 if adds else None
    rows: list[tuple[Cell, ...]] = [
        (label, *(values[name].get(date, missing) for name in names)) for date, label in zip(dates, shown, strict=True)
    ]
    sums = [total(list(values[name].values())) for name in names]
    words = [_names(params, names), _spans(params, dates)]
    words += [counted(total([*sums]), "event")] if adds and not params.get("report") else []
    made = table([Column("Date", "date"), *heads], rows, chart="line", totals=("Total", *sums) if adds else ())
    return AnswerTables(", ".join(filter(None, words)), (made,))


def _names(params: Params, names: list[str]) -> str:
    """Say what the columns are: `5 countries`; nothing of an event that is not broken down."""
    by = params.get("name") or _PROPERTY.findall(str(params.get("on") or ""))[:1]
    by = by[0] if isinstance(by, list) and by else by
    if isinstance(by, str) and by:
        return counted(len(names), by) if _PLAIN.fullmatch(by) else f"{counted(len(names), 'value')} of {by[:80]}"
    if params.get("on"):
        return counted(len(names), "part")
    if params.get("report"):
        return counted(len(names), "line")
    return "" if len(names) == 1 else counted(len(names), "event name")


def _spans(params: Params, dates: list[str]) -> str:
    unit = params.get("unit")
    one = unit if unit in {"minute", "hour", "week", "month"} else "day"
    return counted(len(dates), one, plural(one))


def _shown(dates: list[str]) -> list[str]:
    """Write moments as days where they are that."""
    if all(_DATE.match(date) and date[10:19] in {"", "T00:00:00", " 00:00:00"} for date in dates):
        short = [date[:10] for date in dates]
        return short if len(set(short)) == len(dates) else dates
    return (
        [date[:16].replace("T", " ") for date in dates] if len({date[:16] for date in dates}) == len(dates) else dates
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
