"""`flask operators`: who may sign in at the dashboard; and the notes that the terminal leaves in the audit trail."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from app import create_app
from commands.serve import _first_operator
from security import operators
from tests.commands.conftest import Terminal
from tests.conftest import settings_for
from tests.relay import Relay, hash_quickly
from tests.servers import SECRET_KEY

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def typed(relay: Relay, line: str, *words: str) -> Result:
    """What happens to `flask operators WORDS --password-stdin` with this line at standard input."""
    with relay.app.app_context():
        return relay.app.test_cli_runner().invoke(args=["operators", *words, "--password-stdin"], input=line)


def signing_in(relay: Relay, email: str, password: str) -> operators.Operator | None:
    return operators.signing_in(relay.database, email, password)


def audited(relay: Relay) -> list[tuple[str, str, str]]:
    found = relay.rows("SELECT who, action, subject FROM audit_entry ORDER BY id")
    return [(row["who"], row["action"], row["subject"]) for row in found]


def test_add_makes_an_admin_with_the_password_from_standard_input(relay: Relay) -> None:
    result = typed(relay, f"{PASSWORD}\nand no more\n", "add", "Ada@Example.org")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    found = signing_in(relay, "ada@example.org", PASSWORD)
    assert found is not None
    assert found.role == "admin"
    assert audited(relay) == [("terminal", "operator.add", "ada@example.org")]


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_add_gives_the_role_that_was_asked_for(relay: Relay, role: str) -> None:
    typed(relay, PASSWORD, "add", "ada@example.org", "--role", role)
    found = signing_in(relay, "ada@example.org", PASSWORD)
    assert found is not None
    assert found.role == role


@pytest.mark.parametrize(
    ("line", "email", "says"),
    [
        ("\n", "ada@example.org", "No password came"),
        ("", "ada@example.org", "No password came"),
        ("short\n", "ada@example.org", "at least 12"),
        (PASSWORD, "ada", "not an e-mail"),
    ],
)
def test_what_cannot_be_is_refused(relay: Relay, line: str, email: str, says: str) -> None:
    result = typed(relay, line, "add", email)
    assert result.exit_code == 1
    assert says in result.output
    assert relay.rows("SELECT id FROM operator") == []


def test_nobody_is_added_twice(relay: Relay) -> None:
    typed(relay, PASSWORD, "add", "ada@example.org")
    result = typed(relay, PASSWORD, "add", "ADA@example.org")
    assert (result.exit_code, result.output) == (1, "Error: There already is an operator ada@example.org.\n")


def test_a_password_is_never_an_argument(terminal: Terminal) -> None:
    assert terminal("operators", "add", "ada@example.org").exit_code == 2


def test_password_gives_another_one(relay: Relay) -> None:
    typed(relay, PASSWORD, "add", "ada@example.org")
    assert typed(relay, "a newer long one", "password", "ada@example.org").exit_code == 0
    assert signing_in(relay, "ada@example.org", PASSWORD) is None
    assert signing_in(relay, "ada@example.org", "a newer long one") is not None
    assert audited(relay)[-1] == ("terminal", "operator.password", "ada@example.org")


def test_remove_takes_them_away_but_never_the_last_admin(relay: Relay, terminal: Terminal) -> None:
    typed(relay, PASSWORD, "add", "ada@example.org")
    result = terminal("operators", "remove", "ada@example.org")
    assert result.exit_code == 1
    assert "only admin" in result.output
    typed(relay, PASSWORD, "add", "bob@example.org")
    assert terminal("operators", "remove", "ada@example.org").exit_code == 0
    assert [one.email for one in relay.database.read(operators.listed)] == ["bob@example.org"]
    assert audited(relay)[-1] == ("terminal", "operator.remove", "ada@example.org")


def test_who_does_not_exist_cannot_be_managed(relay: Relay, terminal: Terminal) -> None:
    wanted = (1, "Error: There is no operator eve@example.org.\n")
    for result in (
        terminal("operators", "remove", "eve@example.org"),
        typed(relay, "x", "password", "eve@example.org"),
    ):
        assert (result.exit_code, result.output) == wanted


def test_list_says_who_may_sign_in(relay: Relay, terminal: Terminal) -> None:
    assert "There is no operator yet" in terminal("operators", "list").output
    typed(relay, PASSWORD, "add", "ada@example.org")
    assert terminal("operators", "list").output == "ada@example.org  admin  last signed in never\n"
    (shown,) = json.loads(terminal("operators", "list", "--json").output)
    assert shown == {
        "email": "ada@example.org",
        "role": "admin",
        "created_at": "2025-06-15T15:06:40.000Z",
        "last_signed_in_at": None,
    }


def test_connections_and_tokens_leave_notes_too(relay: Relay, terminal: Terminal) -> None:
    password = json.loads(terminal("connections", "add", "billing", "--json").output)["password"]
    for verb in ("rotate", "retire", "disable", "enable"):
        terminal("connections", verb, "billing")
    terminal("connections", "rotate", "nobody")
    token = json.loads(terminal("tokens", "add", "reports", "--json").output)["token"]
    verbs = ["add", "rotate", "retire", "disable", "enable"]
    assert audited(relay) == [
        *(("terminal", f"connection.{verb}", "billing") for verb in verbs),
        ("terminal", "token.add", "reports"),
    ]
    trail = json.dumps(relay.rows("SELECT * FROM audit_entry"))
    assert password not in trail
    assert token not in trail


def test_serve_says_how_to_make_the_first_operator_while_there_is_none(relay: Relay) -> None:
    with relay.app.app_context():
        said = _first_operator()
        assert "http://127.0.0.1:8000/sign-up" in said
        assert operators.first_code(SECRET_KEY) in said
        typed(relay, PASSWORD, "add", "ada@example.org", "--role", "viewer")
        assert _first_operator() == ""


def test_serve_starts_also_where_there_are_no_tables(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    with app.app_context():
        assert _first_operator() == "The database does not have this version's tables. Run: flask db upgrade\n"
    app.extensions["runtime"].database.dispose()
