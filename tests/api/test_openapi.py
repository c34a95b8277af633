"""`openapi.json`: it says what the code does, and a fuzzer that reads it finds no answer that it does not allow."""

import json
import re
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import Status, events, from_schema

from tests import searches
from tests.conftest import MakeRelay
from tests.relay import Relay

pytestmark = [pytest.mark.slow, pytest.mark.search]

FUZZ = {
    "phases": {
        "fuzzing": {"generation": {"max-examples": searches.examples(25, of_a_change=8, at_a_desk=8)}},
        "stateful": {"enabled": False},
    },
    # An unknown parameter is refused, so that a misspelt filter does not answer everything.
    # A cursor that nobody has given is refused, though it has the right letters; test_calls looks at tokens.
    "checks": {"positive_data_acceptance": {"enabled": False}, "ignored_auth": {"enabled": False}},
    "generation": {"database": "none", "allow-extra-parameters": False, "no-shrink": True},
}


def document(relay: Relay) -> dict[str, Any]:
    found = relay.client.get("/api/v1/openapi.json").json
    assert isinstance(found, dict)
    return found


def test_the_document_needs_no_token(relay: Relay) -> None:
    assert document(relay)["openapi"].startswith("3.1")


def test_every_route_is_in_the_document_and_nothing_else(relay: Relay) -> None:
    rules = [rule for rule in relay.app.url_map.iter_rules() if rule.endpoint.startswith("api")]
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in rules}
    assert {"/api/v1" + path for path in document(relay)["paths"]} == routes
    assert len(routes) >= 12


def test_every_reference_leads_somewhere(relay: Relay) -> None:
    found = document(relay)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(found)))
    assert references == set(found["components"]["schemas"])


def test_every_call_names_each_part_of_its_path_once(relay: Relay) -> None:
    for path, methods in document(relay)["paths"].items():
        parts = [one["name"] for one in next(iter(methods.values()))["parameters"] if one["in"] == "path"]
        assert parts == re.findall(r"{(\w+)}", path)


def test_limits_are_said_to_be_1_to_1000_and_100_by_default(relay: Relay) -> None:
    limits = [
        one["schema"]
        for methods in document(relay)["paths"].values()
        for one in next(iter(methods.values()))["parameters"]
        if one["name"] == "limit"
    ]
    assert limits == [{"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}] * 9


def test_a_fuzzer_finds_no_fault_and_no_answer_in_another_shape(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="1000 per minute")  # it tries every call without a token
    relay.refresh([{"mixpanel_distinct_id": "A", "email": "a@x.org", "plan": "pro"}, "B/c", None], 1, 2)
    config = schemathesis.Config.from_dict(FUZZ | {"headers": {"Authorization": f"Bearer {relay.token}"}})
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", relay.app, config=config)
    statuses: set[int] = set()
    wrong: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            wrong += failures(event)
            for one in event.recorder.interactions.values():
                assert one.response is not None
                statuses.add(one.response.status_code)
                wrong += envelope(one.response)
    assert wrong == []
    assert {200, 400, 401, 404, 405} <= statuses


def failures(event: events.ScenarioFinished) -> list[str]:
    checks = [check for checks in event.recorder.checks.values() for check in checks]
    return [repr(check.failure_info) for check in checks if check.status is Status.FAILURE]


def envelope(response: schemathesis.Response) -> list[str]:
    if response.status_code < 400:
        return []
    error = response.json()["error"]
    right = (
        error["code"] == response.status_code
        and isinstance(error["message"], str)
        and set(error) == {"message", "code"}
    )
    return [] if right else [f"{response.status_code}: {error}"]
