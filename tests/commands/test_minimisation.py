"""`flask connections keep` and `minimise`."""

import json

import pytest

from tests.commands.conftest import Terminal
from tests.relay import Relay, member

EMAIL = "ada@example.org"


def test_a_choice_is_made_in_parts_and_shown(relay: Relay, terminal: Terminal) -> None:
    assert terminal("connections", "keep", "crm").output == "crm: All fields are kept.\n"
    first = terminal("connections", "keep", "crm", "--email", "hash", "--days", "plan=30", "--days", "seat=1")
    assert first.output == (
        "crm: All fields are kept; e-mail is hashed; plan goes after 30 days; seat goes after 1 day.\n"
        "This holds from the next page on. For what is stored: flask connections minimise crm\n"
    )
    terminal("connections", "keep", "crm", "--field", "email", "--field", "plan", "--days", "seat=0")
    shown = json.loads(terminal("connections", "keep", "crm", "--phone-field", "desk", "--json").output)
    assert shown == {
        "keep": ["email", "plan"],
        "email": "hash",
        "phone": "keep",
        "email_fields": [],
        "phone_fields": ["desk"],
        "days": {"plan": 30},
    }
    rows = relay.rows("SELECT who, action, subject FROM audit_entry WHERE action = 'connection.keep'")
    assert len(rows) == 3  # what only shows leaves no entry
    assert {row["who"] for row in rows} == {"terminal"}
    terminal("connections", "keep", "crm", "--all", "--email", "keep", "--days", "plan=0")
    assert json.loads(terminal("connections", "keep", "crm", "--json").output)["keep"] == "all"


@pytest.mark.parametrize(
    "words",
    [
        ("--all", "--none"),
        ("--none", "--field", "email"),
        ("--email", "burn"),
        ("--days", "plan"),
        ("--days", "plan=x"),
        ("--days", "plan=9999"),
        ("--field", " "),
    ],
)
def test_what_cannot_be_is_refused(relay: Relay, terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal("connections", "keep", "crm", *words).exit_code == 2
    assert relay.rows("SELECT keeps FROM connection") == [{"keeps": None}]


def test_minimise_asks_first_and_the_worker_does_it(relay: Relay, terminal: Terminal) -> None:
    relay.refresh([member("ada", email=EMAIL), member("bob")])
    assert terminal("connections", "minimise", "crm").exit_code == 1  # it keeps everything
    terminal("connections", "keep", "crm", "--none")
    asked = terminal("connections", "minimise", "crm")
    assert "2 people are gone through" in asked.output
    assert asked.exit_code == 1
    terminal("work", "--once")
    assert relay.person("ada")["email"] == EMAIL
    told = json.loads(terminal("connections", "minimise", "crm", "--yes", "--json").output)
    assert (told["name"], told["people"]) == ("crm", 2)
    terminal("work", "--once")
    assert relay.person("ada")["email"] is None
    assert relay.members() == {"ada", "bob"}
    assert len(relay.rows("SELECT * FROM audit_entry WHERE action = 'connection.minimise'")) == 1


def test_a_connection_that_is_not_there_is_said(terminal: Terminal) -> None:
    for command in ("keep", "minimise"):
        result = terminal("connections", command, "nobody")
        assert (result.exit_code, result.output) == (1, "Error: There is no connection nobody.\n")
