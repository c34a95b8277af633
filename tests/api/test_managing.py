"""Connections and tokens through the API: under `manage` alone, in the audit trail, secrets in one answer each."""

from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from werkzeug.test import TestResponse

from security import tokens
from security.token_bounds import Bounds
from tests.api.test_openapi import FUZZ, envelope, failures
from tests.conftest import MakeRelay
from tests.relay import Relay, basic, body


def bearer(relay: Relay, scope: str, bounds: Bounds = tokens.NONE) -> str:
    key = relay.app.extensions["runtime"].settings.secret_key
    return relay.database.write(lambda db: tokens.add(db, key, f"my-{scope}", scope, relay.clock(), bounds))


def call(relay: Relay, token: str, method: str, path: str, given: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return relay.client.open(f"/api/v1{path}", method=method, json=given, headers=headers)


CALLS = [
    ("GET", "/connections", None),
    ("POST", "/connections", {"name": "web"}),
    ("POST", "/connections/crm/rotate", None),
    ("POST", "/connections/crm/retire", None),
    ("POST", "/connections/crm/disable", None),
    ("POST", "/connections/crm/enable", None),
    ("GET", "/tokens", None),
    ("POST", "/tokens", {"name": "x"}),
    ("DELETE", "/tokens/1", None),
]


def test_a_program_makes_a_connection_and_rotates_its_password(relay: Relay) -> None:
    token = bearer(relay, "manage")
    made = call(relay, token, "POST", "/connections", {"name": "web", "projects": ["1"]}).json
    further = call(relay, token, "POST", "/connections/web/rotate").json
    where = f"/webhooks/mixpanel/{made['username']}"
    for password, status in ((made["password"], 200), (further["password"], 200)):
        assert (
            relay.client.post(where, json=body("members", ["ada"]), headers=basic("web", password)).status_code
            == status
        )
    assert call(relay, token, "POST", "/connections/web/retire").json == {"name": "web", "retired": 1}
    assert relay.client.post(where, json=body("members", []), headers=basic("web", made["password"])).status_code == 401
    assert call(relay, token, "POST", "/connections/web/disable").json["enabled"] is False
    assert call(relay, token, "POST", "/connections/web/enable").json["enabled"] is True
    answer = call(relay, token, "GET", "/connections")
    (web,) = [one for one in answer.json["data"] if one["name"] == "web"]
    assert (web["projects"], len(web["passwords"])) == (["1"], 1)
    assert further["password"] not in answer.text
    trail = [
        row["action"] for row in relay.rows("SELECT action FROM audit_entry WHERE who = 'token my-manage' ORDER BY id")
    ]
    assert trail == [f"connection.{action}" for action in ("add", "rotate", "retire", "disable", "enable")]


def test_a_program_makes_and_removes_tokens_that_are_no_wider_than_its_own(relay: Relay) -> None:
    end = relay.clock() + 86_400_000
    token = bearer(relay, "manage", Bounds(end, None, "127.0.0.0/8", True))
    made = call(relay, token, "POST", "/tokens", {"name": "reports", "scope": "deliver", "days": 30, "network": "::/0"})
    assert made.headers["Cache-Control"] == "private, no-store"
    (kept,) = [one for one in call(relay, token, "GET", "/tokens").json["data"] if one["name"] == "reports"]
    row = relay.rows("SELECT expires_at, network, without_exports FROM api_token WHERE name = 'reports'")[0]
    assert (row["expires_at"], row["network"], bool(row["without_exports"])) == (end, "127.0.0.0/8", True)
    assert call(relay, made.json["token"], "GET", "/cohorts").status_code == 200
    assert call(relay, token, "DELETE", f"/tokens/{kept['id']}").json == {"removed": True}
    assert call(relay, made.json["token"], "GET", "/cohorts").status_code == 401
    assert call(relay, token, "DELETE", f"/tokens/{kept['id']}").status_code == 404


@pytest.mark.parametrize("scope", ["read", "send", "erase", "deliver"])
def test_no_other_scope_manages(relay: Relay, scope: str) -> None:
    token = bearer(relay, scope)
    before = relay.rows("SELECT count(*) AS n FROM audit_entry")
    for method, path, given in CALLS:
        assert call(relay, token, method, path, given).status_code == 403, path
    assert relay.rows("SELECT count(*) AS n FROM audit_entry") == before


def test_a_token_of_one_project_manages_nothing(relay: Relay) -> None:
    token = bearer(relay, "manage", Bounds(None, "1", None, None))
    for method, path, given in CALLS:
        assert call(relay, token, method, path, given).status_code == 403, path


def test_what_cannot_be_is_said(relay: Relay) -> None:
    token = bearer(relay, "manage")
    for path, given, status in (
        ("/connections", {"name": "crm"}, 400),
        ("/connections", {"name": "No Name"}, 400),
        ("/connections/nobody/rotate", None, 404),
        ("/tokens", {"name": "my-manage"}, 400),
        ("/tokens", {"name": "x", "network": "everywhere"}, 400),
        ("/tokens", {"name": "x", "scope": "all"}, 400),
    ):
        answer = call(relay, token, "POST", path, given)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, status), path


@pytest.mark.slow
def test_a_fuzzer_with_the_scope_finds_no_fault(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="1000 per minute")
    headers = {"Authorization": f"Bearer {bearer(relay, 'manage')}"}
    config = schemathesis.Config.from_dict(FUZZ | {"headers": headers})
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", relay.app, config=config)
    wrong, statuses = [], set[int]()
    for event in from_schema(schema.include(path_regex="^/(connections|tokens|operators)")).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            wrong += failures(event)
            for one in event.recorder.interactions.values():
                assert one.response is not None
                statuses.add(one.response.status_code)
                wrong += envelope(one.response)
    assert wrong == []
    assert {200, 400} <= statuses
