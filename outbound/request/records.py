"""The records of a body: made from parameters or taken as they were given, with what we fill in."""

from typing import Any

from outbound.operations.types import Operation, RecordKind
from outbound.projects import Credentials
from outbound.request.checks.events import IDENTITY
from outbound.request.checks.ids import as_text, stable_insert_id

EVENTS: frozenset[RecordKind] = frozenset({"imported-event", "tracked-event", "identify", "alias", "merge"})
COUNTED: frozenset[RecordKind] = frozenset({"imported-event", "tracked-event"})  # those that `$insert_id` counts once

PLACED_BY_QUERY: frozenset[RecordKind] = frozenset({"tracked-event", "identify", "alias"})  # whose call says ip=0
# Where ids of people and groups stand.
IDS = ("distinct_id", "$user_id", "$device_id", "$distinct_id", "$group_id", "$identified_id", "$anon_id", "alias")

Record = dict[str, Any]


def made_of(operation: Operation, values: dict[str, Any]) -> Record:
    """Return one record out of the parameters' values by their places."""
    record: Record = {} if operation.event is None else {"event": operation.event}
    properties: Record = {}
    for param in operation.params:
        if param.name not in values or param.place not in {"record", "properties"}:
            continue
        if param.place == "record":
            record[param.name] = values[param.name]
        elif param.kind == "object":
            properties |= values[param.name]
        else:
            properties[param.name] = values[param.name]
    if "$insert_id" in properties:  # where one that is filled in stands, so that the same event has the same bytes
        properties["$insert_id"] = properties.pop("$insert_id")
    return record | {"properties": properties} if operation.record in EVENTS else record


def taken(operation: Operation, given: Any) -> Any:
    """Return a given record; of an identity call the properties alone will do."""
    if operation.event is None or not isinstance(given, dict) or "event" in given:
        return given
    return {"event": operation.event, "properties": given.get("properties", given)}


def prepared(
    operation: Operation, record: Record, credentials: Credentials, integration_id: str | None, now: int
) -> Record:
    """Return the record as it is sent: with the project's token and `$source` (mixpanel-facts 2.3) where it has none,
    an `$insert_id` made from its content, and `ip` 0 where it names no place, which would be ours (4.5). A profile gets
    the `$time` of its making, so that a late try overtakes no newer update. `now` is in milliseconds."""
    if operation.record not in EVENTS:
        return {"$token": credentials.token, "$time": now // 1000} | _with_text_ids(record)
    properties = record.get("properties")
    if not isinstance(properties, dict):
        return record
    named = _with_text_ids(properties)
    if named is not properties:
        properties, record = named, record | {"properties": named}
    filled: Record = {}
    is_counted = operation.record in COUNTED and str(record.get("event")) not in IDENTITY
    if is_counted and not properties.get("$insert_id"):
        filled["$insert_id"] = stable_insert_id(record)
    if operation.record != "imported-event" and "token" not in properties:
        filled["token"] = credentials.token
    if operation.record not in PLACED_BY_QUERY and "ip" not in properties:
        filled["ip"] = 0
    if integration_id and "$source" not in properties:
        filled["$source"] = integration_id
    return record | {"properties": properties | filled} if filled else record


def _with_text_ids(holder: Record) -> Record:
    """Return the same, its ids that are whole numbers as texts: Mixpanel's ids are."""
    numbers = {name: as_text(holder[name]) for name in IDS if name in holder and not isinstance(holder[name], str)}
    return holder | numbers if numbers else holder


def token_of(record: Record) -> Any:
    """Return the token that a record names itself, None where it names none."""
    properties = record.get("properties")
    return record.get("$token", properties.get("token") if isinstance(properties, dict) else None)
