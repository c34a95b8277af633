"""What nobody heard, whatever it is: never told as a yes or a no, and tried again where that is safe."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outbound import send
from outbound.imports import jobs as imports
from outbound.operations import registry
from outbound.operations.types import CallInput, Composed, Operation
from outbound.projects import Project
from outbound.request.compose import compose
from outbound.result.verdict import judge
from outbound.transport import client
from outbound.transport.attempts import Outcome
from outbound.transport.retry import LONGEST_ASKED, asked_pause, is_repeatable, only_reads, retry_policy
from runtime import Runtime
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.talking_server import whole_request
from tests.outbound.test_imports import begin, counts, event, failed, work
from tests.outbound.test_specs import CREDENTIALS, PROJECT

NOW = 1_750_000_000_000
EVENT = {"event": "Signed up", "properties": {"time": NOW // 1000, "distinct_id": "u1", "$insert_id": "a"}}
ADD = {"$distinct_id": "u1", "$add": {"logins": 1}}
GOOD = Answer(body={"code": 200, "num_records_imported": 1, "status": "OK"})
TURNED_AWAY = {425, 429}

quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
unheard = st.one_of(st.integers(500, 999), st.just(408), st.sampled_from([101, 103, 199]))


def call(
    runtime: Runtime, project: Project, key: str, body: Any = None, params: dict[str, Any] | None = None
) -> Outcome:
    ready = send.ready(runtime, project, registry.OPERATIONS[key], CallInput(params or {}, body))
    return send.send(runtime, ready, "test", "terminal")[1]


@pytest.mark.parametrize("key", registry.OPERATIONS)
def test_every_status_of_every_operation_is_unheard_turned_away_or_an_answer(key: str) -> None:
    operation = registry.OPERATIONS[key]
    composed = compose(operation, PROJECT, CREDENTIALS, registry.filled(operation.examples[0], NOW), NOW)
    for status in range(100, 1000):
        assert_judged_by_its_class(operation, composed, status)


def assert_judged_by_its_class(operation: Operation, composed: Composed, status: int) -> None:
    answer = client.Answer(status, {"Content-Type": "text/html"}, b"<html>trouble</html>", 1)
    repeatable, reads = is_repeatable(composed), only_reads(composed)
    found = judge(operation, composed.records, answer, repeatable=repeatable, reads=reads)
    again = retry_policy(composed, 5, 2).again(answer)
    if status in TURNED_AWAY:
        assert (found.verdict, found.may_be_stored, again) == ("failed", False, True), status
    elif status == 408 or status >= 500 or status < 200:
        assert found.verdict == ("failed" if repeatable or reads else "uncertain"), status
        assert found.may_be_stored is not reads, status
        assert again is (repeatable or operation.body == "raw"), status
    else:
        assert again is False, status
        assert found.verdict != "accepted" or operation.body == "raw" or operation.answer == "track", status


@given(status=unheard, key=st.sampled_from(["import-events", "profile-numerical-add", "cohorts-list"]))
@quick
def test_what_nobody_heard_is_tried_again_where_that_is_safe_and_uncertain_where_not(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, status: int, key: str
) -> None:
    path, body = {
        "import-events": ("/api/import", [EVENT]),
        "profile-numerical-add": ("/api/engage", [ADD]),
        "cohorts-list": ("/query/cohorts/list", None),
    }[key]
    mixpanel.calls.clear()
    mixpanel.script(path, Answer(status, "<html>"))
    runtime.database.write(lambda db: db.exec_driver_sql("DELETE FROM budget_call"))
    outcome = call(runtime, project, key, body)
    if key == "profile-numerical-add":
        assert (outcome.verdict, len(mixpanel.calls)) == ("uncertain", 1)
    else:
        assert (outcome.verdict, len(mixpanel.calls)) == ("failed", 5)
    assert ("stored" in outcome.words) is (key != "cohorts-list")


@given(status=unheard)
@settings(quick, max_examples=8)
def test_a_batch_whose_answer_nobody_heard_stays_open_and_is_sent_again(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, tmp_path_factory: pytest.TempPathFactory, status: int
) -> None:
    mixpanel.script("/api/import", Answer(status, "<html>"))
    made = begin(runtime, tmp_path_factory.mktemp("events") / "events.ndjson", [event(1)])
    assert counts(work(runtime, made)) == ("failed", 0, 0, 0, 0)
    mixpanel.script("/api/import", GOOD)
    runtime.database.write(lambda db: imports.go(db, made))
    assert counts(work(runtime, made)) == ("done", 1, 1, 0, 0)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 410, 415, 421, 431, 451, 301, 307])
def test_a_no_to_the_call_itself_refuses_no_record_of_an_import(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, tmp_path: Any, status: int
) -> None:
    mixpanel.script("/api/import", Answer(status, ""))
    made = begin(runtime, tmp_path / "events.ndjson", [event(1)])
    assert counts(work(runtime, made)) == ("failed", 0, 0, 0, 0)
    mixpanel.script("/api/import", GOOD)
    runtime.database.write(lambda db: imports.go(db, made))
    assert counts(work(runtime, made)) == ("done", 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("answer", "accepted", "places"),
    [
        ({"num_records_imported": 2, "failed_records": [{"index": 1, "message": "no"}]}, 2, [(2, "rejected")]),
        ({"num_records_imported": "2", "failed_records": [{"index": "1", "message": "no"}]}, 2, [(2, "rejected")]),
        ({"num_records_imported": 2}, 0, [(1, "uncertain"), (2, "uncertain"), (3, "uncertain")]),
        (
            {"num_records_imported": 1, "failed_records": [{"index": 0, "message": "no"}, {"index": 9}]},
            0,
            [(1, "rejected"), (2, "uncertain"), (3, "uncertain")],
        ),
    ],
)
def test_of_a_batch_that_was_stored_in_part_only_what_is_named_is_told(
    runtime: Runtime,
    mixpanel: Mixpanel,
    tmp_path: Any,
    answer: dict[str, Any],
    accepted: int,
    places: list[tuple[int, str]],
) -> None:
    mixpanel.script("/api/import", Answer(400, answer))
    made = begin(runtime, tmp_path / "events.ndjson", [event(n) for n in range(3)])
    found = work(runtime, made)
    assert (found.state, found.read, found.accepted) == ("done", 3, accepted)
    assert found.accepted + found.refused + found.uncertain == found.read
    assert failed(runtime, made) == places


@pytest.mark.parametrize("status", [401, 404, 302, 425, 429])
def test_a_last_try_that_was_turned_away_says_nothing_of_the_one_before_it(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, status: int
) -> None:
    mixpanel.script("/api/import", Answer(524, ""), Answer(status, ""))
    outcome = call(runtime, project, "import-events", [EVENT])
    assert outcome.verdict == "failed"
    assert "An earlier try had no answer. It may have been stored" in outcome.words


def test_a_part_of_a_batch_that_nobody_heard_leaves_the_whole_to_be_sent_again(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    batch = [{"event": "e", "properties": {"time": 1, "distinct_id": f"u{n}", "$insert_id": f"i{n}"}} for n in range(2)]

    def picky(one: Any) -> Answer:
        if len(one.records) > 1:
            return Answer(413, {"code": 413})
        return GOOD if one.records[0]["properties"]["distinct_id"] == "u0" else Answer(520, "")

    mixpanel.script("/api/import", picky)
    ready = send.ready(runtime, project, registry.OPERATIONS["import-events"], CallInput({}, batch))
    outcome = send.send(runtime, ready, "test", "terminal")[1]
    assert (outcome.verdict, outcome.accepted) == ("failed", 1)


# --- Retry-After


def pauses(runtime: Runtime, project: Project, mixpanel: Mixpanel, *answers: Answer) -> tuple[Outcome, list[float]]:
    slept: list[float] = []
    mixpanel.script("/api/import", *answers)
    ready = send.ready(runtime, project, registry.OPERATIONS["import-events"], CallInput({}, [EVENT]))
    outcome = send.finish(runtime, ready, send.prepare(runtime, ready, "test", "terminal"), slept.append)
    return outcome, slept


@given(
    status=st.sampled_from([429, 503, 408, 425, 599]),
    seconds=st.integers(1, 10**12),
    name=st.sampled_from(["Retry-After", "retry-after", "RETRY-AFTER"]),
)
@quick
def test_a_pause_that_is_asked_for_is_kept_up_to_a_quarter_of_an_hour(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, status: int, seconds: int, name: str
) -> None:
    outcome, slept = pauses(runtime, project, mixpanel, Answer(status, "", {name: str(seconds)}), GOOD)
    assert (outcome.verdict, slept) == ("accepted", [min(seconds, 900)])


@given(
    text=st.one_of(
        st.text(max_size=40),
        st.integers(1, 5000).map(lambda many: "9" * many),
        st.sampled_from(
            [
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "Mon, 99 Foo 2026 00:00:00 GMT",
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "1e9",
                "nan",
            ]
        ),
    )
)
@settings(deadline=None)
def test_whatever_stands_in_retry_after_the_pause_is_bounded(text: str) -> None:
    pause = asked_pause(client.Answer(503, {"retry-after": text}, b"", 1), NOW)
    assert 0 <= pause <= LONGEST_ASKED


@given(seconds=st.integers(0, 10_000), apart=st.integers(-(10**6), 10**6))
def test_a_date_in_retry_after_is_read_by_the_clock_of_whoever_wrote_it(seconds: int, apart: int) -> None:
    theirs = datetime.fromtimestamp(NOW / 1000 + apart, UTC)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=seconds), usegmt=True),
    }
    assert asked_pause(client.Answer(503, headers, b"", 1), NOW) == min(seconds, 900)
    del headers["Date"]
    assert asked_pause(client.Answer(503, headers, b"", 1), NOW) == min(max(0, seconds + apart), 900)


def test_all_pauses_of_a_call_that_are_asked_for_are_bounded_together(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    outcome, slept = pauses(runtime, project, mixpanel, Answer(503, "", {"Retry-After": "600"}))
    assert outcome.verdict == "failed"
    assert slept[:2] == [600, 300]
    assert sum(slept) == LONGEST_ASKED


# --- a connection that ends at each stage


Behaviour = Callable[[socket.socket], None]


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def _after(said: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        whole_request(connection)
        connection.sendall(said)
        _reset(connection)

    return behave


STAGES: dict[str, Behaviour] = {
    "at once": _reset,
    "after the request": _after(b""),
    "within the status line": _after(b"HTTP/1.1 20"),
    "within the headers": _after(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "before the body": _after(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"),
    "within the body": _after(b'HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{"code": 200, "num_re'),
    "within a chunk": _after(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"code": 200'),
    "within a compressed body": _after(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0garbage!!!"
    ),
    "with no HTTP at all": _after(b"SSH-2.0-OpenSSH_9.6\r\n"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_connection_that_ends_at_any_stage_leaves_it_unheard(runtime: Runtime, project: Project, stage: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        seen: list[int] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                seen.append(1)
                STAGES[stage](connection)
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        runtime = runtime.with_settings(mixpanel_base_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        for key, body, verdict, tries in (
            ("import-events", [EVENT], "failed", 5),
            ("profile-numerical-add", [ADD], "uncertain", 1),
        ):
            seen.clear()
            outcome = call(runtime, project, key, body)
            left = "may have been stored" in outcome.words
            assert outcome.verdict == (verdict if left else "failed")
            assert left or (stage == "at once" and "nothing was sent" in outcome.words)
            assert len(seen) <= tries or stage == "at once"
