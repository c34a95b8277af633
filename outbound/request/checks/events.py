"""Events: what `/import` refuses, and what `/track` drops without a word (mixpanel-facts 3.2, 3.3, 3.6, 4.1)."""

import math
import re
from collections.abc import Iterator
from typing import Any

from config.clock import DAY, HOUR
from outbound.operations.types import Problem, RecordKind
from outbound.request.checks.ids import is_illegal, is_insert_id, whose
from outbound.request.checks.values import advice, check_values, too_long

OLDEST = 365 * DAY  # 1971-01-01
AHEAD = HOUR
TRACKED = 5 * DAY
IN_MILLISECONDS = 10**11  # a time from here on is in milliseconds

# Events that say who is who have rules of their own, wherever they stand.
IDENTITY: dict[str, RecordKind] = {"$identify": "identify", "$create_alias": "alias", "$merge": "merge"}

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def check_event(kind: RecordKind, event: dict[str, Any], now: int) -> list[Problem]:
    """Return everything that is wrong with an event of this kind."""
    name, properties = event.get("event"), event.get("properties")
    if not isinstance(name, str) or not name:
        return [Problem("error", "event", "An event has a name: a text that is not empty.")]
    if not isinstance(properties, dict):
        return [Problem("error", "properties", "An event has properties: an object, such as {}.")]
    problems = []
    if too_long(name):
        problems.append(advice("event", "Mixpanel cuts names after 255 bytes.", "cut-name"))
    if len(event) > 2:  # noqa: PLR2004 - event and properties
        extra = ", ".join(sorted(event.keys() - {"event", "properties"}))
        words = f"Beside event and properties nothing may stand in an event: {extra}."
        problems.append(advice("event", words, "extra"))
    problems.extend(_OF_KIND[IDENTITY.get(name, kind)](properties, now))
    problems.extend(check_values("properties", properties))
    return problems


def _imported(properties: dict[str, Any], now: int) -> Iterator[Problem]:
    if "distinct_id" not in properties and not _is_merged(properties):
        words = 'It is missing; Mixpanel refuses the event. Nobody is "".'
        yield advice("properties.distinct_id", words, "nobody")
    yield from _ids(properties)
    if "time" not in properties:
        yield advice("properties.time", "It is missing; Mixpanel refuses the event.", "no-time")
    else:
        yield from _time(properties["time"], now, OLDEST, "Mixpanel refuses what is from before 1971.")


def _is_merged(properties: dict[str, Any]) -> bool:
    """Tell whether Simplified ID Merge says who it is."""
    return "$user_id" in properties or "$device_id" in properties


def _tracked(properties: dict[str, Any], now: int) -> Iterator[Problem]:
    if "distinct_id" not in properties and not _is_merged(properties):
        words = "It is missing; Mixpanel makes one from this server's address."
        yield advice("properties.distinct_id", words, "nobody")
    yield from _ids(properties)
    if "time" in properties:
        oldest = now - TRACKED
        yield from _time(properties["time"], now, oldest, "Mixpanel drops what is older than 5 days here; import it.")


def _ids(properties: dict[str, Any]) -> Iterator[Problem]:
    for name in ("distinct_id", "$user_id", "$device_id"):
        if name in properties:
            yield from whose(f"properties.{name}", properties[name])
    insert_id = properties.get("$insert_id")
    if insert_id is None:
        return
    if is_illegal(insert_id):
        words = f'"{insert_id}" is an id that Mixpanel throws away.'
        yield advice("properties.$insert_id", words, "insert-id")
    elif not is_insert_id(insert_id):
        yield advice("properties.$insert_id", "It has 1 to 36 letters (A to Z), digits or -.", "insert-id")


def _time(time: Any, now: int, oldest: int, too_old: str) -> Iterator[Problem]:
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        yield advice("properties.time", "It must be a number: seconds or milliseconds since 1970.", "time")
        return
    moment = time if time >= IN_MILLISECONDS else time * 1000
    if moment < oldest:
        yield advice("properties.time", too_old, "time")
    elif moment > now + AHEAD:
        yield advice("properties.time", "It is more than an hour ahead; Mixpanel refuses the event.", "time")


def _identify(properties: dict[str, Any], _now: int) -> Iterator[Problem]:
    for name in ("$identified_id", "$anon_id"):
        yield from _is_id(properties, name)
    anonymous = properties.get("$anon_id")
    if isinstance(anonymous, str) and anonymous and not _UUID4.fullmatch(anonymous):
        yield advice("properties.$anon_id", "Mixpanel wants a UUID of version 4 here.", "identity")


def _alias(properties: dict[str, Any], _now: int) -> Iterator[Problem]:
    for name in ("distinct_id", "alias"):
        yield from _is_id(properties, name)
    if properties.get("alias") and properties.get("alias") == properties.get("distinct_id"):
        yield advice("properties.alias", "It is the same as the id.", "identity")


def _merge(properties: dict[str, Any], _now: int) -> Iterator[Problem]:
    ids = properties.get("$distinct_ids")
    if not isinstance(ids, list) or len(ids) != 2 or not all(isinstance(identifier, str) for identifier in ids):  # noqa: PLR2004
        yield advice("properties.$distinct_ids", "It is a list of exactly two texts.", "identity")
    elif any(map(is_illegal, ids)):
        yield advice("properties.$distinct_ids", "One of them is an id that Mixpanel throws away.", "illegal-id")


def _is_id(properties: dict[str, Any], name: str) -> Iterator[Problem]:
    value = properties.get(name)
    if not isinstance(value, str) or not value:
        yield advice(f"properties.{name}", "It must be a text that is not empty.", "identity")
    elif is_illegal(value):
        yield advice(f"properties.{name}", f'"{value}" is an id that Mixpanel throws away.', "illegal-id")


_OF_KIND = {
    "imported-event": _imported,
    "tracked-event": _tracked,
    "identify": _identify,
    "alias": _alias,
    "merge": _merge,
}
