"""Saved requests: variables by project, checks, files that stay the same, schedules; on both databases."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from config.clock import DAY, HOUR, MINUTE
from outbound import deliveries
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.saved import expectations, files, requests, runs, schedules, variables
from outbound.saved.expectations import Seen, WrongExpectation
from outbound.saved.requests import SavedDraft, SavedRequest, WrongSavedRequest
from outbound.saved.runs import RunOptions
from runtime import Runtime
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import DRAFT, SECRET, add_project, project_of
from tests.relay import Relay

GIVEN = CallInput({"event": "Signed up", "distinct_id": "u1", "properties": {"plan": "{{plan}}", "seats": "{{seats}}"}})
VALUES = {"plan": {"": "pro", "eu": "team"}, "seats": {"": "3"}}


def draft(**changed: Any) -> SavedDraft:
    values = {"folder": "Smoke tests", "operation": "import-events", "project": "prod", "given": GIVEN}
    return SavedDraft(**({"name": "Sign up", "variables": VALUES} | values | changed))


def saved(runtime: Runtime, one: SavedDraft | None = None) -> SavedRequest:
    checked = requests.checked(one or draft())
    number = runtime.database.write(partial(requests.add, draft=checked, who="ada", now=runtime.clock()))
    return again(runtime, number)


def again(runtime: Runtime, number: int) -> SavedRequest:
    found = runtime.database.read(lambda db: requests.by_id(db, number))
    assert found is not None
    return found


def run(runtime: Runtime, one: SavedRequest, project: Project, **options: Any) -> runs.RunResult:
    return runs.run(runtime, one, project, "ada", "terminal", RunOptions(**({"sets": {}} | options)))


def test_variables_have_a_value_for_each_project(relay: Relay, runtime: Runtime, mixpanel: Mixpanel) -> None:
    add_project(relay, replace(DRAFT, name="eu"))
    one = saved(runtime)
    for name in ("prod", "eu"):
        assert run(runtime, one, project_of(relay, name)).passed
    assert run(runtime, one, project_of(relay), sets={"plan": "free"}).passed
    sent = [call.records[0]["properties"] for call in mixpanel.calls]
    assert [(one["plan"], one["seats"]) for one in sent] == [("pro", 3), ("team", 3), ("free", 3)]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (CallInput({"event": "{{nothing}}", "distinct_id": "u"}), "event"),
        (CallInput({"event": "E", "distinct_id": "u", "properties": {"a": {"b": "{{nothing}}"}}}), "properties.a.b"),
        (
            CallInput(body=[{"event": "E", "properties": {"time": 1, "distinct_id": "{{nothing}}"}}]),
            "body[0].properties",
        ),
        (CallInput(body='[{"event": "E", "properties": {"time": {{nothing}}}}]'), "body"),
    ],
)
def test_a_variable_without_a_value_stops_it_at_its_field(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, given: CallInput, field: str
) -> None:
    result = run(runtime, saved(runtime, draft(given=given)), project, force=True)
    assert not result.passed
    assert "{{nothing}} has no value" in result.reason
    assert field in result.reason
    assert mixpanel.calls == []


def test_the_time_of_a_run_and_what_the_project_settles_are_variables(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    body = [{"event": "E", "properties": {"time": "{{now}}", "distinct_id": "u", "of": "project {{project_id}}"}}]
    assert run(runtime, saved(runtime, draft(given=CallInput(body=body))), project).passed
    sent = mixpanel.calls[0].records[0]["properties"]
    assert (sent["time"], sent["of"]) == (runtime.clock() // 1000, "project 2891273")


def test_a_raw_request_keeps_the_projects_own_placeholders(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    given = CallInput(
        {"method": "POST", "family": "api", "url": "/track", "json": {"token": "{{token}}", "who": "{{who}}"}}
    )
    one = saved(runtime, draft(operation="rawRequest", given=given, variables={"who": {"": "u1"}}))
    run(runtime, one, project)
    assert mixpanel.calls[0].json == {"token": DRAFT.token, "who": "u1"}


def test_no_credential_is_saved(runtime: Runtime, project: Project) -> None:
    given = CallInput({"event": SECRET, "distinct_id": "u", "properties": {"a": DRAFT.token}})
    kept = requests.without_secrets(runtime.cipher, draft(given=given, variables={"a": {"": SECRET}}), project)
    assert SECRET not in str(kept)
    assert str(DRAFT.token) not in str(kept)


SEEN = Seen("rejected", 400, 2310, json.dumps({"code": 400, "ok": True, "list": [{"a.b": None}]}), "Not stored.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("status = 400", ""),
        ("status=200", "The status is 400, not 200."),
        ("verdict = rejected", ""),
        ("verdict = accepted", "The verdict is rejected, not accepted. Not stored."),
        ("ms <= 3000", ""),
        ("ms = 2000", "It took 2,310 ms, more than 2,000 ms."),
        ("answer.code = 400", ""),
        ("answer.code = 1", "answer.code is 400, not 1."),
        ('answer.code = "400"', 'answer.code is 400, not "400".'),
        ("answer.ok = 1", "answer.ok is true, not 1."),
        ('answer.list[0]["a.b"] = null', ""),
        ('answer.list[0]["a.b"] exists', ""),
        ("answer.list[1] exists", "answer.list[1] is not in the answer."),
        ("answer.code.more exists", "answer.code.more is not in the answer."),
    ],
)
def test_a_check_holds_or_says_why_not(line: str, reason: str) -> None:
    wanted = [expectations.of_line(line)]
    if not line.startswith(("status", "verdict")):
        wanted.append(expectations.of_line("verdict = rejected"))
    assert expectations.unmet(wanted, SEEN) == ([reason] if reason else [])


@pytest.mark.parametrize(
    "line", ["", "status", "status = x", "status <= 200", "verdict = good", "body = 1", "answer..a = 1"]
)
def test_a_check_that_says_nothing_is_refused(line: str) -> None:
    with pytest.raises(WrongExpectation):
        expectations.of_line(line)


def test_without_a_check_of_the_verdict_it_has_to_be_accepted() -> None:
    assert expectations.unmet([], SEEN) == ["The verdict is rejected, not accepted. Not stored."]
    assert expectations.unmet([expectations.of_line("status = 400")], SEEN) == []


def test_variables_are_read_as_they_are_written() -> None:
    lines = "plan = pro\nplan@eu = team\nseats = 3"
    assert variables.of_lines(lines) == VALUES
    assert variables.as_lines(VALUES) == lines


def test_a_file_is_the_same_bytes_for_the_same_request_and_reads_back(runtime: Runtime) -> None:
    body = '[{"event":"E","properties":{"time":1,"distinct_id":"Ada Lovelace"}}]'
    one = saved(runtime, draft(given=CallInput({"strict": "1"}, body), checks=["status=200"]))
    written = files.written(one.draft)
    assert written == files.written(files.read(written.encode()))
    assert json.loads(written)["checks"] == ["status = 200"]
    assert '"distinct_id": "Ada Lovelace"' in written
    assert not any(word in written for word in ('ada"', "created", str(one.created_at)))


def test_names_that_would_share_a_path_do_not() -> None:
    found = [path for path, _draft in files.paths([draft(name="Sign up"), draft(name="sign UP"), draft(name="Ünï")])]
    assert len(set(found)) == 3
    assert all(path.startswith("smoke-tests/") and path.endswith(".json") for path in found)


def test_a_zip_is_the_same_bytes_and_unpacks_to_the_same_requests() -> None:
    drafts = [draft(name="b"), draft(name="a")]
    packed = files.packed(drafts)
    assert packed == files.packed(drafts[::-1])
    assert [files.read(content).name for _path, content in files.unpacked("x.zip", packed)] == ["a", "b"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"name": "x", "operation": "none"}', b"\xff", b'{"name": "x", "secret": "y"}']
)
def test_what_is_no_saved_request_is_refused(content: bytes) -> None:
    with pytest.raises(WrongSavedRequest):
        files.read(content)


def test_a_name_is_given_once(runtime: Runtime) -> None:
    one, other = saved(runtime), saved(runtime, draft(name="Other"))
    for write in (
        partial(requests.add, draft=draft(), who="ada", now=1),
        partial(requests.change, known=other, draft=draft(), who="ada", now=1),
    ):
        with pytest.raises(WrongSavedRequest, match="already"):
            runtime.database.write(write)
    runtime.database.write(partial(requests.change, known=one, draft=draft(folder="A / B"), who="bob", now=1))
    assert again(runtime, one.id).updated_by == "bob"


def test_it_is_found_by_words_whatever_their_case(runtime: Runtime) -> None:
    saved(runtime, draft(name="100% Sign_up"))
    saved(runtime, draft(name="Purchase"))

    def found(sought: str) -> list[str]:
        return [one.name for one in runtime.database.read(lambda db: requests.listed(db, sought))]

    assert (found("SIGN_"), found("0%"), found("%"), found("smoke")) == (
        ["100% Sign_up"],
        ["100% Sign_up"],
        ["100% Sign_up"],
        ["100% Sign_up", "Purchase"],
    )


def schedule(runtime: Runtime, one: SavedRequest, every: int | None) -> None:
    runtime.database.write(lambda db: schedules.plan(db, one, every, "ada", runtime.clock()))


def test_it_runs_when_its_time_has_come_and_its_failure_is_told(
    relay: Relay, runtime: Runtime, mixpanel: Mixpanel
) -> None:
    one = saved(runtime)
    schedule(runtime, one, HOUR)
    assert schedules.run_due(runtime) == 0
    relay.wait(HOUR)
    mixpanel.script("/api/import", Answer(401, {"code": 401, "error": "Invalid credentials"}))
    assert (schedules.run_due(runtime), schedules.run_due(runtime)) == (1, 0)
    failed = again(runtime, one.id)
    assert (failed.passed, failed.next_at) == (False, runtime.clock() + HOUR)
    assert "The verdict is rejected" in (failed.reason or "")
    (last,) = runtime.database.read(lambda db: runs.newest(db, failed, 5))
    delivery = runtime.database.read(lambda db: deliveries.by_id(db, last.delivery_id or 0))
    assert delivery is not None
    assert (delivery.source, delivery.who, last.source) == ("schedule", "ada", "schedule")


def test_of_two_workers_one_runs_it_and_a_worker_that_died_has_it_run_once(relay: Relay, runtime: Runtime) -> None:
    one = saved(runtime)
    schedule(runtime, one, DAY)
    relay.wait(DAY)
    claim = partial(schedules.claim_due, now=runtime.clock())
    first, second = runtime.database.write(claim), runtime.database.write(claim)
    assert (first is not None, second) == (True, None)
    relay.wait(HOUR)  # the claim is over, and its worker gone
    assert schedules.run_due(runtime) == 0


def test_a_schedule_survives_a_clock_that_is_set_back(relay: Relay, runtime: Runtime, mixpanel: Mixpanel) -> None:
    one = saved(runtime)
    runtime.database.write(lambda db: schedules.plan(db, one, 5 * MINUTE, "ada", runtime.clock() + DAY))
    assert schedules.run_due(runtime) == 1
    assert len(mixpanel.calls) == 1


def test_a_removed_request_and_a_missing_project_run_nothing(
    relay: Relay, runtime: Runtime, mixpanel: Mixpanel
) -> None:
    one, gone = saved(runtime, draft(project="none")), saved(runtime, draft(name="Gone"))
    for each in (one, gone):
        schedule(runtime, each, HOUR)
    assert runtime.database.write(lambda db: requests.remove(db, gone))
    relay.wait(HOUR)
    assert schedules.run_due(runtime) == 1
    assert again(runtime, one.id).reason == "There is no project none."
    assert mixpanel.calls == []


def test_the_oldest_runs_make_room(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT", 2)
    one = saved(runtime)
    for number in range(4):
        result = runs.RunResult(passed=True, reason=str(number))
        runtime.database.write(partial(runs.note, saved=one, result=result, who="ada", source="terminal", now=number))
    assert [run.reason for run in runtime.database.read(lambda db: runs.newest(db, one, 9))] == ["3", "2"]
