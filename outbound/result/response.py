"""What stands in an answer of Mixpanel's, in all its spellings; what it means for a call is
`outbound.result.verdict`."""

import json
import math
import re
from typing import Any

from outbound.result.types import FailedRecord
from outbound.transport.client import Answer

SUCCESS, REDIRECTS, REFUSALS = 200, 300, 400
LONGEST = 300  # characters of an answer that a sentence repeats
MOST_LEVELS = 100  # of nesting; a deeper answer is shown as the text that it came as
MOST_DIGITS = 18  # of a whole number that is believed


class NotJSON(ValueError):
    """It is no JSON, or none that could be shown."""


_CALLBACK = re.compile(r"\A(?:/\*\*/\s*+)?[\w$.]++\((.*)\)\s*+(?:;\s*+)?\Z", re.DOTALL)


def parsed(answer: Answer) -> Any:
    """Return the body as JSON, also in a callback; None where it is none."""
    text = answer.text.strip()
    inside = _CALLBACK.match(text)
    try:
        return read(inside.group(1) if inside else text)
    except NotJSON:
        return None


def read(text: str) -> Any:
    """JSON as it can be kept, shown and sent on: whole characters, real numbers, no deeper than people look. Raises
    NotJSON."""
    try:
        return _clean(json.loads(text), MOST_LEVELS)
    except (ValueError, RecursionError):
        raise NotJSON from None


def _clean(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # NaN and Infinity, which are no JSON
    if not isinstance(value, dict | list):
        return value
    if not levels:
        raise NotJSON
    if isinstance(value, list):
        return [_clean(item, levels - 1) for item in value]
    return {storable(name): _clean(inner, levels - 1) for name, inner in value.items()}


def storable(text: str) -> str:
    """Leave out NUL, which PostgreSQL's text cannot hold, and halves of characters."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def stored(body: Any, total: int, failed: int) -> int:
    """Return how many it says it took; where it does not say, all that it does not name."""
    found = whole(body.get("num_records_imported")) if isinstance(body, dict) else None
    if found is not None:
        return max(0, min(found, total))
    return max(0, total - failed) if failed else 0


def failed_records(body: Any) -> tuple[FailedRecord, ...]:
    """`failed_records` in both spellings of the insert id (mixpanel-facts 6, 9)."""
    rows = body.get("failed_records") if isinstance(body, dict) else None
    return tuple(_failed_record(row, place) for place, row in enumerate(rows if isinstance(rows, list) else ()))


def _failed_record(row: Any, place: int) -> FailedRecord:
    if not isinstance(row, dict):
        return FailedRecord(place, None, None, str(row))
    index = whole(row.get("index"))
    index = None if index is not None and index < 0 else index
    insert_id = row.get("insert_id") or row.get("$insert_id")
    field = row.get("field")
    return FailedRecord(
        place if index is None else index,
        str(insert_id) if insert_id else None,
        str(field) if field else None,
        str(row.get("message") or row.get("error") or "Mixpanel gives no reason."),
    )


def whole(value: Any) -> int | None:
    """Return a whole number, also where it came as a text or with a point; None where it is none."""
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        value = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MOST_DIGITS
    return value if fits else None


def is_number(value: Any, wanted: int) -> bool:
    return whole(value) == wanted


def is_ok(body: dict[str, Any]) -> bool:
    status = body.get("status")
    return (
        is_number(body.get("code"), SUCCESS)
        or (isinstance(status, str) and status.lower() == "ok")
        or is_number(status, 1)
    )


def says_no(body: dict[str, Any]) -> bool:
    """`status: 0`, `status: "error"`, or a `code` of a refusal in a 200."""
    code, status = whole(body.get("code")), body.get("status")
    refused = code is not None and code >= REFUSALS
    return refused or is_number(status, 0) or (isinstance(status, str) and status.lower() in {"error", "failed"})


def is_error(body: dict[str, Any]) -> bool:
    return isinstance(body.get("error"), str) and bool(body["error"])


def said(answer: Answer) -> str:
    """Return what Mixpanel says itself, as a sentence to be put behind another."""
    body = parsed(answer)
    text = ""
    if isinstance(body, dict):
        text = next((str(body[name]) for name in ("error", "message") if body.get(name)), "")
    elif body is None and answer.header("Content-Type").startswith("text/plain"):
        text = answer.text.strip()
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return f' Mixpanel says: "{text}"' if text else ""


def sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in '.!?"…' else text + "."
