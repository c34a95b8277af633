"""Every operation, once, as data: client, forms, checks, terminal, JSON API and docs all read it from here."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from outbound.operations import (
    account,
    events,
    export,
    identity,
    lookup_tables,
    pipelines,
    profiles,
    queries,
    raw,
    reports,
)
from outbound.operations.types import CallInput, Example, Operation

_ALL = (
    *events.OPERATIONS,
    *profiles.OPERATIONS,
    *identity.OPERATIONS,
    *lookup_tables.OPERATIONS,
    *queries.OPERATIONS,
    *reports.OPERATIONS,
    *export.OPERATIONS,
    *pipelines.OPERATIONS,
    *account.OPERATIONS,
    *raw.OPERATIONS,
)
OPERATIONS: dict[str, Operation] = {operation.id: operation for operation in _ALL}
_NAMES = {operation.name.lower(): operation for operation in _ALL}
_ALIASES = {key: operation for operation in _ALL for key in operation.also}


def find(key: str) -> Operation | None:
    """Return the operation of this id, or with this alias (an action key of the Prismatic component, an id of other
    specs)."""
    return OPERATIONS.get(key) or _ALIASES.get(key)


def called(name: str) -> Operation | None:
    """Return the operation that people know by this name, in letters of any case."""
    return _NAMES.get(name.strip().lower())


def groups() -> list[tuple[str, list[Operation]]]:
    """Return all operations under their headings, in the order in which they are described."""
    found: dict[str, list[Operation]] = {}
    for operation in _ALL:
        found.setdefault(operation.group, []).append(operation)
    return list(found.items())


def filled(example: Example, now: int) -> CallInput:
    """Return an example with its times put in; `now` is in milliseconds."""
    return CallInput(in_time(example.params, now), in_time(example.body, now))


def in_time(value: Any, now: int) -> Any:
    """`value` with {now} as seconds since 1970, {today} and {month_ago} as dates, all in UTC."""
    if isinstance(value, dict):
        return {name: in_time(inner, now) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_time(item, now) for item in value]
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    known = {"{now}": now // 1000, "{today}": str(today), "{month_ago}": str(today - timedelta(days=30))}
    return known.get(value, value) if isinstance(value, str) else value


def described(operation: Operation) -> dict[str, Any]:
    """Return the operation for programs: plain JSON."""
    return {
        "id": operation.id,
        "name": operation.name,
        "words": operation.words,
        "group": operation.group,
        "family": operation.family,
        "method": operation.method,
        "path": operation.path,
        "auth": list(operation.auth),
        "body": operation.body,
        "record": operation.record,
        "operator": operation.operator,
        "answer": operation.answer,
        "shape": operation.shape,
        "empty": list(operation.empty),
        "repeat": operation.repeat,
        "budget": operation.budget,
        "writes": operation.writes,
        "note": operation.note,
        "aliases": list(operation.also),
        "params": [_param(param) for param in operation.asked],
        "examples": [
            {"words": example.words, "params": example.params, "body": example.body} for example in operation.examples
        ],
    }


def _param(param: Any) -> dict[str, Any]:
    return {
        "name": param.name,
        "place": param.place,
        "kind": param.kind,
        "words": param.words,
        "help": param.help,
        "required": param.required,
        "choices": list(param.choices),
        "default": json.loads(json.dumps(param.default)),
        "least": param.least,
        "most": param.most,
        "aliases": list(param.also),
    }
