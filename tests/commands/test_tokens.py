"""`flask tokens`: who may use the JSON API."""

import json

from tests.commands.conftest import Terminal
from tests.relay import Relay


def test_add_prints_one_json_object_with_name_and_token(terminal: Terminal) -> None:
    shown = json.loads(terminal("tokens", "add", "reports", "--json").output)
    assert list(shown) == ["name", "token"]
    assert shown["name"] == "reports"


def test_the_printed_token_opens_the_api(relay: Relay, terminal: Terminal) -> None:
    relay.token = json.loads(terminal("tokens", "add", "reports", "--json").output)["token"]
    assert relay.api("/cohorts").status_code == 200


def test_a_token_that_may_send_may_also_read(relay: Relay, terminal: Terminal) -> None:
    relay.token = json.loads(terminal("tokens", "add", "robot", "--scope", "send", "--json").output)["token"]
    assert relay.api("/cohorts").status_code == 200


def test_without_json_the_same_is_printed_for_people(terminal: Terminal) -> None:
    name, token = terminal("tokens", "add", "reports").output.splitlines()
    assert name == "name   reports"
    assert token.startswith("token  ")


def test_a_name_that_is_taken_is_refused(terminal: Terminal) -> None:
    terminal("tokens", "add", "reports")
    result = terminal("tokens", "add", "reports")
    assert (result.exit_code, result.output) == (1, "Error: There already is a token reports.\n")


def test_an_unknown_scope_is_refused(terminal: Terminal) -> None:
    assert terminal("tokens", "add", "reports", "--scope", "admin").exit_code == 2


def test_tokens_are_listed_with_their_scopes_and_never_shown_again(terminal: Terminal) -> None:
    made = json.loads(terminal("tokens", "add", "robot", "--scope", "send", "--json").output)["token"]
    listed = terminal("tokens", "list", "--json").output
    assert {"name": "robot", "scope": "send"}.items() <= json.loads(listed)[0].items()
    assert made not in listed + terminal("tokens", "list").output


def test_a_removed_token_opens_nothing(relay: Relay, terminal: Terminal) -> None:
    relay.token = json.loads(terminal("tokens", "add", "robot", "--json").output)["token"]
    assert json.loads(terminal("tokens", "remove", "robot", "--json").output) == {"name": "robot", "removed": True}
    assert relay.api("/cohorts").status_code == 401
    assert terminal("tokens", "remove", "robot").exit_code == 1
