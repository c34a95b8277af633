"""A person's profile, written for people: the name, and every exported property as text."""

from dataclasses import dataclass
from typing import Any

import msgspec

LONGEST = 2000  # characters of one value
ROOM = 60_000  # characters of all values; a page stays under 200 KB


@dataclass(frozen=True)
class Property:
    """One property; `is_code` where it is a list or an object, written as JSON; `cut` where the end is missing."""

    name: str
    value: str
    is_code: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Properties:
    """What can be shown; `left_out` counts the properties that found no room."""

    shown: list[Property]
    left_out: int


@dataclass(frozen=True)
class PersonSummary:
    """Somebody in a list of people."""

    id: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None

    @property
    def name(self) -> str:
        """First and last name, empty where neither is known."""
        return full_name(self.first_name, self.last_name)


@dataclass(frozen=True)
class FoundPerson(PersonSummary):
    """Somebody whom a search has found, in whichever project."""

    project_id: str


def full_name(*names: str | None) -> str:
    """First and last name, as far as they are known."""
    return " ".join(filter(None, names))


def readable(properties: str) -> Properties:
    """The properties of a profile's JSON object, by name."""
    shown: list[Property] = []
    room = ROOM
    found = sorted(msgspec.json.decode(properties).items())
    for name, value in found:
        exported = _property(name, value)
        room -= len(exported.name) + len(exported.value)
        if room < 0:
            break
        shown.append(exported)
    return Properties(shown, len(found) - len(shown))


def _property(name: str, value: Any) -> Property:
    is_code = isinstance(value, dict | list)
    written = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return Property(name[:LONGEST], written[:LONGEST], is_code, len(written) > LONGEST)
