"""Bodies of calls in every way that they are written: a record a line, with a mark, with blank lines; and tables."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.operations.registry import OPERATIONS
from outbound.operations.types import CallInput, Composed, Operation
from outbound.request.compose import compose
from tests.commands.conftest import terminal_of
from tests.mixpanel import Mixpanel
from tests.outbound.test_api import post, sender
from tests.outbound.test_inputs import KEYS, NOW, OURS
from tests.relay import Relay

RECORDS: dict[str, Any] = {
    "imported-event": {"event": "E", "properties": {"time": 1_750_000_000, "distinct_id": "u", "note": "é {}\u2028x"}},
    "tracked-event": {"event": "E", "properties": {"distinct_id": "u", "note": '"\\n'}},
    "profile": {"$distinct_id": "u", "$set": {"note": "a\u0085b"}},
    "group": {"$group_key": "company", "$group_id": "g", "$set": {"note": "[]"}},
}
TAKE_RECORDS = [one for one in OPERATIONS.values() if one.body == "records" and one.record in RECORDS]
ENDS, MARKS = ("\n", "\r\n", "\n\n", " \n\t\n"), ("", "\ufeff")


def composed(operation: Operation, body: Any) -> Composed:
    return compose(operation, OURS, KEYS, CallInput({}, body), NOW, "")


def sent(operation: Operation, body: Any) -> tuple[bytes | None, list[str]]:
    """The request's body, and what keeps it from being sent."""
    found = composed(operation, body)
    return found.request.body if found.request else None, [one.message for one in found.stops(force=False)]


@pytest.mark.parametrize("operation", TAKE_RECORDS, ids=lambda one: one.id)
@given(count=st.integers(1, 4), end=st.sampled_from(ENDS), mark=st.sampled_from(MARKS), ascii_only=st.booleans())
def test_records_are_the_same_call_however_they_are_written(
    operation: Operation, count: int, end: str, mark: str, ascii_only: bool
) -> None:
    records = [RECORDS[str(operation.record)] for _ in range(count)]
    written = [json.dumps(one, ensure_ascii=ascii_only) for one in records]
    wanted = sent(operation, records)
    assert wanted[0] is not None
    assert sent(operation, mark + end.join(written)) == wanted
    assert sent(operation, mark + "".join(one + end for one in written)) == wanted
    assert sent(operation, mark + json.dumps(records, ensure_ascii=ascii_only, indent=1)) == wanted


@pytest.mark.parametrize("operation", TAKE_RECORDS, ids=lambda one: one.id)
@pytest.mark.parametrize("wrong", ['{"event": ', "[]", "7", "x", '{"a": NaN}', '{"a": 1} {"b": 2}'])
def test_of_lines_of_which_one_is_no_record_nothing_is_sent_and_the_line_is_told(
    operation: Operation, wrong: str
) -> None:
    line = json.dumps(RECORDS[str(operation.record)])
    content, problems = sent(operation, f"{line}\n\n{line}\n{wrong}\n{line}\n")
    assert content is None
    assert any("Line 4" in one for one in problems), problems


@pytest.mark.parametrize("wrong", ["NaN", "-Infinity", "1e999", '1, "a": 2'])
@pytest.mark.parametrize("inside", ["{%s}", "[{%s}]", '{"$distinct_id": "u", "$set": {%s}}'])
def test_what_would_leave_as_null_or_in_part_is_not_sent(wrong: str, inside: str) -> None:
    for operation in TAKE_RECORDS:
        content, problems = sent(operation, inside % f'"a": {wrong}')
        assert (content, bool(problems)) == (None, True), operation.id


def test_lines_go_through_every_door_and_once_under_a_name(relay: Relay, mixpanel: Mixpanel, tmp_path: Path) -> None:
    line = json.dumps(RECORDS["imported-event"], ensure_ascii=False)
    body, headers = f"\ufeff{line}\n{line}\n", sender(relay) | {"Idempotency-Key": "a"}
    for replayed in (None, "true"):
        answer = post(relay, headers, "import-events", body=body)
        assert (answer.json["accepted"], answer.headers.get("Idempotent-Replayed")) == (2, replayed)
    relay.sign_in("operator").post("/send", {"operation": "import-events", "project": "prod", "body": body})
    path = tmp_path / "lines.ndjson"
    path.write_text(body, encoding="utf-8")
    for word in (f"@{path}", body):
        result = terminal_of(relay.app)("send", "import-events", "--project", "prod", "--body", word)
        assert result.exit_code == 0, result.output
    assert [len(call.records) for call in mixpanel.to("/api/import")] == [2, 2, 2, 2]
    assert len({call.body for call in mixpanel.to("/api/import")}) == 1


@pytest.mark.parametrize("mark", MARKS)
def test_the_mark_of_a_table_is_none_of_its_first_column(
    relay: Relay, mixpanel: Mixpanel, tmp_path: Path, mark: str
) -> None:
    table = "sku,name\r\nA-1,Bücher\r\nA-2,Desk\r\n"
    headers, given = sender(relay), {"id": "t-1"}
    answers = [
        post(relay, headers, "replace-lookup-table", params=given | {"csv": mark + table}),
        post(relay, headers, "replace-lookup-table", params=given, body=mark + table),
    ]
    assert [one.json["verdict"] for one in answers] == ["accepted", "accepted"]
    form = {"operation": "replace-lookup-table", "project": "prod", "p.id": "t-1", "sure": "yes"}
    relay.sign_in("operator").post("/send", form | {"p.csv": mark + table})
    path = tmp_path / "t.csv"
    words = ("send", "replace-lookup-table", "--project", "prod", "--param", "id=t-1", "--body", f"@{path}")
    for encoding in ("utf-8", "utf-16"):
        path.write_text((mark if encoding == "utf-8" else "") + table, encoding=encoding, newline="")
        result = terminal_of(relay.app)(*words)
        assert result.exit_code == 0, (encoding, result.output)
    calls = [call for call in mixpanel.calls if "lookup-tables" in call.path]
    assert len(calls) == 2 + 1 + 2
    assert {call.body.decode().rstrip() for call in calls} == {table.rstrip()}
