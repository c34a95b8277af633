"""Names to choose from while a call is composed: of events and of properties, as earlier calls to a project had them.

They come from the history: what was sent, and Mixpanel's own lists where somebody asked for them. Nothing is asked
anew, and no value of anybody is among them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from models import Delivery

CALLS = 40  # the newest that are looked at
LONGEST = 4_000  # characters of a call that is looked at
LONGEST_LIST = 60_000
MOST = 100  # names of each kind
LONGEST_NAME = 200
LISTS = {"query-months-top-event-names": "events", "query-events-top-properties": "properties"}
OBJECTS = ("properties", "$set", "$set_once", "$add", "$append", "$remove", "$union")
OURS = {"time", "distinct_id", "$insert_id", "token"}  # fields of their own
EVENTS = ("event", "born_event")


@dataclass(frozen=True)
class Names:
    """The newest first, each once."""

    events: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()


def names(db: Connection, project: str) -> Names:
    """Return the names of a project's earlier calls."""
    given = func.coalesce(func.length(Delivery.given), 0)
    answer = func.coalesce(func.length(Delivery.answer), 0)
    calls = (
        select(Delivery.operation, Delivery.given, Delivery.answer)
        .where(Delivery.project == project, Delivery.verdict == "accepted", Delivery.import_id.is_(None))
        .where(given.between(1, LONGEST), answer <= LONGEST_LIST)
        .order_by(Delivery.id.desc())
        .limit(CALLS)
    )
    rows = db.execute(calls).all()
    lists = [(LISTS[row.operation], _read(row.answer)) for row in rows if row.operation in LISTS]
    sent = [record for row in rows for record in _records(row)]
    return Names(
        _once([*_events(sent), *(name for kind, found in lists if kind == "events" for name in _names(found))]),
        _once([*_properties(sent), *(name for kind, found in lists if kind == "properties" for name in _names(found))]),
    )


def _records(row: Row[str, str | None, str | None]) -> list[dict[str, Any]]:
    """Return what a call was made from, and the records of its body."""
    given = _read(row.given)
    if not isinstance(given, dict):
        return []
    body = given.get("body")
    body = _read(body) if isinstance(body, str) else body  # as it was typed
    found = [given.get("params"), *(body if isinstance(body, list) else [body])]
    return [one for one in found if isinstance(one, dict)]


def _events(sent: list[dict[str, Any]]) -> Iterator[Any]:
    for record in sent:
        for name in EVENTS:
            value = record.get(name)
            yield from value.splitlines() if isinstance(value, str) else _names(value)


def _properties(sent: list[dict[str, Any]]) -> Iterator[Any]:
    for record in sent:
        for name in OBJECTS:
            yield from _names(record.get(name))


def _names(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | dict) else []


def _once(found: Iterable[Any]) -> tuple[str, ...]:
    good = (name for name in found if isinstance(name, str) and 0 < len(name.strip()) <= LONGEST_NAME)
    return tuple(name for name in dict.fromkeys(good) if name not in OURS)[:MOST]


def _read(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
