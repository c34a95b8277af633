"""What the stand-in has taken: events once each, and profiles with every operator applied (mixpanel-facts 3.2-3.5)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from config.clock import DAY, HOUR, SECOND

ILLEGAL = frozenset(
    {
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na"),
        *("undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    }
)
TABLES = {"practice-products": "sku,name\nA-1,Desk\n", "practice-plans": "plan,price\npro,49\n"}  # to begin with
OLDEST = 365 * DAY // SECOND  # 1971, in seconds
MILLISECONDS = 10**11  # a larger time is one in milliseconds
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")

Record = dict[str, Any]
Fault = tuple[str, str]  # the field, and what is wrong with it


@dataclass
class Shelf:
    """`events` are (seconds when they came, event), each `$insert_id` once; profiles are by (token, key, id)."""

    events: dict[tuple[Any, ...], tuple[float, Record]] = field(default_factory=dict)
    profiles: dict[tuple[Any, ...], Record] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=lambda: dict(TABLES))
    lock: Lock = field(default_factory=Lock)

    def take_event(self, event: Record, now: float) -> None:
        """Keep an event; one with the same name, id, time and `$insert_id` is counted once."""
        properties = event["properties"]
        seconds = seconds_of(properties.get("time", now))
        insert_id = properties.get("$insert_id") or object()
        key = (event["event"], properties.get("distinct_id"), seconds, insert_id)
        with self.lock:
            self.events[key] = (now, {"event": event["event"], "properties": properties | {"time": int(seconds)}})

    def take_update(self, update: Record) -> None:
        """Apply one operator to one profile."""
        key = (update["$token"], update.get("$group_key"), str(update.get("$group_id", update.get("$distinct_id"))))
        with self.lock:
            if "$delete" in update:
                self.profiles.pop(key, None)
                return
            profile = self.profiles.setdefault(key, {})
            for operator, change in update.items():
                if operator in OPERATORS:
                    OPERATORS[operator](profile, change)


def seconds_of(time: Any) -> float:
    """Return the seconds since 1970 of a time in seconds or milliseconds."""
    return float(time) / 1000 if float(time) > MILLISECONDS else float(time)


def fault_of_import(event: Any, now: float) -> Fault | None:
    """Return the first thing for which `/import` with `strict=1` refuses an event (mixpanel-facts 4.1)."""
    if not isinstance(event, dict) or not isinstance(event.get("event"), str) or not event["event"]:
        return "event", "'event' must be a non-empty string"
    if not isinstance(event.get("properties"), dict):
        return "properties", "'properties' must be an object"
    return next(_faults(event["properties"], now), None)


def _faults(properties: Record, now: float) -> Iterator[Fault]:
    time = properties.get("time")
    if not isinstance(time, int | float) or isinstance(time, bool):
        yield _invalid("time", "must be specified as seconds since epoch")
    elif not OLDEST <= seconds_of(time) <= now + HOUR // SECOND:
        yield _invalid("time", "must not be before 1971 or in the future")
    if not isinstance(properties.get("distinct_id"), str):
        yield _invalid("distinct_id", "must not be missing")
    for name in ("distinct_id", "$insert_id"):
        if str(properties.get(name)).lower() in ILLEGAL:
            yield _invalid(name, "must not be one of the illegal ids")
    if not _INSERT_ID.fullmatch(str(properties.get("$insert_id", ""))):
        yield _invalid("$insert_id", "must be 1 to 36 letters, digits or -")


def _invalid(name: str, what: str) -> Fault:
    return f"properties.{name}", f"'properties.{name}' is invalid: {what}"


def fault_of_update(update: Any, *, group: bool) -> Fault | None:
    """Return the first thing for which `/engage` or `/groups` refuses an update (mixpanel-facts 3.4, 3.5)."""
    if not isinstance(update, dict) or not update.get("$token"):
        return "$token", "$token, missing or empty"
    for name in ("$group_key", "$group_id") if group else ("$distinct_id",):
        if update.get(name) in {None, ""} or str(update[name]).lower() in ILLEGAL:
            return name, f"{name}, missing or empty"
    if not any(name in OPERATORS or name == "$delete" for name in update):
        return "$set", "no operator"
    if any(not isinstance(value, int | float) for value in (update.get("$add") or {}).values()):
        return "$add", "$add, must be numbers"
    return None


def _add(profile: Record, change: Record) -> None:
    for name, number in change.items():
        known = profile.get(name, 0)
        profile[name] = (known if isinstance(known, int | float) else 0) + number


def _append(profile: Record, change: Record) -> None:
    for name, value in change.items():
        profile[name] = [*_list(profile.get(name)), value]


def _remove(profile: Record, change: Record) -> None:
    for name, value in change.items():
        profile[name] = [kept for kept in _list(profile.get(name)) if kept != value]


def _union(profile: Record, change: Record) -> None:
    for name, values in change.items():
        known = _list(profile.get(name))
        profile[name] = known + [value for value in values if value not in known]


def _unset(profile: Record, names: list[str]) -> None:
    for name in names:
        profile.pop(name, None)


def _set_once(profile: Record, change: Record) -> None:
    for name, value in change.items():
        profile.setdefault(name, value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


OPERATORS: dict[str, Any] = {
    "$set": dict.update,
    "$set_once": _set_once,
    "$add": _add,
    "$append": _append,
    "$remove": _remove,
    "$union": _union,
    "$unset": _unset,
}
