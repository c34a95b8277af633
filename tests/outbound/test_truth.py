"""The truth table: what Mixpanel answers, what we say that it did, and how often it was called (mixpanel-facts 3)."""

import json
from typing import Any, NamedTuple

import pytest

from outbound import send
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.projects import Project, ProjectFields
from outbound.transport.attempts import Outcome
from outbound.transport.retry import doubling
from runtime import Runtime
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import add_project, project_of
from tests.relay import Relay

NOW = 1_750_000_000
EVENT = {"event": "Signed up", "properties": {"time": NOW, "distinct_id": "u1", "$insert_id": "a"}}
TRACKED = {"event": "Signed up", "properties": {"distinct_id": "u1"}}
SET, ADD = {"$distinct_id": "u1", "$set": {"plan": "pro"}}, {"$distinct_id": "u1", "$add": {"logins": 1}}
GROUP = {"$group_key": "company", "$group_id": "acme", "$set": {"plan": "pro"}}
APPEND = {"$distinct_id": "u1", "$append": {"orders": "A-1"}}
BUSY = {"code": 429, "error": "Project exceeded rate limits.", "status": "Too Many Requests"}
GOOD = Answer(body={"code": 200, "num_records_imported": 1, "status": "OK"})
UNKNOWN = {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}


def bad(key: str, *indexes: int, stored: int = 0) -> dict[str, Any]:
    rows = [{"index": n, key: f"id-{n}", "field": "properties.time", "message": "must be a number"} for n in indexes]
    return {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": rows,
        "num_records_imported": stored,
        "status": "Bad Request",
    }


class Row(NamedTuple):
    """One line of the table: the call, the answers in their order, and what must come of it."""

    label: str
    operation: str
    body: Any
    answers: tuple[Answer, ...]
    verdict: str
    calls: int
    accepted: int = 0
    words: str = ""


TABLE = [
    Row("import: 200", "import-events", [EVENT], (GOOD,), "accepted", 1, 1),
    Row("import: fewer than sent", "import-events", [EVENT, EVENT], (GOOD,), "partly", 1, 1, "1 of 2 stored"),
    Row(
        "import: 400 with some stored",
        "import-events",
        [EVENT] * 3,
        (Answer(400, bad("insert_id", 1, stored=2)),),
        "partly",
        1,
        2,
        "Record 2: properties.time",
    ),
    Row(
        "import: 400 in the other spelling",
        "import-events",
        [EVENT] * 2,
        (Answer(400, bad("$insert_id", 0, stored=1)),),
        "partly",
        1,
        1,
    ),
    Row(
        "import: 400 with nothing stored", "import-events", [EVENT], (Answer(400, bad("insert_id", 0)),), "rejected", 1
    ),
    Row(
        "import: 400 without records",
        "import-events",
        [EVENT],
        (Answer(400, {"code": 400, "error": "bad"}),),
        "rejected",
        1,
    ),
    Row("import: code 400 in a 200", "import-events", [EVENT], (Answer(200, bad("insert_id", 0)),), "rejected", 1),
    Row("import: unreadable", "import-events", [EVENT], (Answer(200, "<html>"),), "failed", 1, 0, "not in a way"),
    Row("401", "import-events", [EVENT], (Answer(401, UNKNOWN),), "rejected", 1, 0, "does not know these credentials"),
    Row("403", "import-events", [EVENT], (Answer(403, {"error": "no"}),), "rejected", 1, 0, "lacks a role"),
    Row("404", "import-events", [EVENT], (Answer(404, {"error": "no"}),), "rejected", 1, 0, "nothing at this address"),
    Row("413 of one record", "import-events", [EVENT], (Answer(413, {"code": 413}),), "rejected", 1),
    Row(
        "302",
        "import-events",
        [EVENT],
        (Answer(302, "", {"Location": "http://127.0.0.1:1/"}),),
        "rejected",
        1,
        0,
        "not followed",
    ),
    Row("429, then 200", "import-events", [EVENT], (Answer(429, BUSY), Answer(429, BUSY), GOOD), "accepted", 3, 1),
    Row("502, then 200", "import-events", [EVENT], (Answer(502, ""), GOOD), "accepted", 2, 1),
    Row("503, then 200", "import-events", [EVENT], (Answer(503, ""), GOOD), "accepted", 2, 1),
    Row("500, then 200", "import-events", [EVENT], (Answer(500, ""), GOOD), "accepted", 2, 1),
    Row("504, then 200", "import-events", [EVENT], (Answer(504, ""), GOOD), "accepted", 2, 1),
    Row("a broken connection, then 200", "import-events", [EVENT], (Answer(drop=True), GOOD), "accepted", 2, 1),
    Row("429 to the end", "import-events", [EVENT], (Answer(429, BUSY),), "failed", 5, 0, "stored nothing"),
    Row("503 to the end", "import-events", [EVENT], (Answer(503, ""),), "failed", 5, 0, "sending it again is safe"),
    Row("broken to the end", "import-events", [EVENT], (Answer(drop=True),), "failed", 5, 0, "may have been stored"),
    Row(
        "503, then 429 to the end",
        "import-events",
        [EVENT],
        (Answer(503, ""), Answer(429, BUSY)),
        "failed",
        5,
        0,
        "An earlier try had no answer. It may have been stored",
    ),
    Row("track: 1", "track-event", [TRACKED], (Answer(200, "1"),), "accepted", 1, 1, "answers 1 to any token"),
    Row("track: 0", "track-event", [TRACKED], (Answer(200, "0"),), "rejected", 1),
    Row(
        "track: verbose 1",
        "track-event",
        [TRACKED],
        (Answer(200, {"status": 1, "error": None}),),
        "accepted",
        1,
        1,
        "answers 1 to any token",
    ),
    Row(
        "track: verbose 0",
        "track-event",
        [TRACKED],
        (Answer(200, {"status": 0, "error": "token, missing"}),),
        "rejected",
        1,
        0,
        "token, missing",
    ),
    Row("track: unreadable", "track-event", [TRACKED], (Answer(200, "pong"),), "failed", 1),
    Row("track: nothing", "track-event", [TRACKED], (Answer(200, ""),), "failed", 1),
    Row(
        "track: a picture",
        "track-event",
        [TRACKED],
        (Answer(200, "GIF89a", {"Content-Type": "image/gif"}),),
        "uncertain",
        1,
        0,
        "picture",
    ),
    Row("track: a callback", "track-event", [TRACKED], (Answer(200, "heard(1);"),), "accepted", 1, 1),
    Row("engage: 0", "profile-set", [SET], (Answer(200, "0"),), "rejected", 1),
    Row("engage: 401", "profile-set", [SET], (Answer(401, UNKNOWN),), "rejected", 1, 0, "does not know"),
    Row("groups: 1", "group-set-property", [GROUP], (Answer(200, "1"),), "accepted", 1, 1),
    Row("groups: 0", "group-set-property", [GROUP], (Answer(200, "0"),), "rejected", 1),
    Row("engage: 1", "profile-set", [SET], (Answer(200, "1"),), "accepted", 1, 1),
    Row(
        "engage: status 0 in a 200",
        "profile-set",
        [SET],
        (Answer(200, {"error": "Engage API error: $distinct_id, missing or empty", "status": 0}),),
        "rejected",
        1,
        0,
        "missing or empty",
    ),
    Row(
        "engage: records failed in a 200",
        "profile-batch-update",
        [SET, SET],
        (Answer(200, bad("insert_id", 1)),),
        "rejected",
        1,
    ),
    Row(
        "engage: strict, one of two",
        "profile-batch-update",
        [SET, SET],
        (Answer(200, {"status": 1, "failed_records": [{"index": 1, "message": "no"}]}),),
        "partly",
        1,
        1,
    ),
    Row("engage: 503, then 1", "profile-set", [SET], (Answer(503, ""), Answer(200, "1")), "accepted", 2, 1),
    Row("$add: 503", "profile-numerical-add", [ADD], (Answer(503, ""),), "uncertain", 1, 0, "may count it twice"),
    Row("$add: broken", "profile-numerical-add", [ADD], (Answer(drop=True),), "uncertain", 1),
    Row("$add: 429, then 1", "profile-numerical-add", [ADD], (Answer(429, BUSY), Answer(200, "1")), "accepted", 2, 1),
    Row("$add in a batch: 502", "profile-batch-update", [SET, ADD], (Answer(502, ""),), "uncertain", 1),
    Row("$append: 504", "profile-append-to-list-property", [APPEND], (Answer(504, ""),), "uncertain", 1),
    Row("$append: unreadable", "profile-append-to-list-property", [APPEND], (Answer(200, "?"),), "uncertain", 1),
]
PATHS = {"import-events": "/api/import", "track-event": "/api/track", "group-set-property": "/api/groups"}


def sent(runtime: Runtime, project: Project, key: str, params: dict[str, Any], body: Any = None) -> Outcome:
    operation = registry.find(key)
    assert operation is not None
    call = send.ready(runtime, project, operation, CallInput(params, body))
    assert not call.composed.stops(force=True), call.composed.problems
    return send.send(runtime, call, "test", "terminal")[1]


@pytest.mark.parametrize("row", TABLE, ids=[row.label for row in TABLE])
def test_the_table(runtime: Runtime, project: Project, mixpanel: Mixpanel, row: Row) -> None:
    path = PATHS.get(row.operation, "/api/engage")
    mixpanel.script(path, *row.answers)
    outcome = sent(runtime, project, row.operation, {}, row.body)
    assert (outcome.verdict, len(mixpanel.to(path)), outcome.accepted) == (row.verdict, row.calls, row.accepted)
    assert outcome.attempts == row.calls
    assert row.words in outcome.words


def test_each_failed_record_is_named_by_its_place_whatever_its_spelling(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    for key in ("insert_id", "$insert_id"):
        mixpanel.script("/api/import", Answer(400, bad(key, 0, 2, stored=1)))
        outcome = sent(runtime, project, "import-events", {}, [EVENT] * 3)
        assert [(one.index, one.insert_id, one.field) for one in outcome.failed_records] == [
            (0, "id-0", "properties.time"),
            (2, "id-2", "properties.time"),
        ]


def test_a_batch_that_is_too_large_is_split_and_goes_on(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    def picky(call: Call) -> Answer:
        if len(call.records) > 2:
            return Answer(
                413, {"code": 413, "error": "request exceeds max limit", "status": "Request Entity Too Large"}
            )
        if any(one["properties"]["distinct_id"] == "u6" for one in call.records):
            return Answer(400, bad("insert_id", 1, stored=len(call.records) - 1))
        return Answer(200, {"code": 200, "num_records_imported": len(call.records), "status": "OK"})

    mixpanel.script("/api/import", picky)
    batch = [
        {"event": "e", "properties": {"time": NOW, "distinct_id": f"u{n}", "$insert_id": f"i{n}"}} for n in range(7)
    ]
    outcome = sent(runtime, project, "import-events", {}, batch)
    assert (outcome.verdict, outcome.accepted) == ("partly", 6)
    taken = [
        one["properties"]["$insert_id"] for call in mixpanel.calls if len(call.records) <= 2 for one in call.records
    ]
    assert taken == [f"i{n}" for n in range(7)]
    assert [one.index for one in outcome.failed_records] == [6]


@pytest.mark.parametrize(
    ("key", "params", "path", "answer", "verdict", "words"),
    [
        (
            "list-lookup-tables",
            {},
            "/api/lookup-tables",
            Answer(200, {"code": 200, "status": "OK", "results": []}),
            "accepted",
            "",
        ),
        (
            "list-lookup-tables",
            {},
            "/api/lookup-tables",
            Answer(404, {"code": 200, "error": "was not found"}),
            "rejected",
            "was not found",
        ),
        ("cohorts-list", {}, "/query/cohorts/list", Answer(200, []), "accepted", ""),
        ("cohorts-list", {}, "/query/cohorts/list", Answer(200, {"error": "no such project"}), "rejected", "no such"),
        ("cohorts-list", {}, "/query/cohorts/list", Answer(402, {"error": "plan"}), "rejected", "plan"),
        ("cohorts-list", {}, "/query/cohorts/list", Answer(200, "<html>"), "failed", "Asking again is safe."),
        ("list-warehouse-pipeline-jobs", {}, "/pipelines/nessie/pipeline/jobs", Answer(200, {}), "accepted", ""),
        (
            "raw-request",
            {"url": "/track", "method": "POST", "json": []},
            "/api/track",
            Answer(200, "0"),
            "rejected",
            "its body says no",
        ),
        ("raw-request", {"url": "/me", "method": "GET", "family": "app"}, "/app/me", Answer(204, ""), "accepted", ""),
    ],
)
def test_queries_tables_pipelines_and_raw_requests(
    runtime: Runtime,
    project: Project,
    mixpanel: Mixpanel,
    key: str,
    params: dict[str, Any],
    path: str,
    answer: Answer,
    verdict: str,
    words: str,
) -> None:
    mixpanel.script(path, answer)
    outcome = sent(runtime, project, key, params)
    assert (outcome.verdict, len(mixpanel.to(path))) == (verdict, 1)
    assert words in outcome.words


def test_a_question_without_an_answer_is_asked_again_and_never_said_to_be_stored(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/cohorts/list", Answer(503, ""))
    outcome = sent(runtime, project, "cohorts-list", {})
    assert (outcome.verdict, len(mixpanel.calls)) == ("failed", 5)
    assert "stored" not in outcome.words


def test_nobody_answers_at_all(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    nowhere = runtime.with_settings(mixpanel_base_url="http://127.0.0.1:1")
    outcome = sent(nowhere, project, "profile-numerical-add", {}, [ADD])
    assert (outcome.verdict, outcome.status) == ("failed", None)
    assert "nothing was sent" in outcome.words


def test_the_pauses_are_mixpanels_own_schedule() -> None:
    pause = doubling(2.0)
    for tried, least in enumerate((2, 4, 8, 16, 32, 60, 60), 1):
        found = {pause(tried) for _ in range(50)}
        assert all(least + 1 <= one <= least + 5 for one in found)
        assert len(found) > 1


def test_a_raw_request_tries_again_only_where_it_asks_for_that(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/app/me", Answer(503, ""))
    plain = {"url": "/me", "method": "GET", "family": "app"}
    assert sent(runtime, project, "raw-request", plain).attempts == 1
    assert sent(runtime, project, "raw-request", plain | {"max_retries": 2, "retry_delay_ms": 0}).attempts == 3
    mixpanel.script("/app/me", Answer(404, ""))
    assert sent(runtime, project, "raw-request", plain | {"max_retries": 2, "retry_delay_ms": 0}).attempts == 1
    every = {"max_retries": 2, "retry_delay_ms": 0, "retry_all_errors": True}
    assert sent(runtime, project, "raw-request", plain | every).attempts == 3


INGESTING = [one for one in registry.OPERATIONS.values() if one.record is not None]


@pytest.mark.parametrize("operation", INGESTING, ids=lambda one: one.id)
def test_nothing_is_sent_that_would_get_the_place_of_our_server(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, operation: Operation
) -> None:
    for example in operation.examples:
        filled = registry.filled(example, NOW * 1000)
        sent(runtime, project, operation.id, filled.params, filled.body)
    for call in mixpanel.calls:
        fields = dict(call.query) | (call.form if operation.body == "form" else {})
        records = [json.loads(call.form["data"])] if operation.body == "form" else call.records
        assert fields.get("ip") == "0" or all(one["properties"]["ip"] == 0 for one in records)


@pytest.mark.parametrize("ip", ["203.0.113.7", "", None])
def test_an_event_that_says_its_own_place_keeps_it(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, ip: str | None
) -> None:
    event = {"event": "e", "properties": EVENT["properties"] | {"ip": ip}}
    sent(runtime, project, "import-events", {}, [event])
    assert mixpanel.calls[0].records[0]["properties"]["ip"] == ip


@pytest.mark.parametrize(
    "operation", [one for one in INGESTING if one.path in {"/engage", "/groups"}], ids=lambda o: o.id
)
def test_an_update_carries_the_time_of_its_making_so_that_no_late_try_overtakes_a_newer_one(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, operation: Operation
) -> None:
    filled = registry.filled(operation.examples[0], NOW * 1000)
    mixpanel.script("/api" + operation.path, Answer(429, ""), Answer(200, "1"))
    sent(runtime, project, operation.id, filled.params, filled.body)
    first, second = mixpanel.calls
    assert {one["$time"] for call in (first, second) for one in call.records} == {runtime.clock() // 1000}


def test_calls_name_the_relay_as_their_sender_unless_the_project_names_another(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    add_project(
        relay, ProjectFields("plain", "us", "17", "planted-token-3f8a", "planted-account", "planted-secret-7b1e")
    )
    for one in (project, project_of(relay, "plain")):
        sent(runtime, one, "import-events", {}, [EVENT])
        sent(runtime, one, "cohorts-list", {})
    named = [call.headers["X-Mixpanel-Integration-ID"] for call in mixpanel.calls]
    assert named == ["example-co", "example-co", "cohort-relay", "cohort-relay"]
    sources = [call.records[0]["properties"]["$source"] for call in mixpanel.to("/api/import")]
    assert sources == ["example-co", "cohort-relay"]
