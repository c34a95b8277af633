"""What Mixpanel did with a call, from its answer: the body over the status (mixpanel-facts 3.2 to 3.7).

accepted   it says that it took every record, or answered the question
partly     it took some and names the others
rejected   it took none, and sending the same again changes nothing
uncertain  nobody knows, and sending it again might count twice: that is for a person to decide
failed     it could not be confirmed; sending it again is safe
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from outbound.client import Answer
from outbound.patience import PASSING, UNTOUCHED
from outbound.shape import Operation

Verdict = Literal["accepted", "partly", "rejected", "uncertain", "failed"]
SUCCESS, REDIRECTS, REFUSALS = 200, 300, 400
UNAUTHORIZED, FORBIDDEN, MISSING, TOO_LARGE, TOO_MANY = 401, 403, 404, 413, 429
MAY_BE = "It may have been stored"
SAID = 300  # characters of an answer that a sentence repeats

_CALLBACK = re.compile(r"^\s*(?:/\*\*/)?\s*[\w$.]+\((.*)\)\s*;?\s*$", re.DOTALL)


@dataclass(frozen=True)
class FailedRecord:
    """A record that Mixpanel did not take; `index` counts from 0 in what was given."""

    index: int
    insert_id: str | None
    field: str | None
    message: str


@dataclass(frozen=True)
class Judgement:
    """`accepted` counts records, 0 where the call has none; `words` is a plain sentence or two."""

    verdict: Verdict
    accepted: int
    failed_records: tuple[FailedRecord, ...]
    words: str


def judge(operation: Operation, records: Sequence[dict[str, Any]], answer: Answer, *, repeatable: bool) -> Judgement:
    """What the last answer to a call says; `records` are those of its body."""
    reads = not operation.writes
    if answer.status in PASSING:
        return _gave_up(answer, repeatable=repeatable, reads=reads)
    if answer.status >= REDIRECTS or answer.status < SUCCESS:
        return _refused(operation, records, answer)
    found = _READERS[operation.answer](records, answer)
    return found if found is not None else _unreadable(answer, repeatable=repeatable, reads=reads)


def unknown(words: str, *, repeatable: bool, reads: bool = False) -> Judgement:
    """Nobody knows whether it was stored: `words` says what happened. What only `reads` stores nothing."""
    if reads:
        return unsent(f"{words} Asking again is safe.")
    if repeatable:
        return Judgement("failed", 0, (), f"{words} {MAY_BE}; sending it again is safe.")
    return Judgement("uncertain", 0, (), f"{words} {MAY_BE}; sending it again may count it twice.")


def unsent(words: str) -> Judgement:
    """Nothing has left."""
    return Judgement("failed", 0, (), words)


def parsed(answer: Answer) -> Any:
    """The body as JSON, also in a callback; None where it is none."""
    text = answer.text.strip()
    inside = _CALLBACK.match(text)
    try:
        return json.loads(inside.group(1) if inside else text)
    except (ValueError, RecursionError):
        return None


def combined(parts: Sequence[tuple[int, int, Judgement]]) -> Judgement:
    """One judgement of a batch that was sent in parts: each with its first index and its number of records."""
    if len(parts) == 1:
        return parts[0][2]
    failed = tuple(one for first, count, part in parts for one in _moved(part, first, count))
    accepted = sum(part.accepted for _, _, part in parts)
    total = sum(count for _, count, _ in parts)
    words = list(dict.fromkeys(part.words for _, _, part in parts if part.verdict != "accepted"))
    sentence = f"The batch was too large for Mixpanel and went in {len(parts)} parts. {accepted:,} of {total:,} stored."
    return Judgement(
        _worst({part.verdict for _, _, part in parts}, accepted), accepted, failed, " ".join([sentence, *words])
    )


def _worst(verdicts: set[Verdict], accepted: int) -> Verdict:
    if len(verdicts) == 1:
        return verdicts.pop()
    if "uncertain" in verdicts:
        return "uncertain"
    if accepted:
        return "partly"
    return "failed" if "failed" in verdicts else "rejected"


def _moved(part: Judgement, first: int, count: int) -> list[FailedRecord]:
    """Its failed records at their places in the whole; each record of a part that failed as a whole."""
    if not part.failed_records and part.verdict != "accepted":
        return [FailedRecord(first + index, None, None, part.words) for index in range(count)]
    return [replace(one, index=one.index + first) for one in part.failed_records]


# --- answers that say no


def _gave_up(answer: Answer, *, repeatable: bool, reads: bool) -> Judgement:
    said = _said(answer)
    if answer.status in UNTOUCHED:
        return unsent(f"Mixpanel's rate limit was still exceeded at the last try (429), which stored nothing.{said}")
    return unknown(f"Mixpanel had trouble of its own ({answer.status}).{said}", repeatable=repeatable, reads=reads)


def _refused(operation: Operation, records: Sequence[dict[str, Any]], answer: Answer) -> Judgement:
    body = parsed(answer)
    failed = _failed_records(body)
    stored = _stored(body, len(records), len(failed)) if operation.answer in {"import", "track", "any"} else 0
    if answer.status == REFUSALS and (failed or stored):
        return _of_records(len(records), stored, failed, answer)
    words = _EXPLAINED.get(answer.status, f"Mixpanel refuses the call ({answer.status}).")
    if REDIRECTS <= answer.status < REFUSALS:
        words = f"Mixpanel's answer leads elsewhere ({answer.status}); redirects are not followed with credentials."
    return Judgement("rejected", 0, failed, words + _said(answer))


_EXPLAINED = {
    400: "Mixpanel refuses the call (400); the same again would fail again.",
    UNAUTHORIZED: "Mixpanel does not know these credentials (401): a wrong username, secret or token, an account that "
    "has expired, or another region.",
    402: "The plan of this project does not include this (402).",
    FORBIDDEN: "The credentials are right but not allowed to do this (403): the service account lacks a role in this "
    "project.",
    MISSING: "Mixpanel has nothing at this address (404): look at the project id, the region and the parameters.",
    TOO_LARGE: "A single record is too large for Mixpanel (413).",
}


def _of_records(total: int, stored: int, failed: tuple[FailedRecord, ...], answer: Answer) -> Judgement:
    """By what it says of each record."""
    if stored <= 0:
        first = failed[0].message if failed else _said(answer).strip()
        return Judgement("rejected", 0, failed, f"Nothing was stored. {_sentence(first)}".strip())
    if stored >= total and not failed:
        return Judgement("accepted", total, (), _counted(total))
    told = " ".join(f"Record {one.index + 1}: {_sentence(_where(one))}" for one in failed[:3])
    more = f" And {len(failed) - 3:,} more." if len(failed) > 3 else ""  # noqa: PLR2004
    return Judgement("partly", stored, failed, f"{stored:,} of {total:,} stored. {told}{more}".strip())


def _where(one: FailedRecord) -> str:
    return f"{one.field}: {one.message}" if one.field and not one.message.startswith(one.field) else one.message


def _stored(body: Any, total: int, failed: int) -> int:
    """How many it says it took; where it does not say, all that it does not name."""
    found = body.get("num_records_imported") if isinstance(body, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        return max(0, min(found, total))
    return total - failed if failed else 0


def _failed_records(body: Any) -> tuple[FailedRecord, ...]:
    """`failed_records` in both spellings of the insert id (mixpanel-facts 6, 9)."""
    rows = body.get("failed_records") if isinstance(body, dict) else None
    return tuple(_failed_record(row, place) for place, row in enumerate(rows if isinstance(rows, list) else ()))


def _failed_record(row: Any, place: int) -> FailedRecord:
    if not isinstance(row, dict):
        return FailedRecord(place, None, None, str(row))
    index = row.get("index")
    insert_id = row.get("insert_id") or row.get("$insert_id")
    field = row.get("field")
    return FailedRecord(
        index if isinstance(index, int) and not isinstance(index, bool) else place,
        str(insert_id) if insert_id else None,
        str(field) if field else None,
        str(row.get("message") or row.get("error") or "Mixpanel gives no reason."),
    )


# --- answers of 200: each kind is read in its own way; None where it says nothing


def _track(records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """`1` or `0`, or verbose JSON with `status`."""
    total = len(records)
    if answer.headers.get("Content-Type", "").startswith("image/"):
        words = "Mixpanel answered with a picture, which says nothing about the event: send it without img=1."
        return Judgement("uncertain", 0, (), words)
    body = parsed(answer)
    if isinstance(body, dict) and (body.get("failed_records") or "num_records_imported" in body):
        failed = _failed_records(body)
        return _of_records(total, _stored(body, total, len(failed)), failed, answer)
    status = body.get("status") if isinstance(body, dict) else body
    if _is_number(status, 0):
        error = body.get("error") if isinstance(body, dict) else None
        return Judgement(
            "rejected", 0, (), f"Nothing was stored. Mixpanel answered 0. {_sentence(str(error or ''))}".strip()
        )
    if isinstance(body, dict) and body.get("error"):
        return Judgement("rejected", 0, (), f"Nothing was stored. {_sentence(str(body['error']))}")
    if _is_number(status, 1) or (isinstance(body, dict) and _is_ok(body)):
        events = any("event" in one for one in records)
        return Judgement("accepted", total, (), _counted(total) + (_NOT_PROVEN if events else _NOT_PROVEN_PROFILE))
    return None


_NOT_PROVEN = (
    " Mixpanel answers 1 to any token, and drops old events in silence: whether it is in the project, only looking "
    "tells."
)
_NOT_PROVEN_PROFILE = " Mixpanel answers 1 to any token; whether it is in the project, only looking tells."


def _import(records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    body, total = parsed(answer), len(records)
    if not isinstance(body, dict):
        return None
    failed = _failed_records(body)
    if failed or "num_records_imported" in body:
        return _of_records(total, _stored(body, total, len(failed)), failed, answer)
    if _says_no(body):
        return Judgement("rejected", 0, (), f"Nothing was stored.{_said(answer)}")
    return Judgement("accepted", total, (), _counted(total)) if _is_ok(body) else None


def _lookup(_records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """All or nothing: a failed row is the whole table's."""
    body = parsed(answer)
    if not isinstance(body, dict):
        return None
    failed = _failed_records(body)
    if failed or _says_no(body):
        return Judgement("rejected", 0, failed, f"The table was not changed.{_said(answer)}")
    return _answered() if _is_ok(body) else None


def _json(_records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    body = parsed(answer)
    if body is None and answer.text.strip() != "null":
        kind = answer.headers.get("Content-Type", "")
        return _answered(answer) if answer.cut or kind.startswith(("text/csv", "application/csv")) else None
    if isinstance(body, dict) and (_says_no(body) or _is_error(body)):
        return Judgement("rejected", 0, (), f"Mixpanel answers 200, but with an error.{_said(answer)}")
    return _answered(answer)


def _ndjson(_records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """A line each; a lone object with an error is none (mixpanel-facts 3.12)."""
    lines = answer.text.splitlines()
    for line in lines[:1]:
        try:
            first = json.loads(line)
        except ValueError:
            return None if not answer.cut else _answered(answer)
        if isinstance(first, dict) and "event" not in first and (_says_no(first) or _is_error(first)):
            return Judgement("rejected", 0, (), f"Mixpanel answers 200, but with an error.{_said(answer)}")
    return replace(
        _answered(answer), words=f"Mixpanel answered with {len(lines):,} events.{_CUT if answer.cut else ''}"
    )


def _any(records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """A raw request: the status, unless the body says otherwise."""
    body, total = parsed(answer), len(records)
    failed = _failed_records(body)
    if failed:
        return _of_records(max(total, len(failed)), _stored(body, total or len(failed), len(failed)), failed, answer)
    no = _is_number(body, 0) or (isinstance(body, dict) and (_says_no(body) or _is_error(body)))
    if no:
        return Judgement("rejected", 0, (), f"Mixpanel answers {answer.status}, but its body says no.{_said(answer)}")
    return _answered(answer)


_READERS: dict[str, Callable[[Sequence[dict[str, Any]], Answer], Judgement | None]] = {
    "track": _track,
    "import": _import,
    "lookup": _lookup,
    "json": _json,
    "pipeline": _json,
    "ndjson": _ndjson,
    "any": _any,
}


def _unreadable(answer: Answer, *, repeatable: bool, reads: bool) -> Judgement:
    words = f"Mixpanel answered {answer.status}, but not in a way that says what it did.{_said(answer)}"
    return unknown(words, repeatable=repeatable, reads=reads)


_CUT = " The answer is longer than what is shown."


def _answered(answer: Answer | None = None) -> Judgement:
    return Judgement(
        "accepted", 0, (), "Mixpanel did it." if answer is None else f"Mixpanel answered.{_CUT if answer.cut else ''}"
    )


def _counted(total: int) -> str:
    return "1 record accepted." if total == 1 else f"{total:,} records accepted."


def _is_number(value: Any, wanted: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value == wanted


def _is_ok(body: dict[str, Any]) -> bool:
    status = body.get("status")
    return (
        _is_number(body.get("code"), SUCCESS)
        or (isinstance(status, str) and status.lower() == "ok")
        or _is_number(status, 1)
    )


def _says_no(body: dict[str, Any]) -> bool:
    """`status: 0`, `status: "error"`, or a `code` of a refusal in a 200."""
    code, status = body.get("code"), body.get("status")
    refused = isinstance(code, int) and not isinstance(code, bool) and code >= REFUSALS
    return refused or _is_number(status, 0) or (isinstance(status, str) and status.lower() in {"error", "failed"})


def _is_error(body: dict[str, Any]) -> bool:
    return isinstance(body.get("error"), str) and bool(body["error"])


def _said(answer: Answer) -> str:
    """What Mixpanel says itself, as a sentence to be put behind another."""
    body = parsed(answer)
    text = ""
    if isinstance(body, dict):
        text = next((str(body[name]) for name in ("error", "message") if body.get(name)), "")
    elif body is None and answer.headers.get("Content-Type", "").startswith("text/plain"):
        text = answer.text.strip()
    text = text if len(text) <= SAID else text[:SAID] + "…"
    return f' Mixpanel says: "{text}"' if text else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in '.!?"…' else text + "."
