"""Which records of a file are imported: conditions on what stands in it, all of which have to hold.

They look at a record as it stands in the file, before anything in it is renamed. What cannot be read is no record, and
passes: it is told with its reason.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from outbound.readers import times
from outbound.readers.times import NoTime
from outbound.request.checks.profiles import OBJECTS

MOST = 20
LONGEST = 1000  # characters of a name or a value
# How a value can compare with that of a condition: sign, and its words.
SIGNS = {
    "=": "is",
    "!=": "is not",
    "~": "contains",
    "!~": "does not contain",
    ">=": "is at least",
    "<": "is below",
}
ORDERED = frozenset({">=", "<"})
_SIGN = re.compile("!=|!~|>=|=|~|<")
_INNER = ("properties", "$properties", *OBJECTS)


class WrongCondition(ValueError):
    """A condition is none; says why."""


@dataclass(frozen=True)
class Condition:
    """`value` is as it was typed; an empty one stands for what is not there, or is empty."""

    name: str
    sign: str
    value: str

    @classmethod
    def written(cls, text: str) -> "Condition":
        """Read `plan=pro`, `plan!=pro`, `note~vip`, `note!~vip`, `seats>=3` or `time<2026-05-01`. Raises
        WrongCondition."""
        found = _SIGN.search(text, 1)  # behind one character of a name at least
        if found is None:
            raise WrongCondition(f"{text!r} is no condition, such as plan=pro. Signs are {' '.join(SIGNS)}.")
        return cls(text[: found.start()].strip(), found[0], text[found.end() :].strip())

    def check(self) -> None:
        """Raises WrongCondition."""
        if self.sign not in SIGNS or not self.name or max(len(self.name), len(self.value)) > LONGEST:
            raise WrongCondition(f"A condition has a name, a sign ({' '.join(SIGNS)}) and a value.")
        if self.sign in ORDERED and _number(self.value) is None and _moment(self.value) is None:
            raise WrongCondition(f"{self.name} {SIGNS[self.sign]}: this takes a number or a time.")

    def holds(self, value: Any) -> bool:
        """Tell whether it holds for a value of the file, None where there is none."""
        return _HOLDS[self.sign](_text(value), self.value.strip())


class RecordFilter:
    """Lets records pass for which all conditions hold, and counts the others."""

    def __init__(self, conditions: Sequence[Condition] = ()) -> None:
        self.conditions = tuple(conditions)
        self.left_out = 0

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "RecordFilter":
        """That in the settings of an import."""
        return cls([Condition(*given) for given in settings.get("filter", [])])

    def passes_row(self, cells: dict[str, str]) -> bool:
        """Tell whether a row of a table passes."""
        return self._passes(cells.get)

    def passes(self, record: dict[str, Any]) -> bool:
        """Tell whether a record passes; a name is looked for in it, and then among its properties."""
        return self._passes(lambda name: _found(record, name))

    def _passes(self, value_of: Callable[[str], Any]) -> bool:
        does = all(one.holds(value_of(one.name)) for one in self.conditions)
        self.left_out += not does
        return does


def check(conditions: Sequence[Condition], columns: Sequence[str] = ()) -> None:
    """`columns` are those of a table. Raises WrongCondition."""
    if len(conditions) > MOST:
        raise WrongCondition(f"There can be at most {MOST} conditions.")
    for one in conditions:
        one.check()
        if columns and one.name not in columns:
            raise WrongCondition(f"There is no column {one.name}.")


def _found(record: dict[str, Any], name: str) -> Any:
    if name in record:
        return record[name]
    inner = (record[part] for part in _INNER if isinstance(record.get(part), dict))
    return next((values[name] for values in inner if name in values), None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in text else None


def _moment(text: str) -> int | None:
    try:
        return times.milliseconds(text)
    except NoTime:
        return None


def _compared(value: str, wanted: str) -> float | None:
    """Return how far the value is above what is wanted; None where the two cannot be compared."""
    for read in (_number, _moment):
        found, than = read(value), read(wanted)
        if found is not None and than is not None:
            return found - than
    return None


def _is_at_least(value: str, wanted: str) -> bool:
    found = _compared(value, wanted)
    return found is not None and found >= 0


def _is_below(value: str, wanted: str) -> bool:
    found = _compared(value, wanted)
    return found is not None and found < 0


_HOLDS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "~": lambda value, wanted: wanted in value,
    "!~": lambda value, wanted: wanted not in value,
    ">=": _is_at_least,
    "<": _is_below,
}
