"""The way in and out: the first operator's code, signing in, limits, roles, a change of password, signing out."""

import json
import re
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from security import operators
from tests.conftest import MakeRelay
from tests.relay import PASSWORD, PASSWORD_HASH, Relay

EMAIL = "ada@example.org"


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found.group(1)


def fill(client: FlaskClient, path: str, **typed: Any) -> TestResponse:
    """Open a form and send it off."""
    return client.post(path, data={"csrf_token": token(client, path.partition("?")[0]), **typed})


def code(relay: Relay) -> str:
    return operators.first_code(relay.app.extensions["runtime"].settings.secret_key)


def sign_up(relay: Relay, client: FlaskClient, **changed: str) -> TestResponse:
    typed = {"code": code(relay), "email": EMAIL, "password": PASSWORD}
    return fill(client, "/sign-up", **typed | changed)


@pytest.fixture
def ada(relay: Relay) -> operators.Operator:
    """An admin who is not signed in anywhere."""
    add = partial(operators.add, email=EMAIL, password_hash=PASSWORD_HASH, role="admin", who="tests", now=relay.clock())
    return relay.database.write(add)


def actions(relay: Relay) -> list[str]:
    return [row["action"] for row in relay.rows("SELECT action FROM audit_entry ORDER BY id")]


# --- signing in


def try_from(relay: Relay, client: FlaskClient, password: str, address: str = "10.9.9.9") -> int:
    form = {"csrf_token": token(client, "/sign-in"), "email": EMAIL, "password": password}
    return client.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address}).status_code


def test_whoever_was_signed_in_here_before_comes_in_however_often_strangers_try(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="1 per hour")
    add = partial(operators.add, email=EMAIL, password_hash=PASSWORD_HASH, role="admin", who="tests", now=relay.clock())
    relay.database.write(add)
    known, stranger = relay.app.test_client(), relay.app.test_client()
    assert try_from(relay, known, PASSWORD) == 302
    known.post("/sign-out", data={"csrf_token": token(known, "/account")})
    for number in range(12):
        last = try_from(relay, stranger, "wrong", f"10.0.0.{number}")
    assert last == 429
    assert try_from(relay, stranger, PASSWORD, "10.0.1.1") == 429
    assert try_from(relay, known, PASSWORD) == 302
    known.post("/sign-out", data={"csrf_token": token(known, "/account")})
    assert try_from(relay, known, "wrong") == 429, "a known browser has a limit of its own"


def test_a_browser_is_known_to_the_account_that_was_signed_in_alone(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="1 per hour")
    thief = relay.sign_in("viewer")
    relay.database.write(
        partial(operators.add, email=EMAIL, password_hash=PASSWORD_HASH, role="admin", who="tests", now=relay.clock())
    )
    thief.post("/sign-out")
    statuses = [try_from(relay, thief.client, "wrong") for _ in range(2)]
    assert statuses == [422, 429]


def test_an_account_that_is_tried_again_and_again_is_shut_for_longer(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="1 per second")
    limits = relay.app.extensions["limits"]
    assert [(one.amount, one.GRANULARITY.name) for one in limits.account_longer] == [(20, "hour"), (50, "day")]
    with relay.app.test_request_context("/sign-in", environ_base={"REMOTE_ADDR": "10.0.0.1"}):
        for _ in range(20):
            limits.count(limits.account_longer[0], f"sign-in account {EMAIL} by hour")
    client = relay.app.test_client()
    form = {"csrf_token": token(client, "/sign-up"), "email": EMAIL, "password": PASSWORD, "code": "x"}
    answer = client.post("/sign-up", data=form)
    assert answer.status_code == 429
    assert "minutes" in answer.text


def test_every_try_leaves_its_address_in_the_trail_and_no_strangers_e_mail(
    relay: Relay, ada: operators.Operator
) -> None:
    client = relay.app.test_client()
    for email in (EMAIL, "eve@example.net", "mallory@example.net"):
        form = {"csrf_token": token(client, "/sign-in"), "email": email, "password": "wrong"}
        for _ in range(2):
            client.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    fill(client, "/sign-in", email=EMAIL, password=PASSWORD)
    found = relay.rows(
        "SELECT action, subject, after FROM audit_entry WHERE action LIKE 'operator.sign_in%' ORDER BY id"
    )
    said = [(row["action"], row["subject"], read(row["after"])) for row in found]
    assert [(action, subject, after.get("times")) for action, subject, after in said] == [
        ("operator.sign_in_failed", EMAIL, 2),
        ("operator.sign_in_failed", "an unknown e-mail", 4),
        ("operator.sign_in", EMAIL, None),
    ]
    assert [after["address"] for _, _, after in said] == ["192.0.2.7", "192.0.2.7", "127.0.0.1"]
    assert "example.net" not in str(relay.rows("SELECT * FROM audit_entry"))


def read(side: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(side) if isinstance(side, str) else side
    return found


def test_the_right_password_leads_to_where_one_wanted_to_go(relay: Relay, ada: operators.Operator) -> None:
    assert relay.client.get("/audit?who=terminal").location == "/sign-in?next=/audit?who%3Dterminal"
    response = fill(relay.client, "/sign-in?next=/audit?who%3Dterminal", email=" ADA@example.org", password=PASSWORD)
    assert response.location == "/audit?who=terminal"
    assert relay.client.get("/audit").status_code == 200
    assert actions(relay)[-1] == "operator.sign_in"


@pytest.mark.parametrize(
    "next_",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/%09/evil.example", "//[", "javascript:alert(1)"],
)
def test_a_link_never_leads_through_the_sign_in_elsewhere(relay: Relay, ada: operators.Operator, next_: str) -> None:
    response = fill(relay.client, f"/sign-in?next={next_}", email=EMAIL, password=PASSWORD)
    assert response.location == "/"


@pytest.mark.parametrize("typed", [(EMAIL, "wrong"), ("eve@example.org", PASSWORD), ("a\0b@c", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_e_mail_are_told_the_same(
    relay: Relay, ada: operators.Operator, typed: tuple[str, str]
) -> None:
    response = fill(relay.client, "/sign-in", email=typed[0], password=typed[1])
    assert response.status_code == 422
    assert "This e-mail and password do not belong together." in response.text
    assert relay.client.get("/").status_code == 302


def test_a_forged_form_signs_nobody_in(relay: Relay, ada: operators.Operator) -> None:
    assert relay.client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 400
    assert relay.client.get("/").status_code == 302


def test_sign_ins_are_limited_by_account_from_many_addresses(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="1 per hour")
    relay.sign_in("admin")
    client = relay.app.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "password": "wrong"}
    spelt = ["admin@example.org", " Admin@Example.org", "ad\0min@example.org"]
    tries = [
        client.post("/sign-in", data=form | {"email": spelt[n % 3]}, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"})
        for n in range(11)
    ]
    assert [one.status_code for one in tries] == [422] * 10 + [429]
    assert "Too many tries" in tries[-1].text


def test_one_address_cannot_lock_an_account_for_all_others(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="2 per hour")
    browser = relay.sign_in("admin")
    client = relay.app.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "email": browser.email, "password": "wrong"}
    stranger = [client.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": "10.0.0.1"}) for _ in range(30)]
    assert stranger[-1].status_code == 429
    assert client.post("/sign-in", data=form | {"password": PASSWORD}).status_code == 302


def test_sign_ins_are_limited_by_address_over_many_accounts(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="3 per hour")
    relay.sign_in("admin")
    client = relay.app.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "password": "wrong"}
    tries = [client.post("/sign-in", data=form | {"email": f"{n}@example.org"}) for n in range(4)]
    assert [one.status_code for one in tries] == [422, 422, 422, 429]


def test_codes_cannot_be_guessed_quickly(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="2 per hour")
    tries = [sign_up(relay, relay.client, code=f"{n}") for n in range(3)]
    assert [one.status_code for one in tries] == [422, 422, 429]


def test_the_cookie_is_kept_from_scripts_other_sites_and_open_wires(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url="https://relay.example")
    client = relay.app.test_client()
    typed = {"code": code(relay), "email": EMAIL, "password": PASSWORD}
    form = client.get("/sign-up", base_url="https://relay.example")
    found = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    assert found is not None
    response = client.post("/sign-up", data={"csrf_token": found.group(1), **typed}, base_url="https://relay.example")
    assert response.status_code == 302
    for word in ("Secure", "HttpOnly", "SameSite=Lax"):
        assert word in response.headers["Set-Cookie"]


# --- signed in


def test_roles_say_what_one_may_change(relay: Relay) -> None:
    paths = ("/connections/crm/disable", "/settings/tokens")
    answers = {
        role: [browser.post(path).status_code for path in paths]
        for role in ("viewer", "operator", "admin")
        for browser in [relay.sign_in(role)]
    }
    assert answers == {"viewer": [403, 403], "operator": [302, 403], "admin": [302, 422]}


def test_an_operator_who_was_removed_is_out_at_once(relay: Relay) -> None:
    relay.sign_in("admin")
    browser = relay.sign_in("viewer")
    assert browser.get("/").status_code == 200
    relay.database.write(lambda db: operators.remove(db, browser.operator, "tests", relay.clock()))
    assert browser.get("/").status_code == 302


def test_a_changed_password_signs_out_every_other_browser(relay: Relay, ada: operators.Operator) -> None:
    here, there = relay.app.test_client(), relay.app.test_client()
    for client in (here, there):
        fill(client, "/sign-in", email=EMAIL, password=PASSWORD)
    typed = {"csrf_token": token(here, "/account"), "old": PASSWORD, "password": "a newer long one"}
    response = here.post("/account/password", data=typed | {"again": "a newer long one"})
    assert response.status_code == 302
    assert [client.get("/account").status_code for client in (here, there)] == [200, 302]
    assert fill(there, "/sign-in", email=EMAIL, password=PASSWORD).status_code == 422
    assert fill(there, "/sign-in", email=EMAIL, password="a newer long one").status_code == 302
    assert "operator.password" in actions(relay)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"old": "wrong"}, "not your present password"),
        ({"again": "another one"}, "differ"),
        ({"password": "short", "again": "short"}, "at least 12"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(relay: Relay, changed: dict[str, str], says: str) -> None:
    browser = relay.sign_in("viewer")
    typed = {"old": PASSWORD, "password": "a newer long one", "again": "a newer long one"} | changed
    response = browser.post("/account/password", typed)
    assert response.status_code == 422
    assert says in response.text
    assert browser.get("/account").status_code == 200


def test_signing_out_ends_it(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    assert browser.post("/sign-out").location == "/sign-in"
    assert browser.get("/").status_code == 302
    assert actions(relay)[-1] == "operator.sign_out"


def test_a_fragment_of_a_stranger_leads_the_whole_page_to_the_sign_in(relay: Relay) -> None:
    answer = relay.client.get("/connections/crm/waiting", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_a_form_of_any_size_is_not_read(relay: Relay, ada: operators.Operator) -> None:
    large = {"csrf_token": token(relay.client, "/sign-in"), "upload": (BytesIO(bytes(1_100_000)), "large")}
    assert relay.client.post("/sign-in", data=large).status_code == 413
    assert relay.sign_in("viewer").post("/account/password", {"old": "x" * 1_100_000}).status_code == 413
