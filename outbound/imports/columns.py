"""Rows of a CSV as records: which column is the event's name, who it is about, when it was, and what is a property."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from outbound.readers import cells
from outbound.readers.table import shown
from outbound.request.checks.profiles import NOT_FOR_GROUPS, OPERATORS

SKIP, PROPERTY, TEXT = "skip", "property", "text"
GENERAL = (PROPERTY, TEXT, SKIP)  # what any column may be; a `text` is a property whose cells stay texts
# What a column may be, for each kind; everything else is a property.
TARGETS = {
    "events": ("event", "distinct_id", "time", "$insert_id", "$device_id", "$user_id"),
    "people": ("$distinct_id", "$time"),
    "groups": ("$group_id", "$group_key"),
}
# Without these no row is a record.
NEEDED = {"events": ("event",), "people": ("$distinct_id",), "groups": ("$group_key", "$group_id")}
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


class WrongColumns(ValueError):
    """The columns cannot be what they were said to be; says why."""


@dataclass(frozen=True)
class Columns:
    """`mapping`: column to target (`property`, `text`, `skip`, or one of TARGETS). `always` stands for every row what
    no column says: an event's name, a group key. `operator` is what profiles get."""

    kind: str = "events"
    mapping: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    operator: str = "$set"

    def record(self, row: dict[str, str]) -> Record:
        """Return the record of a row; empty cells say nothing."""
        top: Record = dict(self.always)
        properties: Record = {}
        for name, text in row.items():
            target = self.mapping.get(name, PROPERTY)
            if target == SKIP or not text.strip():
                continue
            if target == PROPERTY:
                properties[name] = cells.value(text)
            elif target == TEXT:
                properties[name] = text
            else:
                top[target] = text.strip()
        return self._event(top, properties) if self.kind == "events" else self._update(top, properties)

    def _event(self, top: Record, properties: Record) -> Record:
        event = top.pop("event", "")
        return {"event": event, "properties": properties | top}

    def _update(self, top: Record, properties: Record) -> Record:
        value: Any = list(properties) if self.operator == "$unset" else properties
        return top | ({self.operator: ""} if self.operator == "$delete" else {self.operator: value})

    def check(self) -> None:
        """Raises WrongColumns where a choice is none, or where two columns would be one."""
        self.check_operator(was_chosen=self.operator != "$set")
        for wrong in self._wrong():
            raise WrongColumns(wrong)

    def check_operator(self, *, was_chosen: bool) -> None:
        """Raises WrongColumns where the operator is none for this kind."""
        if self.operator not in OPERATORS:
            raise WrongColumns(f"{self.operator} is no operator. There are: {', '.join(OPERATORS)}.")
        if self.kind == "events" and was_chosen:
            raise WrongColumns(f"Events have no operator; {self.operator} is for profiles.")
        if self.kind == "groups" and self.operator in NOT_FOR_GROUPS:
            raise WrongColumns(f"Mixpanel has no {self.operator} for groups.")

    @property
    def lacking(self) -> str:
        """A target without which no row is a record, and that nothing is; empty where there is none."""
        used = {*self.mapping.values(), *(name for name, value in self.always.items() if value)}
        return next((target for target in NEEDED[self.kind] if target not in used), "")

    def _wrong(self) -> Iterator[str]:
        targets = TARGETS[self.kind]
        for name, target in self.mapping.items():
            if target not in {*targets, *GENERAL}:
                yield f"{name}={target}: a column can be {', '.join([*targets, *GENERAL])}."
        for name in self.always:
            if name not in targets:
                yield f"{name} cannot stand for every row; {', '.join(targets)} can."
        yield from self._twins()

    def _twins(self) -> Iterator[str]:
        """Two columns for one name, of which one value would vanish."""
        used = Counter(column for column in self.mapping.values() if column not in GENERAL)
        for target in (value for value, times in used.items() if times > 1):
            names = [name for name, value in self.mapping.items() if value == target]
            yield f"{shown(names)}: only one column can be {target}. Leave the others out, or make them properties."
        if self.kind != "events":
            return
        for name, target in self.mapping.items():
            if target in {PROPERTY, TEXT} and name != "event" and name in {*used, *self.always}:
                yield f"The column {name} would be a second {name}. Leave it out, or say that it is {name}."


def guessed(kind: str, names: list[str], said: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what each column is: as it was `said`, else what it probably is. No target twice, and the surest name gets
    it."""
    found = dict.fromkeys(names, PROPERTY) | dict(said or {})
    for name in sorted(names, key=lambda name: _SURENESS.get(_plain(name), len(_KNOWN))):
        target = _target(kind, name)
        if name not in (said or {}) and target not in found.values():
            found[name] = target
    return found


def _target(kind: str, name: str) -> str:
    target = _KNOWN.get(_plain(name), PROPERTY)
    if kind != "events" and target == "distinct_id":
        target = "$distinct_id" if kind == "people" else "$group_id"
    return target if target in TARGETS[kind] else PROPERTY


def _plain(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum())
