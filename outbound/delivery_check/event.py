"""The event that is looked for, as it was sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outbound.deliveries import Delivery

OPERATIONS = frozenset({"import-events", "track-event"})
IN_MILLISECONDS = 10**11  # a time from here on is in milliseconds, and below it in seconds
LATEST = 253_402_300_799_000  # the last second of the year 9999
LONGEST = 255  # characters of a name that Mixpanel keeps (mixpanel-facts 4.3)

Record = dict[str, Any]


class CannotLook(Exception):
    """There is nothing that could be looked for; says why in a plain sentence."""


@dataclass(frozen=True)
class Sought:
    """An event's name and ids, and the moment that it has (milliseconds)."""

    event: str
    distinct_id: str
    insert_id: str
    at: int


def sought(delivery: Delivery, index: int | None = None) -> Sought:
    """Return the event of this delivery at `index`, or else the first that Mixpanel did not refuse. Raises
    CannotLook."""
    if delivery.operation not in OPERATIONS:
        raise CannotLook("Only events can be looked for: this call sent none.")
    refused = refused_places(delivery)
    if delivery.verdict == "rejected" or index in refused:
        raise CannotLook("Mixpanel refused this event, so there is nothing to look for. See what it answered.")
    sent = records(delivery)
    wanted = index if index is not None else next((n for n in range(len(sent)) if n not in refused), 0)
    if not 0 <= wanted < len(sent):
        raise CannotLook("This call has no such record, or its body was too long to be kept whole.")
    return _sought(sent[wanted], delivery.at)


def records(delivery: Delivery) -> list[Record]:
    """Return the records of its body, as far as the body was kept."""
    body = delivery.request.get("body") if isinstance(delivery.request, dict) else None
    return [value for value in _values(body or "") if isinstance(value, dict)]


def refused_places(delivery: Delivery) -> set[int]:
    """Return the places of the records that Mixpanel named as failed."""
    return {record["index"] for record in delivery.failed_records or () if isinstance(record.get("index"), int)}


def moment(time: Any, otherwise: int) -> int:
    """Return an event's time in milliseconds; `otherwise` for what is none."""
    if isinstance(time, bool) or not isinstance(time, int | float) or time != time:  # noqa: PLR0124 - NaN
        return otherwise
    found = time if time >= IN_MILLISECONDS else time * 1000
    return int(found) if 0 <= found <= LATEST else otherwise


def _sought(record: Record, sent_at: int) -> Sought:
    properties = record.get("properties")
    if not isinstance(properties, dict) or not properties.get("$insert_id"):
        raise CannotLook("This event has no $insert_id, so it cannot be told from others like it.")
    distinct_id = properties.get("distinct_id")
    return Sought(
        _storable(record.get("event", ""))[:LONGEST],
        "" if distinct_id is None else _storable(distinct_id),
        _storable(properties["$insert_id"]),
        moment(properties.get("time"), sent_at),
    )


def _storable(value: Any) -> str:
    return str(value).replace("\0", "")  # PostgreSQL's text holds none


def _values(body: str) -> Iterator[Any]:
    """Yield a JSON list's elements, one value, or a value a line; the end of a body that was cut is left out."""
    decoder = json.JSONDecoder()
    place = len(body) - len(body.lstrip("[ \r\n\t"))
    while place < len(body):
        try:
            value, place = decoder.raw_decode(body, place)
        except (ValueError, RecursionError):
            return
        yield value
        while place < len(body) and body[place] in ", \r\n\t]":
            place += 1
