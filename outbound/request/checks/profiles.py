"""Profile updates: one operator an update, with the right kind of value (mixpanel-facts 3.4, 3.5)."""

from collections.abc import Callable, Iterator
from typing import Any

from outbound.operations.types import Problem
from outbound.request.checks.ids import whose
from outbound.request.checks.values import advice, check_values

OBJECTS = ("$set", "$set_once", "$add", "$append", "$remove", "$union")
OPERATORS = (*OBJECTS, "$unset", "$delete")
NOT_FOR_GROUPS = frozenset({"$add", "$append"})
# Sent again after an answer that nobody heard, these would count twice.
NOT_REPEATABLE = frozenset({"$add", "$append"})


def check_update(update: dict[str, Any], *, group: bool) -> list[Problem]:
    """Return everything that is wrong with an update of one profile."""
    problems = list(_whose(update, group=group))
    operators = [name for name in OPERATORS if name in update]
    if len(operators) != 1:
        found = ", ".join(operators) or "none"
        field, words = operators[0] if operators else "$set", f"An update has exactly one operator; here: {found}."
        problems.append(advice(field, words, "operator"))
    for name in operators:
        if group and name in NOT_FOR_GROUPS:
            problems.append(advice(name, f"Mixpanel has no {name} for groups.", "operator"))
        problems.extend(_VALUES[name](name, update[name]))
    return problems


def _whose(update: dict[str, Any], *, group: bool) -> Iterator[Problem]:
    for name in ("$group_key", "$group_id") if group else ("$distinct_id",):
        value = update.get(name)
        if value is None or value == "":
            yield advice(name, "It is missing; Mixpanel does nothing and may still answer 1.", "nobody")
        elif name != "$group_key":
            yield from whose(name, value)


def _object(name: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, dict) or not value:
        yield advice(name, "It takes an object: names of properties with values.", "value")
        return
    yield from check_values(name, value, profile=True)


def _numbers(name: str, value: Any) -> Iterator[Problem]:
    yield from _object(name, value)
    for key, number in value.items() if isinstance(value, dict) else ():
        if isinstance(number, bool) or not isinstance(number, int | float):
            yield advice(f"{name}.{key}", "It must be a number.", "value")


def _lists(name: str, value: Any) -> Iterator[Problem]:
    yield from _object(name, value)
    for key, values in value.items() if isinstance(value, dict) else ():
        if not isinstance(values, list) or not values:
            yield advice(f"{name}.{key}", "It must be a list that is not empty.", "value")


def _names(name: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        yield advice(name, "It takes a list of names of properties.", "value")


def _anything(_name: str, _value: Any) -> Iterator[Problem]:
    yield from ()


_VALUES: dict[str, Callable[[str, Any], Iterator[Problem]]] = {
    "$set": _object,
    "$set_once": _object,
    "$add": _numbers,
    "$append": _object,
    "$remove": _object,
    "$union": _lists,
    "$unset": _names,
    "$delete": _anything,
}
