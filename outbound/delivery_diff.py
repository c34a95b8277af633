"""What differs between two calls: what they were made from, what was sent, what came of them. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outbound.deliveries import Delivery
from outbound.result.response import NotJSON, read

MOST = 500  # differences that are told
LONGEST = 300  # characters of a value
MOST_LEAVES = 5000  # of one body
NOTHING = None
JSON = re.compile(r"-?\d++(?:\.\d++)?|true|false|null|\[]|\{}")

PLAIN = ("project", "who", "source", "verdict", "status", "records", "accepted", "failed", "attempts", "duration_ms")


@dataclass(frozen=True)
class Difference:
    """One value that differs: in which part, where in it, and how it is on either side; None where it is not there."""

    part: str
    where: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class Compared:
    """The differences, at most MOST, and how many values are the same."""

    differences: list[Difference]
    same: int
    is_cut: bool


def compared(left: Delivery, right: Delivery) -> Compared:
    """Compare two calls value by value."""
    found: list[Difference] = []
    same = 0
    for part, one, other in zip(_PARTS, _parts(left), _parts(right), strict=True):
        for where in dict.fromkeys([*one, *other]):
            if one.get(where) == other.get(where):
                same += 1
            else:
                found.append(Difference(part, where, one.get(where), other.get(where)))
    return Compared(found[:MOST], same, len(found) > MOST)


_PARTS = ("Call", "Request", "Headers", "Body", "Answer")


def _parts(call: Delivery) -> tuple[dict[str, str], ...]:
    """Return the leaves of each part, by where they are."""
    request = call.request
    plain = {name.replace("_", " "): getattr(call, name) for name in PLAIN}
    line = {name: request.get(name) for name in ("method", "url")}
    return (
        _leaves(plain),
        _leaves(line),
        _leaves(request.get("headers") or {}),
        _leaves(_body(request.get("body"))),
        _leaves(_body(call.answer)),
    )


def _body(text: str | None) -> Any:
    try:
        return read(text) if text else NOTHING
    except NotJSON:
        return text


def _leaves(value: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, leaf in _walk(value, ""):
        if len(found) == MOST_LEAVES:
            break
        found[where] = _short(leaf)
    return found


def _walk(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _walk(inner, f"{where}.{name}" if where else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{where}[{index}]")
    elif value is not NOTHING or where:
        yield where or "whole", value


def _short(value: Any) -> str:
    """A text as it is, anything else as JSON, so that 1 and "1" differ where a text looks like JSON."""
    written = value if isinstance(value, str) and not JSON.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST else written[:LONGEST] + "…"
