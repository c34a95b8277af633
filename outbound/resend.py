"""A call once more: the very events that were sent, which Mixpanel counts once, or new ones that happen now."""

import json
from typing import Any

from outbound.operations.types import CallInput, Operation
from outbound.request.records import COUNTED

_OURS = ("time", "$insert_id")
_SPELLINGS = {*_OURS, "insert_id", "insertId"}


def has_both(operation: Operation) -> bool:
    """Tell whether sending again can mean the same event or a new one."""
    return operation.record in COUNTED


def same(operation: Operation, given: CallInput, sent: str | None) -> CallInput:
    """Return what was given, with the times and insert ids that were `sent` for it."""
    records = _records(sent)
    if not has_both(operation) or not records:
        return given
    if given.body in (None, "", []):
        return CallInput(_without(given.params) | _taken(records[0]), given.body)
    bodies = _records(given.body if isinstance(given.body, str) else json.dumps(given.body))
    if len(bodies) != len(records):
        return given
    return CallInput(given.params, [_with(one, _taken(record)) for one, record in zip(bodies, records, strict=True)])


def new(operation: Operation, given: CallInput, now: int) -> CallInput:
    """Return what was given, as events that happen `now` (milliseconds)."""
    if not has_both(operation):
        return given
    time = {"time": now // 1000}
    if given.body in (None, "", []):
        return CallInput(_without(given.params) | time, given.body)
    bodies = _records(given.body if isinstance(given.body, str) else json.dumps(given.body))
    return CallInput(given.params, [_with(body, time) for body in bodies]) if bodies else given


def _records(text: str | None) -> list[dict[str, Any]]:
    """Return the records of a body; none where they cannot be read as a whole."""
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    found = found if isinstance(found, list) else [found]
    good = all(isinstance(item, dict) and isinstance(item.get("properties", {}), dict) for item in found)
    return found if good else []


def _taken(record: dict[str, Any]) -> dict[str, Any]:
    properties = record.get("properties", {})
    return {name: properties[name] for name in _OURS if name in properties}


def _with(record: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return record | {"properties": _without(record.get("properties", {})) | values}


def _without(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _SPELLINGS}
