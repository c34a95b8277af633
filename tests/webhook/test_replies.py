"""What is answered, to the letter: status, envelope and headers."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from blueprints.webhook import receive as webhook_receive
from security import connections
from tests.conftest import MakeRelay
from tests.relay import Relay, basic, body

PATHS = ["/webhooks/mixpanel/crm", "/v1/mixpanel/cohort/sync"]


def assert_failure(answer: TestResponse, status: int, action: str | None = None) -> None:
    """The envelope of a refusal: the code is the status, and the message one plain sentence or two."""
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert answer.json is not None
    message = answer.json["error"]["message"]
    assert answer.json == {"action": action, "status": "failure", "error": {"message": message, "code": status}}
    assert 0 < len(message) <= 300
    assert message.endswith(".")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_p18_success_is_200_with_the_action_and_nothing_else(relay: Relay, path: str, action: str) -> None:
    answer = relay.post_raw(json.dumps(body(action, ["A"])), path=path)
    assert (answer.status_code, answer.json) == (200, {"action": action, "status": "success"})
    assert answer.content_type == "application/json"


def test_p16_applied_replayed_superseded_and_empty_are_all_success(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="older")
    relay.refresh(["A"], 1, 2, session="older")
    relay.refresh([], session="newer")
    relay.refresh(["B"], 2, 2, session="older")
    assert relay.failures() == []


NOT_JSON = ["", " ", "{", "[1,", "action=members", "\xff\xfe", "nul\0"]
NO_OBJECT = ["[]", "null", "7", '"members"', "true", "NaN"]


@pytest.mark.parametrize("sent", NOT_JSON + NO_OBJECT)
def test_what_is_no_json_object_is_400_with_no_action(relay: Relay, sent: str) -> None:
    assert_failure(relay.post_raw(sent.encode("latin-1")), 400)
    assert relay.failures()[0]["cause"] == ("not_json" if sent in NOT_JSON else "not_an_object")


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (body("delete_members", ["A"]), "unknown_action"),
        (body("members", ["A"], cohort=None), "no_cohort_id"),
        (body("members", None), "no_members"),
        (body("members", ["A"], 2, 1), "impossible_page"),
        ({"action": "members"}, "no_members"),
        ({"action": "members", "parameters": []}, "no_members"),
    ],
)
def test_what_a_person_must_mend_is_400_and_echoes_the_action(relay: Relay, sent: dict[str, Any], cause: str) -> None:
    assert_failure(relay.post_raw(json.dumps(sent)), 400, sent["action"])
    (failure,) = relay.failures()
    assert (failure["cause"], failure["status"], failure["connection"]) == (cause, 400, "crm")


def test_an_echoed_action_is_bounded(relay: Relay) -> None:
    answer = relay.post("x" * 10_000, ["A"])
    assert answer.json["action"] == "x" * 100


@pytest.mark.parametrize("given", [5, None, ["members"], {"members": 1}])
def test_an_action_that_is_no_text_is_echoed_as_null(relay: Relay, given: Any) -> None:
    assert_failure(relay.post(given, ["A"]), 400)


@pytest.mark.parametrize("path", PATHS)
def test_p19_wrong_credentials_are_401_in_the_envelope_and_say_how_to_sign_in(relay: Relay, path: str) -> None:
    answer = relay.client.post(path, data="{}", headers=basic("crm", "wrong"))
    assert_failure(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Cohort Relay"'


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_another_method_is_405_and_says_which_is_allowed(relay: Relay, path: str, method: str) -> None:
    answer = relay.client.open(path, method=method, headers=basic(relay.name, relay.password))
    if method == "HEAD":
        assert answer.status_code == 405
    else:
        assert_failure(answer, 405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/webhooks/mixpanel", "/webhooks/mixpanel/", "/webhooks/mixpanel/a/b", "/v1/else"])
def test_an_unknown_path_is_404_in_the_envelope(relay: Relay, path: str) -> None:
    assert_failure(relay.post_raw("{}", path=path), 404)


def test_p12_p17_a_connection_switched_off_is_503_and_nothing_is_stored(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    switch(relay, enabled=False)
    answer = relay.post("add_members", ["B"], session="second")
    assert_failure(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert relay.members() == {"A"}
    switch(relay, enabled=True)
    relay.add(["B"], session="second")
    assert relay.members() == {"A", "B"}


def test_p13_a_wrong_password_is_401_also_for_a_connection_switched_off(relay: Relay) -> None:
    switch(relay, enabled=False)
    assert_failure(relay.post_raw("{}", headers=basic("crm", "wrong")), 401)


def test_a_process_that_is_stopping_is_503(relay: Relay) -> None:
    relay.app.extensions["runtime"].stopping.set()
    answer = relay.post("members", ["A"])
    assert_failure(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert_failure(relay.post_raw("{}", headers=basic("crm", "wrong")), 401)


@pytest.mark.slow
def test_a_locked_database_is_503_within_10_seconds(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    with locked(relay):
        began = monotonic()
        answer = relay.post("add_members", ["B"], session="second")
        assert monotonic() - began < 10
    assert_failure(answer, 503, "add_members")
    assert int(answer.headers["Retry-After"]) > 0
    relay.add(["B"], session="second")
    assert relay.members() == {"A", "B"}
    assert [failure["cause"] for failure in relay.failures()] == ["database_unavailable"]


def test_p21_a_fault_of_ours_is_500_and_is_kept_with_its_traceback(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise KeyError("ann@example.org")

    monkeypatch.setattr(webhook_receive, "receive", broken)
    assert_failure(relay.post("members", ["A"]), 500, "members")
    (failure,) = relay.failures()
    assert "in broken" in failure["traceback"]
    assert "KeyError" in failure["traceback"]
    assert (failure["cause"], failure["cohort_id"]) == ("fault", "7")


def test_p30_a_message_is_at_most_300_characters_without_member_data(relay: Relay) -> None:
    for page in ("ann@example.org " * 1000, ["ann@example.org"] * 1000, {"ann@example.org": 1}):
        answer = relay.post("members", [{"email": "ann@example.org"}] * 1000, page, page)
        assert_failure(answer, 400, "members")
        assert "example.org" not in answer.text + str(relay.failures())


def test_every_answer_is_told_apart_by_a_request_id(relay: Relay) -> None:
    answer = relay.post("nothing", [])
    assert answer.headers["X-Request-ID"] == relay.failures()[0]["request_id"]


def test_p18_a_rate_limit_is_429_with_retry_after(make_relay: MakeRelay) -> None:
    relay = make_relay(webhook_rate_limit="2 per minute")
    answers = [relay.post("members", [], session=str(number)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_failure(answers[2], 429)
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def switch(relay: Relay, *, enabled: bool) -> None:
    relay.database.write(lambda db: connections.switch(db, relay.name, enabled=enabled))


@contextmanager
def locked(relay: Relay) -> Iterator[None]:
    """Another process holds the database."""
    url = relay.database.writer.url
    if relay.database.dialect == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        other.execute("LOCK TABLE cohort")
    try:
        yield
    finally:
        other.rollback()
        other.close()
