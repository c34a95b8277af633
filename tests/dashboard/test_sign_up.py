"""The first operator, by the code that the server prints."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from security import operators
from tests.dashboard.test_sign_in import EMAIL, actions, code, sign_up, token
from tests.relay import PASSWORD, PASSWORD_HASH, Relay


@pytest.fixture
def ada(relay: Relay) -> operators.Operator:
    """An admin who is not signed in anywhere."""
    add = partial(operators.add, email=EMAIL, password_hash=PASSWORD_HASH, role="admin", who="tests", now=relay.clock())
    return relay.database.write(add)


def test_without_any_operator_the_way_in_is_the_sign_up(relay: Relay) -> None:
    assert relay.client.get("/").location == "/sign-in"
    assert relay.client.get("/sign-in").location == "/sign-up"


def test_the_printed_code_makes_the_first_operator_an_admin_and_signs_in(relay: Relay) -> None:
    assert sign_up(relay, relay.client).location == "/"
    assert "Admin" in relay.client.get("/account").text
    assert actions(relay) == ["operator.add", "operator.sign_in"]


def test_the_code_is_taken_as_people_type_it(relay: Relay) -> None:
    assert sign_up(relay, relay.client, code=f" {code(relay).lower().replace('-', ' ')} ").status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("code", "AAAA-BBBB-CCCC-DDDD", "not the code"),
        ("code", "é", "not the code"),
        ("email", "ada", "not an e-mail"),
        ("password", "short", "at least 12"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_makes_nobody(
    relay: Relay, field: str, value: str, says: str
) -> None:
    response = sign_up(relay, relay.client, **{field: value})
    assert response.status_code == 422
    assert says in response.text
    assert PASSWORD not in response.text
    assert relay.rows("SELECT id FROM operator") == []


def test_the_code_is_good_for_one_operator(relay: Relay) -> None:
    late = relay.app.test_client()
    form = token(late, "/sign-up")
    sign_up(relay, relay.client)
    typed = {"csrf_token": form, "code": code(relay), "email": "eve@example.org", "password": PASSWORD}
    response = late.post("/sign-up", data=typed)
    assert response.status_code == 422
    assert "has been used" in response.text
    assert len(relay.rows("SELECT id FROM operator")) == 1
    assert late.get("/sign-up").location == "/sign-in"


def test_the_code_makes_one_operator_however_many_use_it_at_once(relay: Relay) -> None:
    clients = [relay.app.test_client() for _ in range(6)]
    forms = [token(client, "/sign-up") for client in clients]

    def use(number: int) -> int:
        typed = {"csrf_token": forms[number], "code": code(relay), "password": PASSWORD}
        return clients[number].post("/sign-up", data=typed | {"email": f"admin{number}@example.org"}).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(use, range(6)))
    assert sorted(answers) == [302] + [422] * 5
    assert len(relay.rows("SELECT id FROM operator")) == 1
