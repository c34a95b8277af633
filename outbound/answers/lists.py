"""Lists: cohorts, profiles, events of people, names, values, and whatever else comes as objects in a list."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from config.clock import utc
from config.counts import counted
from outbound.answers.types import MOST_COLUMNS, AnswerTables, Cell, Column, cell, number, table, total

Params = Mapping[str, Any]
Objects = list[dict[str, Any]]

FIRST = ("$email", "$name", "$first_name", "$last_name", "$last_seen", "$city", "$country_code")
COHORT = ("id", "created", "description")
LATEST = 10**11  # seconds since 1970; what is larger is milliseconds
OLDEST, NEWEST = 0, 4_102_444_800  # seconds; 1970 to 2100


def cohorts(_params: Params, body: Any) -> AnswerTables | None:
    found = [one for one in _objects(body) if "id" in one]
    if not found:
        return _none_of(body, "cohort")
    rows: list[tuple[Cell, ...]] = [(*_named(one), *(_text(one.get(name)) for name in COHORT)) for one in found]
    columns = [Column("Cohort"), Column("Members", "number"), Column("Visible"), Column("Mixpanel's id", "id")]
    hidden = sum(row[2] == "hidden" for row in rows)
    says = counted(len(rows), "cohort") + (f", {hidden:,} of them hidden" if hidden else "")
    ids = [str(cell(one["id"])) for one in found]
    return AnswerTables(says, (table([*columns, Column("Created", "date"), Column("Description")], rows, cohorts=ids),))


def _named(one: dict[str, Any]) -> tuple[Cell, ...]:
    hidden = "hidden" if one.get("is_visible") == 0 else ""
    return str(cell(one.get("name")) or "(no name)"), number(one.get("count")), hidden


def profiles(_params: Params, body: Any) -> AnswerTables | None:
    """Read `results`: `$distinct_id` and `$properties`; or, of all pages, a profile a line."""
    found = [one for one in _objects(_results(body)) if "$distinct_id" in one]
    if not found:
        return _none_of(_results(body), "profile")
    names = _names((one.get("$properties") for one in found), FIRST)
    columns = [Column("Distinct id", "id"), *_columns((one.get("$properties") for one in found), names)]
    rows = [(_text(one["$distinct_id"]), *_picked(one.get("$properties"), names)) for one in found]
    every = number(body.get("total")) if isinstance(body, dict) else None
    says = counted(len(rows), "profile")
    if every is not None and every > len(rows):
        says = f"{len(rows):,} of {counted(every, 'profile')}"
    return AnswerTables(says, (table(columns, rows),))


def activity(_params: Params, body: Any) -> AnswerTables | None:
    """Read events with their properties: `results.events`, or an event a line."""
    found = [one for one in _objects(_events(body)) if isinstance(one.get("event"), str)]
    if not found:
        return _none_of(_events(body), "event")
    inner = [one["properties"] if isinstance(one.get("properties"), dict) else {} for one in found]
    who = [_text(one.get("distinct_id") or one.get("$distinct_id")) for one in inner]
    names = [name for name in _names(inner, ()) if name not in {"time", "distinct_id", "$distinct_id", "$insert_id"}]
    columns = [Column("Time", "date"), Column("Event"), Column("Distinct id", "id"), *_columns(inner, names)]
    rows = [
        (_moment(one.get("time")), cell(event["event"]), whose, *_picked(one, names))
        for event, one, whose in zip(found, inner, who, strict=True)
    ]
    people = len(set(filter(None, who)))
    says = counted(len(rows), "event") + (f" of {counted(people, 'person', 'people')}" if people else "")
    return AnswerTables(says, (table(columns, rows),))


def top_events(_params: Params, body: Any) -> AnswerTables | None:
    found = [one for one in _objects(body.get("events") if isinstance(body, dict) else None) if "event" in one]
    if not found:
        return None
    rows: list[tuple[Cell, ...]] = [
        (cell(one["event"]), number(one.get("amount")), number(one.get("percent_change"))) for one in found
    ]
    columns = [Column("Event"), Column("Today", "number", plotted=True), Column("Change since yesterday", "share")]
    adds = isinstance(body, dict) and body.get("type", "general") == "general"
    amount = total([row[1] for row in rows])
    says = counted(len(rows), "event name") + (f", {counted(amount, 'event')} today" if adds else "")
    totals = ("Total", amount, None) if adds else ()
    return AnswerTables(says, (table(columns, rows, chart="bars", totals=totals),))


def top_properties(_params: Params, body: Any) -> AnswerTables | None:
    found = body.items() if isinstance(body, dict) else ()
    counts = [(name, number(one.get("count"))) for name, one in found if isinstance(one, dict)]
    rows: list[tuple[Cell, ...]] = [(cell(name), count) for name, count in counts if count is not None]
    columns = [Column("Property"), Column("Events that have it", "number", plotted=True)]
    return AnswerTables(counted(len(rows), "property"), (table(columns, rows, chart="bars"),)) if rows else None


def names(word: str) -> Any:
    """Return a reader of a list of texts, each of which is a `word`."""

    def read(_params: Params, body: Any) -> AnswerTables | None:
        if not isinstance(body, list) or any(isinstance(one, dict | list) for one in body):
            return None
        if not body:
            return _none_of(body, word)
        rows: list[tuple[Cell, ...]] = [(cell(one),) for one in body]
        return AnswerTables(counted(len(rows), word), (table([Column(word.capitalize())], rows),))

    return read


def objects(_params: Params, body: Any) -> AnswerTables | None:
    """Read any list of objects, a column a name; also where it is called `results`."""
    found = _objects(_results(body))
    known = _names(found, ("name", "id"))
    if not known or len(found) != len(_results(body)):
        return None
    rows = [_picked(one, known) for one in found]
    return AnswerTables(counted(len(found), "row"), (table(_columns(found, known), rows),))


def _objects(found: Any) -> Objects:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _results(body: Any) -> Any:
    return body.get("results") if isinstance(body, dict) else body


def _events(body: Any) -> Any:
    found = _results(body)
    return found.get("events") if isinstance(found, dict) else found


def _none_of(found: Any, word: str) -> AnswerTables | None:
    """Say of an empty list that there was nothing; of anything else, nothing."""
    return AnswerTables(f"No {word}", ()) if found == [] else None


def _names(found: Iterable[Any], first: tuple[str, ...]) -> list[str]:
    """Return the names that most objects have, the usual ones first."""
    times = Counter(name for one in found if isinstance(one, dict) for name in one)
    usual = [name for name in first if name in times]
    return [*usual, *(name for name, _ in times.most_common() if name not in usual)][: MOST_COLUMNS - 3]


def _columns(found: Iterable[Any], known: list[str]) -> list[Column]:
    """Return a column a name; a number's where all are."""
    there = [one for one in found if isinstance(one, dict)]
    return [Column(name[:80], "number" if _are_numbers(there, name) else "text") for name in known]


def _are_numbers(found: Objects, name: str) -> bool:
    return all(number(one[name]) is not None for one in found if one.get(name) is not None) and not name.endswith("id")


def _picked(one: Any, known: list[str]) -> tuple[Cell, ...]:
    return tuple(cell(one.get(name)) for name in known) if isinstance(one, dict) else (None,) * len(known)


def _text(value: Any) -> Cell:
    return None if value is None else str(cell(value))


def _moment(value: Any) -> Cell:
    """Write seconds or milliseconds since 1970 as a time; anything else as it is."""
    found = number(value)
    seconds = None if found is None else found / 1000 if found > LATEST else found
    return utc(round(seconds * 1000)) if seconds is not None and OLDEST < seconds < NEWEST else cell(value)
