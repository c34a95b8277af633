"""`flask projects`, `flask send` and `flask operations`: what an operator types, and what comes back."""

import base64
import json
from pathlib import Path

import pytest

from tests.commands.conftest import Terminal, terminal_of
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import SECRET, TOKEN, USERNAME, project_of
from tests.relay import Relay

EVENT = {"event": "Signed up", "properties": {"time": 1_750_000_000, "distinct_id": "u1"}}


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


def knows(*users: str) -> object:
    """An `/import` that lets these users in, and refuses what lacks a time."""

    def answer(call: Call) -> Answer:
        user = base64.b64decode(call.headers["Authorization"].split()[1]).decode().partition(":")[0]
        if user not in users:
            return Answer(401, {"code": 401, "error": "Invalid credentials"})
        return Answer(
            400, {"code": 400, "num_records_imported": 0, "failed_records": [{"index": 0, "message": "time"}]}
        )

    return answer


def test_a_project_is_added_with_its_secret_from_standard_input_and_never_shown(relay: Relay) -> None:
    words = "projects add eu-prod --region eu --project-id 77 --token-stdin --username acc.1 --secret-stdin --json"
    with relay.app.app_context():
        result = relay.app.test_cli_runner().invoke(args=words.split(), input="tok-12345\nvery-secret\n")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.output)
    assert (shown["name"], shown["region"], shown["has_token"], shown["has_service_account"]) == (
        "eu-prod",
        "eu",
        True,
        True,
    )
    assert not any(secret in result.output for secret in ("tok-12345", "acc.1", "very-secret"))
    known = project_of(relay, "eu-prod").credentials(relay.app.extensions["runtime"].cipher)
    assert (known.token, known.username, known.secret) == ("tok-12345", "acc.1", "very-secret")


@pytest.mark.parametrize("name", ["Prod", "a b", "", "prod"])
def test_a_name_that_cannot_be_is_refused_in_a_sentence(terminal: Terminal, name: str) -> None:
    result = terminal("projects", "add", name, "--region", "us", "--project-id", "1")
    assert result.exit_code == 1
    assert "name" in result.output or "already" in result.output


def test_a_check_says_what_works_and_what_does_not(terminal: Terminal, mixpanel: Mixpanel) -> None:
    mixpanel.script("/app/me", Answer(body={"status": "ok", "results": {"projects": {"2891273": {}}}}))
    mixpanel.script("/api/import", knows(USERNAME))  # type: ignore[arg-type]
    result = terminal("projects", "check", "prod", "--json")
    found = {(one["credential"], one["use"]): one["works"] for one in json.loads(result.output)}
    assert found == {
        ("service account", "signing in"): True,
        ("service account", "queries"): True,
        ("service account", "importing"): True,
        ("token", "importing"): False,
    }
    assert result.exit_code == 4


def test_a_service_account_of_another_project_is_told(terminal: Terminal, mixpanel: Mixpanel) -> None:
    mixpanel.script("/app/me", Answer(body={"status": "ok", "results": {"projects": {"1": {}}}}))
    assert "has no role in the project 2891273" in terminal("projects", "check", "prod").output


def test_credentials_stay_where_a_change_does_not_name_them(relay: Relay, terminal: Terminal) -> None:
    assert terminal("projects", "change", "prod", "--token", "another-token").exit_code == 0
    known = project_of(relay).credentials(relay.app.extensions["runtime"].cipher)
    assert (known.token, known.username, known.secret) == ("another-token", USERNAME, SECRET)


def test_a_removed_project_is_gone(terminal: Terminal) -> None:
    assert terminal("projects", "remove", "prod").exit_code == 0
    assert "There is no project yet" in terminal("projects", "list").output
    assert terminal("projects", "check", "prod").exit_code == 1


def test_send_by_parameters_says_what_mixpanel_did(terminal: Terminal, mixpanel: Mixpanel) -> None:
    words = ["--param", "event=Signed up", "--param", "distinct_id=u1", "--param", 'properties={"plan": "pro"}']
    result = terminal("send", "import-events", "--project", "prod", *words)
    assert (result.exit_code, "accepted: 1 record accepted." in result.output) == (0, True)
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "pro"


def test_send_a_file_and_get_one_json_object(terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps([EVENT, EVENT]))
    mixpanel.script("/api/import", Answer(400, {"failed_records": [{"index": 1}], "num_records_imported": 1}))
    result = terminal("send", "importEvents", "--project", "prod", "--body", f"@{tmp_path}/events.json", "--json")
    answer = json.loads(result.output)
    assert (result.exit_code, answer["verdict"], answer["accepted"]) == (4, "partly", 1)
    assert set(answer) == {
        "delivery",
        "verdict",
        "words",
        "accepted",
        "failed_records",
        "attempts",
        "status",
        "answer",
        "frees_at",
    }


def test_what_our_checks_stop_ends_with_2_and_sends_nothing(terminal: Terminal, mixpanel: Mixpanel) -> None:
    words = ["send", "profile-set", "--project", "prod", "--param", "$distinct_id=null", "--param", '$set={"a": 1}']
    result = terminal(*words, "--json")
    assert (result.exit_code, [one["field"] for one in json.loads(result.output)["problems"]]) == (
        3,
        ["params.$distinct_id"],
    )
    assert mixpanel.calls == []
    assert terminal(*words, "--force").exit_code == 0


def test_check_shows_the_request_masked_and_sends_nothing(terminal: Terminal, mixpanel: Mixpanel) -> None:
    words = ["send", "track-event", "--project", "prod", "--param", "event=e", "--param", "distinct_id=u1"]
    result = terminal(*words, "--check")
    assert result.exit_code == 0
    assert "/api/track" in result.output
    assert not any(secret in result.output for secret in (TOKEN, SECRET))
    assert mixpanel.calls == []


def test_operations_are_listed_with_their_parameters(terminal: Terminal) -> None:
    assert "profile-numerical-add" in terminal("operations").output
    assert "$distinct_id" in terminal("operations", "profile-set").output
    assert len(json.loads(terminal("operations", "--json").output)) >= 55
    assert terminal("operations", "none").exit_code == 1


def test_what_changes_a_project_answers_in_json_too(terminal: Terminal) -> None:
    changed = json.loads(terminal("projects", "change", "prod", "--region", "in", "--json").output)
    assert (changed["name"], changed["region"], changed["has_token"]) == ("prod", "in", True)
    assert json.loads(terminal("projects", "remove", "prod", "--json").output) == {"name": "prod", "removed": True}


def test_the_terminal_says_where_calls_go_beside_what_it_prints(terminal: Terminal, mixpanel: Mixpanel) -> None:
    result = terminal("send", "me", "--project", "prod")
    assert f"calls go to {mixpanel.url}" in result.stderr
    assert json.loads(terminal("send", "me", "--project", "prod", "--json").output)["verdict"] == "accepted"


def test_a_token_may_have_both_scopes(relay: Relay, terminal: Terminal) -> None:
    result = terminal("tokens", "add", "both", "--scope", "read", "--scope", "send", "--json")
    headers = {"Authorization": f"Bearer {json.loads(result.output)['token']}"}
    assert relay.client.get("/api/v1/cohorts", headers=headers).status_code == 200
    sent = relay.client.post("/api/v1/projects/none/operations/me", data="{}", headers=headers)
    assert sent.status_code == 404
