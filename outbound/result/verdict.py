"""What Mixpanel did with a call, from its answer: the body over the status (mixpanel-facts 3.2 to 3.7).

accepted   it says that it took every record, or answered the question
partly     it took some and names the others
rejected   it took none, and sending the same again changes nothing
uncertain  nobody knows, and sending it again might count twice: that is for a person to decide
failed     it could not be confirmed; sending it again is safe
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from config.counts import counted
from outbound.downloads.targets import SMALL, size_of
from outbound.operations.types import Operation
from outbound.result import response
from outbound.result.response import REDIRECTS, REFUSALS
from outbound.result.types import FailedRecord, Judgement, unknown, unsent
from outbound.transport.client import Answer
from outbound.transport.retry import UNTOUCHED, passes

UNAUTHORIZED, FORBIDDEN, MISSING, TOO_LARGE, TOO_MANY = 401, 403, 404, 413, 429
OF_RECORDS = frozenset({400, TOO_LARGE, 422})  # a no to what was sent; any other is a no to the call


def judge(
    operation: Operation, records: Sequence[dict[str, Any]], answer: Answer, *, repeatable: bool, reads: bool
) -> Judgement:
    """Return what the last answer to a call says; `records` are those of its body."""
    if passes(answer.status):
        return _gave_up(answer, repeatable=repeatable, reads=reads)
    if answer.status >= REDIRECTS:
        return _refused(operation, records, answer)
    if reads and (answer.cut if answer.received is None else answer.received.broken):
        return _broken_off(answer)
    found = _empty(operation, answer) or _READERS[operation.answer](operation, records, answer)
    return found if found is not None else _unreadable(answer, repeatable=repeatable, reads=reads)


def is_of_call(status: int | None) -> bool:
    """Tell whether a refusal is of the call itself, so that other records would fare no better: its credentials, its
    address, a redirect."""
    return status is not None and status >= REDIRECTS and not passes(status) and status not in OF_RECORDS


# --- answers that say no


def _gave_up(answer: Answer, *, repeatable: bool, reads: bool) -> Judgement:
    said = response.said(answer)
    if answer.status in UNTOUCHED:
        limited = "Mixpanel's rate limit was still exceeded at the last try (429), which stored nothing."
        early = f"Mixpanel turned the last try away before it looked at it ({answer.status}), which stored nothing."
        return unsent((limited if answer.status == TOO_MANY else early) + said)
    return unknown(f"Mixpanel had trouble of its own ({answer.status}).{said}", repeatable=repeatable, reads=reads)


def _refused(operation: Operation, records: Sequence[dict[str, Any]], answer: Answer) -> Judgement:
    body = response.parsed(answer)
    failed = response.failed_records(body)
    stored = response.stored(body, len(records), len(failed)) if operation.answer in {"import", "track", "any"} else 0
    if answer.status == REFUSALS and (failed or stored):
        return _of_records(len(records), stored, failed, answer)
    words = _EXPLAINED.get(answer.status, f"Mixpanel refuses the call ({answer.status}).")
    if REDIRECTS <= answer.status < REFUSALS:
        words = f"Mixpanel's answer leads elsewhere ({answer.status}); redirects are not followed with credentials."
    return Judgement("rejected", 0, failed, words + response.said(answer))


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
    """Judge an answer by what it says of each record."""
    if stored <= 0:
        first = failed[0].message if failed else response.said(answer).strip()
        return Judgement("rejected", 0, failed, f"Nothing was stored. {response.sentence(first)}".strip())
    if stored >= total and not failed:
        return Judgement("accepted", total, (), _counted(total))
    told = " ".join(f"Record {failure.index + 1}: {response.sentence(_where(failure))}" for failure in failed[:3])
    more = f" And {len(failed) - 3:,} more." if len(failed) > 3 else ""  # noqa: PLR2004
    return Judgement("partly", stored, failed, f"{stored:,} of {total:,} stored. {told}{more}".strip())


def _where(record: FailedRecord) -> str:
    return (
        f"{record.field}: {record.message}"
        if record.field and not record.message.startswith(record.field)
        else record.message
    )


# --- answers of 200: each kind is read in its own way; None where it says nothing


def _empty(operation: Operation, answer: Answer) -> Judgement | None:
    """Judge an empty answer to an operation whose success says nothing."""
    if answer.status in operation.empty and answer.text.strip() in {"", "null"}:
        return Judgement("accepted", 0, (), f"Mixpanel did it ({answer.status}, without a word, as documented).")
    return None


def _track(_operation: Operation, records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """`1` or `0`, or verbose JSON with `status`."""
    total = len(records)
    if answer.header("Content-Type").startswith("image/"):
        words = "Mixpanel answered with a picture, which says nothing about the event: send it without img=1."
        return Judgement("uncertain", 0, (), words)
    body = response.parsed(answer)
    if isinstance(body, dict) and (body.get("failed_records") or "num_records_imported" in body):
        return _counted_by(body, total, answer)
    status = body.get("status") if isinstance(body, dict) else body
    if response.is_number(status, 0):
        error = body.get("error") if isinstance(body, dict) else None
        return Judgement(
            "rejected", 0, (), f"Nothing was stored. Mixpanel answered 0. {response.sentence(str(error or ''))}".strip()
        )
    if isinstance(body, dict) and body.get("error"):
        return Judgement("rejected", 0, (), f"Nothing was stored. {response.sentence(str(body['error']))}")
    if response.is_number(status, 1) or (isinstance(body, dict) and response.is_ok(body)):
        events = any("event" in record for record in records)
        return Judgement("accepted", total, (), _counted(total) + (_NOT_PROVEN if events else _NOT_PROVEN_PROFILE))
    return None


_NOT_PROVEN = (
    " Mixpanel answers 1 to any token, and drops old events in silence: whether it is in the project, only looking "
    "tells."
)
_NOT_PROVEN_PROFILE = " Mixpanel answers 1 to any token; whether it is in the project, only looking tells."


def _counted_by(body: dict[str, Any], total: int, answer: Answer) -> Judgement | None:
    """Judge an answer by its numbers; None where they cannot be read."""
    failed = response.failed_records(body)
    if "num_records_imported" in body and response.whole(body["num_records_imported"]) is None:
        return None
    return _of_records(total, response.stored(body, total, len(failed)), failed, answer)


def _import(_operation: Operation, records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    body, total = response.parsed(answer), len(records)
    if not isinstance(body, dict):
        return None
    if body.get("failed_records") or "num_records_imported" in body:
        return _counted_by(body, total, answer)
    if response.says_no(body):
        return Judgement("rejected", 0, (), f"Nothing was stored.{response.said(answer)}")
    return Judgement("accepted", total, (), _counted(total)) if response.is_ok(body) else None


def _lookup(_operation: Operation, _records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """Judge a lookup table, which is taken as a whole or not at all: a failed row is the whole table's."""
    body = response.parsed(answer)
    if not isinstance(body, dict):
        return None
    failed = response.failed_records(body)
    if failed or response.says_no(body):
        return Judgement("rejected", 0, failed, f"The table was not changed.{response.said(answer)}")
    return _answered() if response.is_ok(body) else None


def _json(operation: Operation, _records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    body = response.parsed(answer)
    if body is None:
        kind = answer.header("Content-Type")
        return _answered(answer) if answer.cut or kind.startswith(("text/csv", "application/csv")) else None
    if isinstance(body, dict) and (response.says_no(body) or response.is_error(body)):
        return Judgement("rejected", 0, (), f"Mixpanel answers 200, but with an error.{response.said(answer)}")
    return _answered(answer) if isinstance(body, _SHAPES[operation.shape]) else None


_SHAPES: dict[str, type | tuple[type, ...]] = {"object": dict, "list": list, "any": object}


def _broken_off(answer: Answer) -> Judgement:
    """Judge an answer that is not whole: it is no success, however much of it is good."""
    received = answer.received
    if received is None:
        words = f"The answer is longer than {size_of(len(answer.body))}, and only its beginning was read."
        return unsent(f"{words} Asking again is safe.")
    if received.refused and not received.records:
        return Judgement("rejected", 0, (), f"Mixpanel answers 200, but with an error. {received.broken}")
    much = f"{counted(received.records, 'record')}" if received.records is not None else size_of(received.size)
    return unsent(f"Broken off after {much}: {response.sentence(received.broken)} Asking again is safe.")


def _ndjson(_operation: Operation, _records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """Judge an answer of one object a line; a lone object with an error is a refusal (mixpanel-facts 3.12)."""
    if answer.received is not None:
        words = f"Whole: {counted(answer.received.records or 0, 'event')}, {size_of(answer.received.size)}."
        return Judgement("accepted", 0, (), words)
    lines = answer.text.splitlines()
    for line in lines[:1]:
        try:
            first = json.loads(line)
        except ValueError:
            return None
        if isinstance(first, dict) and "event" not in first and (response.says_no(first) or response.is_error(first)):
            return Judgement("rejected", 0, (), f"Mixpanel answers 200, but with an error.{response.said(answer)}")
    return replace(_answered(answer), words=f"Mixpanel answered with {counted(len(lines), 'event')}.")


def _any(_operation: Operation, records: Sequence[dict[str, Any]], answer: Answer) -> Judgement | None:
    """Judge the answer to a raw request by its status, unless the body says otherwise."""
    body, total = response.parsed(answer), len(records)
    failed = response.failed_records(body)
    if failed:
        return _of_records(
            max(total, len(failed)), response.stored(body, total or len(failed), len(failed)), failed, answer
        )
    no = response.is_number(body, 0) or (isinstance(body, dict) and (response.says_no(body) or response.is_error(body)))
    if no:
        return Judgement(
            "rejected", 0, (), f"Mixpanel answers {answer.status}, but its body says no.{response.said(answer)}"
        )
    return _answered(answer)


_READERS: dict[str, Callable[[Operation, Sequence[dict[str, Any]], Answer], Judgement | None]] = {
    "track": _track,
    "import": _import,
    "lookup": _lookup,
    "json": _json,
    "pipeline": _json,
    "ndjson": _ndjson,
    "any": _any,
    "text": lambda _operation, _records, answer: _answered(answer),
    "binary": lambda _operation, _records, answer: _answered(answer),
}


def _unreadable(answer: Answer, *, repeatable: bool, reads: bool) -> Judgement:
    words = f"Mixpanel answered {answer.status}, but not in a way that says what it did.{response.said(answer)}"
    return unknown(words, repeatable=repeatable, reads=reads)


def _answered(answer: Answer | None = None) -> Judgement:
    if answer is None:
        return Judgement("accepted", 0, (), "Mixpanel did it.")
    size = answer.received.size if answer.received is not None else 0
    words = f"Mixpanel answered with {size_of(size)}, whole." if size > SMALL else "Mixpanel answered."
    return Judgement("accepted", 0, (), words)


def _counted(total: int) -> str:
    return "1 record accepted." if total == 1 else f"{total:,} records accepted."
