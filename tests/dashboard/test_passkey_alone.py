"""A passkey alone lets its owner in; what is forged, repeated, old or not verified by the device lets nobody in."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.clock import MINUTE
from tests.conftest import MakeRelay
from tests.dashboard.passkey_device import ORIGIN, PRESENT, Device, b64
from tests.dashboard.test_passkeys import add, is_in
from tests.dashboard.test_passkeys_forged import FORGED
from tests.dashboard.test_second_factor import token
from tests.relay import Browser, Relay

PATH = "/sign-in/passkey-alone"


@pytest.fixture
def named(make_relay: MakeRelay) -> Relay:
    return make_relay(public_url=ORIGIN)


def handle(ada: Browser) -> str:
    return b64(f"operator {ada.operator.id}".encode())


def asked(client: FlaskClient) -> dict[str, Any]:
    answer = client.post(f"{PATH}/challenge", data={"csrf_token": token(client)})
    options: dict[str, Any] = answer.get_json()["options"]
    return options


def show(client: FlaskClient, said: Any, query: str = "") -> TestResponse:
    return client.post(f"{PATH}{query}", data={"csrf_token": token(client), "credential": json.dumps(said)})


def lets_in(relay: Relay, ada: Browser, device: Device, **forged: Any) -> bool:
    """Sign in by this device's answer alone; tells whether that let them in."""
    client = relay.app.test_client()
    answer = show(client, device.answer(asked(client)["challenge"], **{"handle": handle(ada), **forged}))
    assert (answer.status_code == 303) == is_in(client)
    return is_in(client)


def test_it_lets_its_owner_in_without_a_password_and_is_named_in_the_audit_trail(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    named.clock.forward(MINUTE)
    client = named.app.test_client()
    options = asked(client)
    assert (options["userVerification"], options["allowCredentials"]) == ("required", [])
    answer = show(client, device.answer(options["challenge"], handle=handle(ada)), "?next=/cohorts")
    assert (answer.status_code, answer.location) == (303, "/cohorts")
    assert "Passkey</td>" in client.get("/account").text
    entry = named.rows("SELECT * FROM audit_entry WHERE action = 'operator.sign_in' ORDER BY id")[-1]
    assert (entry["who"], "passkey" in str(entry["after"])) == (ada.email, True)


def test_it_is_both_factors_where_everybody_has_to_have_a_second_one(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url=ORIGIN, second_factor="everyone")
    ada, device = relay.sign_in("admin"), Device()
    add(ada, device)
    relay.clock.forward(MINUTE)
    assert lets_in(relay, ada, device)


@pytest.mark.parametrize("kind", [*FORGED, "without asking whose it is", "for somebody else", "for nobody"])
def test_an_answer_is_not_taken(named: Relay, kind: str) -> None:
    more = {
        "without asking whose it is": {"flags": PRESENT},
        "for somebody else": {"handle": b64(b"operator 99")},
        "for nobody": {"handle": None},
    }
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    named.clock.forward(MINUTE)
    assert not lets_in(named, ada, device, **(FORGED | more)[kind])
    assert named.rows("SELECT subject FROM audit_entry WHERE action = 'operator.sign_in_failed'") == [
        {"subject": ada.email}
    ]
    assert lets_in(named, ada, device)


def test_an_answer_is_taken_once_in_the_browser_that_asked_and_not_for_long(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    named.clock.forward(MINUTE)
    client, other = named.app.test_client(), named.app.test_client()
    said = device.answer(asked(client)["challenge"], handle=handle(ada), uses=0)
    with client.session_transaction() as session:
        stolen = dict(session)
    assert "too long" in show(other, said).text
    assert show(client, said).status_code == 303
    with other.session_transaction() as session:
        session.update(stolen)
    assert show(other, said).status_code == 422
    assert not is_in(other)
    late = device.answer(asked(other)["challenge"], handle=handle(ada), uses=0)
    named.clock.forward(11 * MINUTE)
    assert show(other, late).status_code == 422


def test_an_unknown_passkey_and_a_made_up_answer_are_refused(named: Relay) -> None:
    named.sign_in("viewer")
    client = named.app.test_client()
    assert "none of ours" in show(client, Device().answer(asked(client)["challenge"])).text
    asked(client)
    for said in ("", [], {"id": 7}, "x" * 20_000):
        assert show(client, said).status_code == 422
    assert not is_in(client)


def test_tries_are_limited_as_those_by_a_password(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url=ORIGIN, operator_sign_in_limit="2 per minute")
    relay.sign_in("viewer")
    client = relay.app.test_client()
    assert [show(client, "").status_code for _ in range(3)] == [422, 422, 429]


COMPANY = {
    "oidc_issuer": "https://login.example.com",
    "oidc_roles": "*=viewer",
    "oidc_client_id": "relay",
    "oidc_client_secret": "of-the-provider",
}


def test_whoever_comes_by_the_company_does_not_come_by_a_passkey(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url=ORIGIN, **COMPANY)
    ada, device = relay.sign_in("viewer"), Device()
    add(ada, device)
    relay.clock.forward(MINUTE)
    assert "Sign in with a passkey" in relay.app.test_client().get("/sign-in").text
    assert lets_in(relay, ada, device)
    joined = "UPDATE operator SET provider_subject = 'of the company'"
    relay.database.write(lambda db: db.exec_driver_sql(joined))
    relay.clock.forward(MINUTE)
    assert not lets_in(relay, ada, device)


@pytest.mark.parametrize(
    "changed", [{}, {"public_url": ORIGIN, "oidc_only": "on"} | COMPANY], ids=["number", "company"]
)
def test_where_there_is_no_name_or_the_company_alone_it_is_not_there(make_relay: MakeRelay, changed: Any) -> None:
    relay = make_relay(**changed)
    browser = relay.sign_in("viewer")
    assert "passkey" not in relay.app.test_client().get("/sign-in").text
    for path in (PATH, f"{PATH}/challenge"):
        assert browser.post(path).status_code == (403 if changed else 404)
