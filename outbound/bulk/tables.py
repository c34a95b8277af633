"""Rows of a CSV as records: which column is the event's name, who it is about, when it was, and what is a property."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SKIP, PROPERTY = "skip", "property"
# What a column may be, for each kind; everything else is a property.
TARGETS = {
    "events": ("event", "distinct_id", "time", "$insert_id", "$device_id", "$user_id"),
    "people": ("$distinct_id", "$time"),
    "groups": ("$group_id", "$group_key"),
}
# Names that columns have, small letters without signs, and what they usually mean; the surest first.
_KNOWN = {
    "event": "event",
    "eventname": "event",
    "eventtype": "event",
    "action": "event",
    "name": "event",
    "distinctid": "distinct_id",
    "userid": "distinct_id",
    "user": "distinct_id",
    "uid": "distinct_id",
    "customerid": "distinct_id",
    "id": "distinct_id",
    "time": "time",
    "timestamp": "time",
    "ts": "time",
    "occurredat": "time",
    "datetime": "time",
    "createdat": "time",
    "date": "time",
    "insertid": "$insert_id",
    "deviceid": "$device_id",
    "groupid": "$group_id",
    "groupkey": "$group_key",
}
_SURENESS = {name: place for place, name in enumerate(_KNOWN)}

Record = dict[str, Any]


@dataclass(frozen=True)
class Columns:
    """`mapping`: column to target (`property`, `skip`, or one of TARGETS). `always` stands for every row what no column
    says: an event's name, a group key. `operator` is what profiles get."""

    kind: str = "events"
    mapping: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    operator: str = "$set"

    def record(self, row: dict[str, str]) -> Record:
        """The record of a row; empty cells say nothing."""
        top: Record = dict(self.always)
        properties: Record = {}
        for name, text in row.items():
            target = self.mapping.get(name, PROPERTY)
            if target == SKIP or not text.strip():
                continue
            if target == PROPERTY:
                properties[name] = loose(text)
            else:
                top[target] = moment(text) if target in {"time", "$time"} else text.strip()
        return self._event(top, properties) if self.kind == "events" else self._update(top, properties)

    def _event(self, top: Record, properties: Record) -> Record:
        event = top.pop("event", "")
        return {"event": event, "properties": properties | top}

    def _update(self, top: Record, properties: Record) -> Record:
        value: Any = list(properties) if self.operator == "$unset" else properties
        return top | ({self.operator: ""} if self.operator == "$delete" else {self.operator: value})


def guessed(kind: str, names: list[str]) -> dict[str, str]:
    """What each column probably is; no target twice, and the surest name gets it."""
    found = dict.fromkeys(names, PROPERTY)
    for name in sorted(found, key=lambda one: _SURENESS.get(_plain(one), len(_KNOWN))):
        target = _KNOWN.get(_plain(name), PROPERTY)
        if kind != "events" and target == "distinct_id":
            target = "$distinct_id" if kind == "people" else "$group_id"
        if target in TARGETS[kind] and target not in found.values():
            found[name] = target
    return found


def _plain(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum())


def loose(text: str) -> Any:
    """A cell: a number or true and false where JSON has it so, a list or an object, else text; `007` stays text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if found is None or isinstance(found, str) else found


def moment(text: str) -> Any:
    """A time: a number of seconds or milliseconds since 1970, or a date by ISO 8601 (UTC where it does not say)."""
    value = loose(text.strip())
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
