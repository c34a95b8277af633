"""Ids that mean nobody, and ids that keep an event from being counted twice (mixpanel-facts 4.1, 4.2)."""

import hashlib
import re
from typing import Any

import msgspec

ILLEGAL = frozenset(
    {
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na"),
        *("undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    }
)
LONGEST_INSERT_ID = 36
# What is ours to fill in, and what may differ between two sendings of the same event.
_NOT_CONTENT = frozenset({"token", "$insert_id", "$source"})
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")


def is_illegal(value: Any) -> bool:
    """Whether Mixpanel takes this id for nobody; large and small letters are the same."""
    return isinstance(value, str) and value.lower() in ILLEGAL


def is_insert_id(value: Any) -> bool:
    return isinstance(value, str) and _INSERT_ID.fullmatch(value) is not None


def stable_insert_id(record: dict[str, Any]) -> str:
    """The `$insert_id` of an event that has none: 36 characters of a hash over its content, the same at every try."""
    properties = record.get("properties")
    content = {name: one for name, one in properties.items() if name not in _NOT_CONTENT} if properties else {}
    encoded = msgspec.json.encode([record.get("event"), content], order="sorted")
    return hashlib.sha256(encoded).hexdigest()[:LONGEST_INSERT_ID]
