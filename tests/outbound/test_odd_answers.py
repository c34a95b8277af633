"""Whatever Mixpanel answers can be kept, shown and sent on; no fault of ours after a call looks like a failed call."""

import json
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blueprints.api import sending
from models.database import DatabaseUnavailable
from outbound import send
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.request.compose import readable
from outbound.result.types import Judgement
from outbound.result.verdict import judge
from outbound.transport import budget
from outbound.transport.client import Answer as Came
from runtime import Runtime
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import runtime_of
from tests.outbound.test_api import post, sender
from tests.relay import Browser, Relay

ADDRESS = "/api/v1/projects/prod/operations/profile-numerical-add"
ADD = {"$distinct_id": "u1", "$add": {"logins": 1}}
NAMES = ["status", "error", "code", "failed_records", "num_records_imported", "message", "index", "results", "field"]

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from(["1", "0", "400", 1, 0, 400, "ok"])
)
names = st.one_of(texts, st.sampled_from(NAMES))
values = st.recursive(
    scalars, lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(names, inside, max_size=5))
)
DEEP = [f"{'[' * many}{']' * many}" for many in (99, 101, 500, 900, 5000, 200_000)]
odd = st.one_of(
    values.map(json.dumps),
    values.map(lambda value: "cb(" + json.dumps(value) + ");"),
    st.sampled_from([*DEEP, "[" * 200_000, "9" * 5000, "-" + "9" * 400, "1e999", "NaN", '"\\ud800"', '{"\\udfff": 1}']),
)


@pytest.fixture
def headers(relay: Relay) -> dict[str, str]:
    return sender(relay)


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("admin")


@given(text=odd, key=st.sampled_from(sorted(registry.OPERATIONS)), status=st.sampled_from([200, 400]))
@settings(deadline=None, max_examples=300)
def test_any_answer_is_judged_in_words_that_can_be_kept_and_shown(text: str, key: str, status: int) -> None:
    answer = Came(status, {}, text.encode("utf-8", "replace"), 1)
    found = judge(registry.OPERATIONS[key], [ADD], answer, repeatable=False, reads=False)
    assert isinstance(found, Judgement)
    for one in (found.words, *(part for row in found.failed_records for part in (row.message, row.field or ""))):
        one.encode()
        assert "\0" not in one
    assert all(0 <= row.index < 2**63 for row in found.failed_records)
    json.dumps(send.answer_json(answer.text), allow_nan=False, ensure_ascii=False).encode()
    readable(answer.text).encode()


@given(text=odd)
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_answer_leaves_a_reply_and_pages_that_work(
    relay: Relay, headers: dict[str, str], browser: Browser, mixpanel: Mixpanel, text: str
) -> None:
    mixpanel.script("/api/engage", Answer(200, text))
    reply = post(relay, headers, "profile-numerical-add", body=[ADD])
    assert reply.status_code == 200
    assert reply.json["verdict"] in {"accepted", "partly", "rejected", "uncertain"}
    delivery = reply.json["delivery"]
    assert relay.api(f"/deliveries/{delivery}").status_code == 200
    assert browser.get(f"/send/history/{delivery}").status_code == 200


class Leaving:
    """A database that goes away while a call is under way: `gone` is set by whoever answers the call."""

    def __init__(self, real: Any) -> None:
        self.real, self.gone = real, False

    def __getattr__(self, name: str) -> Any:
        if self.gone and name in {"read", "write"}:
            raise DatabaseUnavailable("no connection")
        return getattr(self.real, name)


@pytest.mark.parametrize("key", ["profile-numerical-add", "cohorts-list"])
def test_a_database_that_goes_away_after_a_call_does_not_make_the_call_look_as_if_it_had_failed(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, key: str
) -> None:
    leaving = Leaving(runtime.database)

    def gone(call: Call) -> Answer:
        leaving.gone = True
        return Answer(200, [] if "cohorts" in call.path else "1")

    mixpanel.script("/api/engage", gone)
    mixpanel.script("/query/cohorts/list", gone)
    runtime = replace(runtime, database=leaving)  # type: ignore[arg-type]
    given = CallInput({}, [ADD]) if key == "profile-numerical-add" else CallInput()
    outcome = send.send(runtime, send.ready(runtime, project, registry.OPERATIONS[key], given), "test", "api")[1]
    assert outcome.verdict == "accepted"
    assert "our own database did not answer" in outcome.words.lower()


def test_a_fault_of_ours_in_reading_an_answer_is_no_word_about_the_call(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_arguments: Any, **_options: Any) -> Judgement:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("outbound.transport.attempts.judge", faulty)
    call = send.ready(runtime, project, registry.OPERATIONS["profile-numerical-add"], CallInput({}, [ADD]))
    outcome = send.send(runtime, call, "test", "api")[1]
    assert (outcome.verdict, outcome.attempts) == ("uncertain", 1)


def test_a_spent_budget_is_told_with_its_reason_and_when_there_is_room_again(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    for _ in range(60):
        budget.give_back(runtime_of(relay), budget.take(runtime_of(relay), "2891273", "query"))
    reply = post(relay, headers, "cohorts-list").json
    assert (reply["verdict"], reply["attempts"], reply["answer"]) == ("failed", 0, None)
    assert reply["words"].startswith("Not sent: The 60 queries of an hour are used; the next is free at ")
    assert reply["frees_at"] == "2025-06-15T16:06:40.000Z"
    assert mixpanel.calls == []


def test_as_many_calls_at_once_as_there_are_threads_and_the_next_waits_for_a_place(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 30.0)  # seconds; on a busy machine it takes time until all are there
    threads = relay.app.extensions["runtime"].settings.threads
    together, found = Barrier(threads, timeout=20), []

    def all_there(_call: Call) -> Answer:
        if len(mixpanel.calls) <= threads:
            together.wait()  # answered only once as many are under way
        return Answer(200, "1")

    mixpanel.script("/api/engage", all_there)

    both = [headers, sender(relay, "other")]

    def one(number: int) -> None:
        reply = relay.app.test_client().post(ADDRESS, data=json.dumps({"body": [ADD]}), headers=both[number % 2])
        found.append(reply.status_code)

    senders = [Thread(target=one, args=(number,)) for number in range(threads + 1)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    assert found == [200] * (threads + 1)
