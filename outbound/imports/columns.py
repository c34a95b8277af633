"""Rows of a CSV as records: which column is the event's name, who it is about, when it was, and what is a property."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from outbound.readers import cells
from outbound.readers.table import shown
from outbound.request.checks.profiles import NOT_FOR_GROUPS, OPERATORS

SKIP, PROPERTY, TEXT = "skip", "property", "text"
LONGEST_NAME = 255  # characters of a property's name; Mixpanel cuts longer ones
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
# Names that columns of profiles have, and Mixpanel's own names for what they usually hold; the surest first.
_OWN = {
    "email": "$email",
    "emailaddress": "$email",
    "mail": "$email",
    "firstname": "$first_name",
    "givenname": "$first_name",
    "lastname": "$last_name",
    "surname": "$last_name",
    "familyname": "$last_name",
    "name": "$name",
    "fullname": "$name",
    "displayname": "$name",
    "phone": "$phone",
    "phonenumber": "$phone",
    "mobile": "$phone",
    "mobilephone": "$phone",
    "telephone": "$phone",
    "tel": "$phone",
    "avatar": "$avatar",
    "avatarurl": "$avatar",
    "created": "$created",
    "createdat": "$created",
    "city": "$city",
    "region": "$region",
    "countrycode": "$country_code",
    "timezone": "$timezone",
}
OWN_NAMES = {"events": (), "people": tuple(dict.fromkeys(_OWN.values())), "groups": ("$name",)}
_SURENESS = {name: place for place, name in enumerate(_KNOWN)}

Record = dict[str, Any]


class WrongColumns(ValueError):
    """The columns cannot be what they were said to be; says why."""


@dataclass(frozen=True)
class Columns:
    """`mapping`: column to target (`property`, `text`, `skip`, or one of TARGETS). `always` stands for every row what
    no column says: an event's name, a group key. `operator` is what profiles get. `names` has the names of properties
    that are not called as their columns are."""

    kind: str = "events"
    mapping: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    operator: str = "$set"
    names: dict[str, str] = field(default_factory=dict)

    def record(self, row: dict[str, str]) -> Record:
        """Return the record of a row; empty cells say nothing."""
        top: Record = dict(self.always)
        properties: Record = {}
        for name, text in row.items():
            target = self.mapping.get(name, PROPERTY)
            if target == SKIP or not text.strip():
                continue
            if target == PROPERTY:
                properties[self.called(name)] = cells.value(text)
            elif target == TEXT:
                properties[self.called(name)] = text
            else:
                top[target] = text.strip()
        return self._event(top, properties) if self.kind == "events" else self._update(top, properties)

    def _event(self, top: Record, properties: Record) -> Record:
        event = top.pop("event", "")
        return {"event": event, "properties": properties | top}

    def _update(self, top: Record, properties: Record) -> Record:
        value: Any = list(properties) if self.operator == "$unset" else properties
        return top | ({self.operator: ""} if self.operator == "$delete" else {self.operator: value})

    def called(self, name: str) -> str:
        """Return the name of the property that a column is."""
        return self.names.get(name, name)

    @property
    def properties(self) -> frozenset[str]:
        """The names of all properties that the columns are."""
        return frozenset(self.called(name) for name, target in self.mapping.items() if target in {PROPERTY, TEXT})

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
        yield from self._twin_names(used)

    def _twin_names(self, used: Counter[str]) -> Iterator[str]:
        seen: dict[str, str] = {}
        for name, target in self.mapping.items():
            called = self.called(name)
            if target not in {PROPERTY, TEXT}:
                continue
            if not called.strip() or len(called) > LONGEST_NAME:
                yield f"{name}: the name of a property has 1 to {LONGEST_NAME} characters."
            if called in seen:
                yield f"The columns {shown([seen[called], name])} would both be {called}. Call one otherwise."
            seen[called] = name
            if self.kind == "events" and called != "event" and called in {*used, *self.always}:
                yield f"The column {name} would be a second {called}. Leave it out, or say that it is {called}."


def guessed(kind: str, names: list[str], said: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what each column is: as it was `said`, else what it probably is. No target twice, and the surest name gets
    it."""
    found = dict.fromkeys(names, PROPERTY) | dict(said or {})
    for name in sorted(names, key=lambda name: _SURENESS.get(_plain(name), len(_KNOWN))):
        target = _target(kind, name)
        if name not in (said or {}) and target not in found.values():
            found[name] = target
    return found


def proposed(
    kind: str,
    names: list[str],
    said: Mapping[str, str] | None = None,
    always: dict[str, str] | None = None,
    operator: str = "$set",
) -> Columns:
    """Return what each column is: as it was `said`, else what it probably is. What Mixpanel has a name of its own for
    gets that (`E-mail` is `$email`), as text; no name twice, and none that a column has already."""
    mapping, known = guessed(kind, names, said), dict(said or {})
    found: dict[str, str] = {}
    sureness = {name: place for place, name in enumerate(_OWN)}
    for name in sorted(mapping, key=lambda name: sureness.get(_plain(name), len(_OWN))):
        own = _OWN.get(_plain(name), "")
        is_free = own not in mapping and own not in found.values()
        if name not in known and mapping[name] == PROPERTY and own in OWN_NAMES[kind] and is_free:
            found[name] = own
    return Columns(kind, mapping | dict.fromkeys(found, TEXT), always or {}, operator, found)


def _target(kind: str, name: str) -> str:
    target = _KNOWN.get(_plain(name), PROPERTY)
    if kind != "events" and target == "distinct_id":
        target = "$distinct_id" if kind == "people" else "$group_id"
    return target if target in TARGETS[kind] else PROPERTY


def _plain(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum())
