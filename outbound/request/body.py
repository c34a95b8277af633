"""The body of a request, by its kind: records as JSON, a form, CSV, one JSON object."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from outbound.operations.types import BodyFile, CallInput, Operation, Problem
from outbound.projects import Credentials
from outbound.readers.objects import is_lines, of_lines
from outbound.request import records
from outbound.request.checks import MOST_BYTES, MOST_RECORD_BYTES, MOST_RECORDS, check_record, lines, lookup
from outbound.request.param_values import MARK, WrongValue, parsed, wire

JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
CSV = ("Content-Type", "text/csv")
MOST_CSV_BYTES = 100 * 1024 * 1024
SAME = "Made from the event's content and time: the same event sent again is counted once."
ANEW = (
    "Made from the event's content and the time of sending: sent again, it is a new event. "
    "Fill in Time or Insert id to send the same one twice."
)


@dataclass
class Body:
    """`content` is None where nothing is sent, or a `file`; `records` are those in it, and stand on `lines`."""

    content: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    records: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    file: BodyFile | None = None


def body_of(
    operation: Operation,
    given: CallInput,
    values: dict[str, Any],
    credentials: Credentials,
    integration_id: str | None,
    now: int,
    *,
    from_params: bool,
) -> Body:
    """Return the body, with what is wrong in it by field."""
    if operation.record is None:
        return _WITHOUT_RECORDS[operation.body](operation, given, values)
    body = Body()
    found = _given_records(operation, given, values, body, from_params=from_params)
    unread = _unread(body.problems)
    for index, record in enumerate(found):
        where = _RecordLocation(operation, index, from_params=from_params)
        if not isinstance(record, dict):
            body.problems.append(where.problem(Problem("error", "", "A record is an object, such as {}.")))
            continue
        ready = records.prepared(operation, record, credentials, integration_id, now)
        body.problems.extend(map(where.problem, _problems(operation, record, ready, credentials, now)))
        body.records.append(ready)
    if len(found) == len(body.records) and found and not unread:
        _encode(operation, values, body)
    return body


class _RecordLocation:
    """Where a problem of a record is shown: beside its parameter, or in the body."""

    def __init__(self, operation: Operation, index: int, *, from_params: bool) -> None:
        self.operation, self.index, self.from_params = operation, index, from_params

    def problem(self, found: Problem) -> Problem:
        if self.from_params:
            head, _, rest = found.field.partition(".")
            name = rest if head == "properties" and rest and self.operation.param(rest) else head
            return Problem(found.level, f"params.{name}", found.message)
        path = f"body[{self.index}]" + (f".{found.field}" if found.field else "")
        return Problem(found.level, path, found.message, self.index)


def _given_records(
    operation: Operation, given: CallInput, values: dict[str, Any], body: Body, *, from_params: bool
) -> Sequence[Any]:
    if from_params:
        return [records.made_of(operation, values)]
    found = given.body
    if isinstance(found, BodyFile):  # why it was not read has been said
        return []
    if isinstance(found, str):
        try:
            found = _parsed(found, body)
        except WrongValue as error:
            body.problems.append(Problem("error", "body", str(error)))
            return []
    found = found if isinstance(found, list) else [found]
    if len(found) > MOST_RECORDS:
        message = f"{len(found):,} records; Mixpanel takes {MOST_RECORDS:,} a call. Import them instead."
        body.problems.append(Problem("error", "body", message))
        return []
    if not found and not body.problems:
        body.problems.append(Problem("error", "body", "There is no record in it."))
    return [records.taken(operation, item) for item in found]


def _parsed(text: str, body: Body) -> Any:
    """JSON, or NDJSON: a record on each line, of which the first that are none are named. Raises WrongValue."""
    written = text.strip().removeprefix(MARK).encode("utf-8", "surrogatepass")
    if not written.startswith(b"{") or b"\n" not in written or not is_lines(written):
        return parsed(text)
    found = list(of_lines(io.BytesIO(written)))
    body.problems.extend(Problem("error", "body", words) for words in lines.wrong_lines(found))
    body.lines = [item.line for item in found if item.record is not None]
    return [item.record for item in found if item.record is not None]


def _unread(problems: Sequence[Problem]) -> bool:
    return any(problem.level == "error" for problem in problems)


def _problems(
    operation: Operation, record: dict[str, Any], ready: dict[str, Any], credentials: Credentials, now: int
) -> Iterator[Problem]:
    assert operation.record is not None  # noqa: S101 - for the type
    yield from check_record(operation.record, ready, now)
    if records.token_of(ready) not in {None, credentials.token}:
        where = "$token" if operation.record in {"profile", "group"} else "properties.token"
        yield Problem("advice", where, "This is the token of another project than the one chosen.")
    if operation.event is not None and ready.get("event") != operation.event:
        yield Problem("advice", "event", f"It must be {operation.event}.")
    filled = (
        (ready.get("properties") or {}).keys() - (record.get("properties") or {}).keys() if "event" in ready else ()
    )
    if "$insert_id" in filled:
        yield Problem("note", "properties.$insert_id", SAME if "time" in (record.get("properties") or {}) else ANEW)


def _encode(operation: Operation, values: dict[str, Any], body: Body) -> None:
    try:
        encoded = [msgspec.json.encode(record) for record in body.records]
    except (UnicodeEncodeError, TypeError, ValueError):
        body.problems.append(Problem("error", "body", "It holds half a character, which cannot be sent as UTF-8."))
        return
    for index, written in enumerate(encoded):
        if len(written) >= MOST_RECORD_BYTES:
            body.problems.append(Problem("error", f"body[{index}]", "A record must be smaller than 1 MB.", index))
    content = b"[" + b",".join(encoded) + b"]"
    if len(content) > MOST_BYTES:
        body.problems.append(Problem("error", "body", "It is larger than 10 MB, which is all that Mixpanel takes."))
    if operation.body == "form":
        fields = [("data", encoded[0].decode()), *_fields(operation, values)]
        body.content, body.headers = urlencode(fields).encode(), (FORM,)
        if len(encoded) > 1:
            body.problems.append(Problem("error", "body", "This call takes one record."))
    else:
        body.content, body.headers = content, (JSON,)


def _fields(operation: Operation, values: dict[str, Any]) -> list[tuple[str, str]]:
    there = [param for param in operation.params if param.place == "form" and param.name in values]
    return [pair for param in there for pair in wire(param, values[param.name])]


def _nothing(_operation: Operation, given: CallInput, _values: dict[str, Any]) -> Body:
    if given.body in (None, "", [], {}):
        return Body()
    return Body(problems=[Problem("error", "body", "This operation has no body.")])


def _form(operation: Operation, given: CallInput, values: dict[str, Any]) -> Body:
    """Return the parameters; a body that was given is a further set of fields."""
    fields = _fields(operation, values)
    if isinstance(given.body, dict):
        known = [
            (param.name, text)
            for param in operation.params
            if param.place == "form"
            for text in _also(param, given.body)
        ]
        fields = [*fields, *known]
    elif given.body not in (None, "", []):
        return Body(problems=[Problem("error", "body", "This operation takes parameters, not a body.")])
    return Body(urlencode(fields).encode(), (FORM,))


def _also(param: Any, given: dict[str, Any]) -> Iterator[str]:
    if param.name in given:
        yield from (text for _name, text in wire(param, given[param.name]))


def _csv(_operation: Operation, given: CallInput, values: dict[str, Any]) -> Body:
    if isinstance(given.body, BodyFile):
        return Body(file=given.body, headers=(CSV,), problems=list(given.body.problems))
    text = given.body if isinstance(given.body, str) and given.body else values.get("csv")
    if not isinstance(text, str) or not text.strip():
        return Body(problems=[Problem("error", "params.csv", "The table is missing: CSV with a first row of names.")])
    content = text.removeprefix(MARK).encode("utf-8", "replace")
    if len(content) > MOST_CSV_BYTES:
        return Body(problems=[Problem("error", "body", "It is larger than 100 MB, which is all that Mixpanel takes.")])
    return Body(content, (CSV,), problems=list(lookup.problems(content)))


def _json(operation: Operation, given: CallInput, values: dict[str, Any]) -> Body:
    content = given.body if given.body not in (None, "", []) else None
    if content is None:
        content = {
            param.name: values[param.name]
            for param in operation.params
            if param.place == "record" and param.name in values
        }
    if isinstance(content, str):
        try:
            content = parsed(content)
        except WrongValue as error:
            return Body(problems=[Problem("error", "body", str(error))])
    return Body(msgspec.json.encode(content), (JSON,))


_WITHOUT_RECORDS = {"none": _nothing, "form": _form, "csv": _csv, "json": _json, "records": _nothing}
