"""Ids that mean nobody, and ids that keep an event from being counted twice (mixpanel-facts 4.1, 4.2)."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from outbound.operations.types import Problem
from outbound.request.checks.values import advice

ILLEGAL = frozenset(
    {
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na"),
        *("undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    }
)
QUOTES = frozenset({'""', "''"})  # how somebody may have tried to say that nobody is meant
LONGEST_INSERT_ID = 36
# What is ours to fill in, and what may differ between two sendings of the same event.
_NOT_CONTENT = frozenset({"token", "$insert_id", "$source"})
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")


def is_illegal(value: Any) -> bool:
    """Tell whether Mixpanel takes this id for nobody; large and small letters are the same."""
    return isinstance(value, str) and value.lower() in ILLEGAL


def as_text(value: Any) -> Any:
    """Return an id as the text that Mixpanel wants: a whole number is one, anything else is returned as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float) and not value.is_integer():
        return value
    return str(int(value))


def whose(field: str, value: Any) -> Iterator[Problem]:
    """Yield what is wrong with the id of somebody that is there."""
    if not isinstance(value, str):
        yield advice(field, "An id is a text; of this Mixpanel makes another one, or nobody.", "no-text-id")
    elif is_illegal(value):
        yield advice(field, f'"{value}" is an id that Mixpanel throws away.', "illegal-id")
    elif value in QUOTES:
        yield advice(field, f"The id is {value}, two quotes. Nobody is an empty text.", "illegal-id")


def is_insert_id(value: Any) -> bool:
    return isinstance(value, str) and _INSERT_ID.fullmatch(value) is not None


def stable_insert_id(record: dict[str, Any]) -> str:
    """Return the `$insert_id` of an event that has none: 36 characters of a hash over its content, the same at every
    try."""
    properties = record.get("properties")
    content = {name: value for name, value in properties.items() if name not in _NOT_CONTENT} if properties else {}
    encoded = msgspec.json.encode([record.get("event"), content], order="sorted")
    return hashlib.sha256(encoded).hexdigest()[:LONGEST_INSERT_ID]
