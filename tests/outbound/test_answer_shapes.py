"""An answer of another shape ends a comparison and a look-out with a sentence, within a bounded number of calls, and
nothing is claimed from it."""

import json
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.encryption import DecryptionError
from outbound import send
from outbound.comparison import runner as comparison_runner
from outbound.delivery_check import search
from outbound.imports import jobs as imports
from outbound.imports import runner
from outbound.operations import choices, registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.transport import hosts
from runtime import Runtime
from security.encryption import Cipher
from tests import searches
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.test_comparison import ask, cohort, done
from tests.outbound.test_delivery_check import EXPORT, SECOND, exported, sent, state
from tests.outbound.test_delivery_check import ask as look_out
from tests.outbound.test_imports import begin, event
from tests.outbound.test_odd_answers import values
from tests.relay import Relay

__all__ = ["cohort"]  # a fixture

MOST_CALLS = 30
some = settings(
    deadline=None,
    max_examples=searches.examples(30, of_a_change=10, at_a_desk=10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
counts = st.one_of(values, st.sampled_from(["2,500", "5", 5, 5.0, -1, None, "5 people", [], True, 1e30]))
ids = st.one_of(st.sampled_from([42, "42", 42.0, " 42", "042", None]), values)
html = st.sampled_from(["<html>busy</html>", "", "null", "1", '"text"', "[1, 2]", "[[]]", "{}", '{"results": {}}'])


def worked_off(runtime: Runtime, relay: Relay, comparison: int) -> Any:
    """The comparison once it is over; it may be put off some times."""
    for _ in range(MOST_CALLS):
        found = done(runtime, comparison)
        if not found.is_open:
            return found
        relay.clock.forward(3_700 * SECOND)
    raise AssertionError("it goes on and on")


@given(identifier=ids, count=counts)
@some
def test_a_count_is_only_told_where_mixpanel_gave_one(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel, identifier: Any, count: Any
) -> None:
    mixpanel.calls.clear()
    mixpanel.script("/query/cohorts/list", Answer(body=json.dumps([{"id": identifier, "count": count}])))
    found = worked_off(runtime, relay, ask(runtime, cohort, "count"))
    if found.state == "done":
        assert not isinstance(count, bool)
        assert float(str(count).strip()) == found.summary["there"] >= 0
        assert str(identifier).removesuffix(".0") == "42"
    else:
        assert found.state == "failed"
        assert found.summary["message"].endswith(".")
        assert "there" not in found.summary


@given(text=st.one_of(html, values.map(json.dumps)), way=st.sampled_from(["count", "ids"]))
@some
def test_an_answer_of_another_shape_ends_a_comparison_with_a_sentence(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel, text: str, way: str
) -> None:
    mixpanel.calls.clear()
    for path in ("/query/cohorts/list", "/query/engage"):
        mixpanel.script(path, Answer(200, text, {"Content-Type": "application/json"}))
    found = worked_off(runtime, relay, ask(runtime, cohort, way))
    assert len(mixpanel.calls) <= MOST_CALLS
    assert found.state == "failed"
    assert found.summary["message"]
    assert not {"there", "missing", "extra"} & set(found.summary)


def going_round(round_of: list[list[str]], **told: Any) -> Any:
    def answer(call: Call) -> Answer:
        page = int(call.form.get("page") or 0)
        results = [{"$distinct_id": one} for one in round_of[page % len(round_of)]]
        body = {"page": page, "page_size": len(results), "session_id": "s", "results": results}
        return Answer(body={name: one for name, one in (body | told).items() if one != "left out"})

    return answer


@pytest.mark.parametrize("told", [{}, {"page": "left out"}, {"total": 10**9}, {"page_size": "2"}])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_pages_that_go_round_in_circles_end_a_comparison(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel, length: int, told: dict[str, Any]
) -> None:
    pages = [[f"a{page}", f"b{page}"] for page in range(length)]
    mixpanel.script("/query/engage", going_round(pages, **told))
    found = worked_off(runtime, relay, ask(runtime, cohort, "ids"))
    assert (found.state, len(mixpanel.calls)) == ("failed", length + 1)
    assert "round in circles" in found.summary["message"]


@pytest.mark.parametrize(
    "told",
    [{"page": 7}, {"session_id": None}, {"session_id": ""}, {"results": None}, {"results": [{}]}, {"results": ["a"]},
     {"results": [{"$distinct_id": None}]}, {"results": [{"$distinct_id": {}}]}],
)  # fmt: skip
def test_a_page_that_is_none_ends_a_comparison(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel, told: dict[str, Any]
) -> None:
    mixpanel.script("/query/engage", going_round([["a", "b"]], **told))
    found = worked_off(runtime, relay, ask(runtime, cohort, "ids"))
    assert (found.state, len(mixpanel.calls)) == ("failed", 1)
    assert "nothing was compared" in found.summary["message"]


def test_numbers_that_come_as_texts_are_numbers(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel
) -> None:
    def answer(call: Call) -> Answer:
        page = int(call.form.get("page") or 0)
        runtime = [[1, 2], [3]][page]
        return Answer(body={"page": str(page), "page_size": "2", "session_id": 9, "results": [
            {"$distinct_id": one} for one in runtime]})  # fmt: skip

    mixpanel.script("/query/engage", answer)
    found = worked_off(runtime, relay, ask(runtime, cohort, "ids"))
    assert (found.state, found.summary["there"]) == ("done", 3)


# --- did it land?


@given(text=st.one_of(
    st.sampled_from(['{"error": "no"}\n', "<html>", '{"event": "e", "prop', "export terminated early\n", "null\n"]),
    values.map(lambda value: json.dumps(value) + "\n"),
))  # fmt: skip
@some
def test_an_export_that_is_none_is_never_read_as_a_missing_event(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel, text: str
) -> None:
    delivery = sent(runtime, project, n=len(mixpanel.calls))
    wanted = look_out(runtime, delivery)
    mixpanel.script(EXPORT, Answer(200, exported(wanted, **{"$insert_id": "another"}) + text))
    for _ in range(MOST_CALLS):
        relay.clock.forward(3_700 * SECOND)
        search.look_once(runtime)
    found = state(runtime, delivery)
    assert found.state == "stopped"
    assert "not known" in (found.cause or "")


def test_an_event_that_was_seen_is_there_whatever_comes_behind_it(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    delivery = sent(runtime, project)
    mixpanel.script(EXPORT, Answer(200, exported(look_out(runtime, delivery)) + "export terminated early\n"))
    relay.clock.forward(3_700 * SECOND)
    search.look_once(runtime)
    assert state(runtime, delivery).state == "visible"


@given(answer=values, key=st.sampled_from(["funnels-list-saved", "list-lookup-tables", "cohorts-list",
    "list-warehouse-pipeline-jobs"]))  # fmt: skip
@settings(deadline=None)
def test_pick_lists_offer_only_what_is_there(answer: Any, key: str) -> None:
    wrapped = {"results": answer}
    for one in (answer, wrapped, [answer]):
        assert all(isinstance(choice["key"], str) for choice in choices.choices(key, one))


# --- another SECRET_KEY


@pytest.mark.parametrize("way", ["count", "ids"])
def test_under_another_key_a_comparison_ends_with_the_sentence(
    runtime: Runtime, cohort: int, mixpanel: Mixpanel, way: str
) -> None:
    other = replace(runtime, cipher=Cipher("another key"))
    found = done(other, ask(runtime, cohort, way))
    assert (found.state, found.summary["message"]) == ("failed", comparison_runner.SEALED)
    assert mixpanel.calls == []


def test_under_another_key_every_job_of_the_worker_ends_with_the_sentence(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel, tmp_path: Any
) -> None:
    other = replace(runtime, cipher=Cipher("another key"))
    with pytest.raises(DecryptionError):
        project.credentials(other.cipher)
    delivery = sent(runtime, project)
    look_out(runtime, delivery)
    relay.clock.forward(60 * SECOND)
    search.look_once(other)
    assert (state(runtime, delivery).state, "SECRET_KEY" in (state(runtime, delivery).cause or "")) == ("stopped", True)
    made = begin(runtime, tmp_path / "events", [event(1)])
    runner.run_due(other, Event())
    job = runtime.database.read(lambda db: imports.by_id(db, made))
    assert job is not None
    assert (job.state, job.message) == ("failed", runner.SEALED)


def test_a_fault_of_ours_ends_a_comparison_instead_of_being_met_again_and_again(
    runtime: Runtime, cohort: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_arguments: Any) -> Any:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("outbound.comparison.remote.cohorts", faulty)
    made = ask(runtime, cohort, "count")
    with pytest.raises(KeyError):
        comparison_runner.work_once(runtime)
    assert done(runtime, made).state == "failed"


# --- every way to a family goes through its budget


SPELLINGS = [
    ("GET", "/query/insights", "query"),
    ("GET", "/query//events/names", "query"),
    ("GET", "/%71uery/events", "query"),
    ("POST", "/query/jql", "query"),
    ("GET", "/app/../query/events", "query"),
    ("GET", "/export/export", "export"),
    ("GET", "/export/EXPORT", "export"),
    ("PUT", "/api/lookup-tables/x", "lookup"),
    ("GET", "/api/lookup-tables", None),
    ("POST", "/api/import", None),
    ("GET", "/app/me", None),
    ("GET", "/pipelines/nessie/pipeline/jobs", None),
]
REAL = {
    "/query": ("https://mixpanel.com/api/query", "https://eu.mixpanel.com/api/query", "https://mixpanel.com/api/2.0"),
    "/export": ("https://data.mixpanel.com/api/2.0", "https://data-in.mixpanel.com/api/2.0"),
    "/pipelines": ("https://data.mixpanel.com/api/2.0",),
    "/api": ("https://api.mixpanel.com", "https://api-eu.mixpanel.com"),
    "/app": ("https://mixpanel.com/api/app", "https://in.mixpanel.com/api/app"),
}


@pytest.mark.parametrize(("method", "path", "family"), SPELLINGS)
def test_a_familys_budget_is_found_by_the_address_however_it_is_written(
    method: str, path: str, family: str | None
) -> None:
    assert hosts.budget_of(f"http://127.0.0.1:8009{path}", method) == family
    head, _, rest = path[1:].partition("/")
    for server in REAL.get(f"/{head}", ()):
        assert hosts.budget_of(f"{server}/{rest}", method) == family


def test_raw_requests_take_their_places_in_the_budget_of_whatever_they_call(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    whole = {"method": "GET", "url": f"{mixpanel.url}/query/events/names"}
    part = {"method": "GET", "family": "query", "url": "/events/names"}
    verdicts = []
    for number in range(70):
        call = send.ready(
            runtime, project, registry.OPERATIONS["raw-request"], CallInput(whole if number % 2 else part)
        )
        verdicts.append(send.send(runtime, call, "test", "api")[1].verdict)
    assert (len(mixpanel.calls), verdicts[60:]) == (60, ["failed"] * 10)
