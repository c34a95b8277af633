"""`flask connections`: what Mixpanel signs in with."""

import json

from tests.commands.conftest import Terminal, terminal_of
from tests.conftest import MakeRelay
from tests.relay import START, Relay, basic, body

PAGE = json.dumps(body("members", ["A"]))


def knock(relay: Relay, name: str, password: str) -> int:
    """The status of a page that this connection sends with this password."""
    return relay.post_raw(PAGE, basic(name, password), f"/webhooks/mixpanel/{name}").status_code


def added(terminal: Terminal, name: str = "billing") -> dict[str, str]:
    result = terminal("connections", "add", name, "--json")
    assert result.exit_code == 0, result.output
    shown: dict[str, str] = json.loads(result.output)
    return shown


def test_add_prints_one_json_object_with_what_mixpanel_needs(terminal: Terminal) -> None:
    shown = added(terminal)
    assert list(shown) == ["name", "url", "username", "password"]
    assert shown["url"] == "http://127.0.0.1:8000/webhooks/mixpanel/billing"
    assert (shown["name"], shown["username"]) == ("billing", "billing")


def test_the_printed_password_opens_the_webhook(relay: Relay, terminal: Terminal) -> None:
    shown = added(terminal)
    assert knock(relay, "billing", shown["password"]) == 200


def test_a_password_has_at_least_256_bits(terminal: Terminal) -> None:
    assert len(added(terminal)["password"]) >= 43


def test_the_url_is_the_public_one(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url="https://cohorts.example.com/")
    assert added(terminal_of(relay.app))["url"] == "https://cohorts.example.com/webhooks/mixpanel/billing"


def test_without_json_the_same_is_printed_for_people(terminal: Terminal) -> None:
    output = terminal("connections", "add", "billing").output
    for word in ("name", "url", "username", "password", "shown this once"):
        assert word in output


def test_a_name_that_is_taken_is_refused(terminal: Terminal) -> None:
    added(terminal)
    result = terminal("connections", "add", "billing")
    assert (result.exit_code, result.output) == (1, "Error: There already is a connection billing.\n")


def test_a_name_that_cannot_stand_in_a_url_is_refused(terminal: Terminal) -> None:
    result = terminal("connections", "add", "Billing Team")
    assert result.exit_code == 1
    assert "it becomes part of the URL" in result.output


def test_rotate_prints_another_password_under_the_same_keys(terminal: Terminal) -> None:
    first = added(terminal)
    second = json.loads(terminal("connections", "rotate", "billing", "--json").output)
    assert list(second) == list(first)
    assert second["url"] == first["url"]
    assert second["password"] != first["password"]


def test_after_rotate_both_passwords_are_live(relay: Relay, terminal: Terminal) -> None:
    old = added(terminal)["password"]
    new = json.loads(terminal("connections", "rotate", "billing", "--json").output)["password"]
    assert [knock(relay, "billing", password) for password in (old, new)] == [200, 200]


def test_retire_leaves_only_the_newest_password(relay: Relay, terminal: Terminal) -> None:
    old = added(terminal)["password"]
    new = json.loads(terminal("connections", "rotate", "billing", "--json").output)["password"]
    assert terminal("connections", "retire", "billing").output == "Retired 1 older password of billing.\n"
    assert [knock(relay, "billing", password) for password in (old, new)] == [401, 200]


def test_retire_without_an_older_password_retires_none(terminal: Terminal) -> None:
    added(terminal)
    assert terminal("connections", "retire", "billing").output == "Retired 0 older passwords of billing.\n"


def test_a_disabled_connection_is_told_to_come_again(relay: Relay, terminal: Terminal) -> None:
    password = added(terminal)["password"]
    assert terminal("connections", "disable", "billing").exit_code == 0
    assert knock(relay, "billing", password) == 503


def test_an_enabled_connection_works_again(relay: Relay, terminal: Terminal) -> None:
    password = added(terminal)["password"]
    terminal("connections", "disable", "billing")
    assert terminal("connections", "enable", "billing").output == "billing is on.\n"
    assert knock(relay, "billing", password) == 200


def test_what_does_not_exist_cannot_be_managed(terminal: Terminal) -> None:
    for verb in ("rotate", "retire", "disable", "enable"):
        result = terminal("connections", verb, "nobody")
        assert (result.exit_code, result.output) == (1, "Error: There is no connection nobody.\n")


def test_list_shows_each_live_password_with_its_last_use(relay: Relay, terminal: Terminal) -> None:
    password = added(terminal)["password"]
    relay.clock.time = START + 1000
    knock(relay, "billing", password)
    (billing, crm) = json.loads(terminal("connections", "list", "--json").output)
    assert list(billing) == ["name", "enabled", "created_at", "passwords"]
    assert [billing["name"], crm["name"]] == ["billing", "crm"]
    (used,) = billing["passwords"]
    assert list(used) == ["id", "created_at", "last_used_at"]
    assert (used["created_at"], used["last_used_at"]) == ("2025-06-15T15:06:40.000Z", "2025-06-15T15:06:41.000Z")
    assert crm["passwords"][0]["last_used_at"] is None


def test_list_says_who_is_off(terminal: Terminal) -> None:
    terminal("connections", "disable", "crm")
    assert terminal("connections", "list").output.startswith("crm  off\n")


def test_list_never_shows_a_password(relay: Relay, terminal: Terminal) -> None:
    assert relay.password not in terminal("connections", "list").output
    assert relay.password not in terminal("connections", "list", "--json").output
