"""Passkeys as a second factor: made, asked for, forged in every way, and removed."""

import html
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from security import passkeys
from tests.conftest import MakeRelay
from tests.dashboard.passkey_device import ORIGIN, Device
from tests.dashboard.test_second_factor import first_step, token
from tests.relay import PASSWORD, SECOND, Browser, Relay

BEGIN = "/account/second-factor/passkeys/begin"
ADD = "/account/second-factor/passkeys"


@pytest.fixture
def named(make_relay: MakeRelay) -> Relay:
    return make_relay(public_url=ORIGIN)


def begun(ada: Browser) -> tuple[str, str]:
    """Begin a passkey; the form's key, and the challenge."""
    page = ada.submit(BEGIN, {"password": PASSWORD}).text
    return _hidden(page), _challenge(page)


def _hidden(page: str) -> str:
    found = re.search(r'name="begun" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def _challenge(page: str) -> str:
    found = re.search(r'data-passkey-options="([^"]+)"', page)
    assert found is not None, page
    return str(json.loads(html.unescape(found[1]))["challenge"])


def add(ada: Browser, device: Device, name: str = "laptop", **forged: Any) -> TestResponse:
    key, challenge = begun(ada)
    return ada.post(ADD, {"begun": key, "name": name, "credential": json.dumps(device.made(challenge, **forged))})


def challenged(client: FlaskClient) -> tuple[str, str]:
    answer = client.post("/sign-in/passkey/challenge", data={"csrf_token": token(client)}).get_json()
    return answer["begun"], answer["options"]["challenge"]


def show(client: FlaskClient, key: str, credential: Any) -> TestResponse:
    said = credential if isinstance(credential, str) else json.dumps(credential)
    return client.post("/sign-in/passkey", data={"csrf_token": token(client), "begun": key, "credential": said})


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def shows(relay: Relay, email: str, device: Device, **forged: Any) -> bool:
    """Sign in with the password and this device's answer; tells whether that let them in."""
    client, _answer = first_step(relay, email)
    key, challenge = challenged(client)
    answer = show(client, key, device.answer(challenge, **forged))
    assert (answer.status_code == 303) == is_in(client)
    return is_in(client)


# --- made and asked for


def test_the_first_passkey_is_the_second_factor_with_recovery_codes_and_signs_other_browsers_out(named: Relay) -> None:
    ada = named.sign_in("viewer")
    other, _answer = first_step(named, ada.operator.email)
    assert is_in(other)
    answer = add(ada, Device())
    assert answer.status_code == 303
    assert len(re.findall(r"<li><code>", ada.page(answer.location))) == 10
    assert ada.get("/account").status_code == 200
    assert not is_in(other)
    page = ada.page("/account/second-factor")
    assert "laptop" in page
    assert "not used yet" in page


def test_a_second_one_makes_no_new_recovery_codes_and_signs_nobody_out(named: Relay) -> None:
    ada = named.sign_in("viewer")
    add(ada, Device())
    before = named.rows("SELECT id FROM sign_in")
    answer = add(ada, Device(), "phone")
    assert answer.location == "/account/second-factor"
    assert named.rows("SELECT id FROM sign_in") == before
    assert named.rows("SELECT count(*) AS n FROM recovery_code") == [{"n": 10}]


def test_a_sign_in_takes_the_password_and_the_passkey(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    client, answer = first_step(named, ada.operator.email)
    assert answer.location == "/sign-in/code"
    assert not is_in(client)
    assert "Use a passkey" in client.get("/sign-in/code").text
    assert shows(named, ada.operator.email, device)
    assert "used" in ada.page("/account/second-factor")
    (entry,) = named.rows("SELECT after FROM audit_entry WHERE action = 'operator.sign_in' ORDER BY id DESC LIMIT 1")
    assert "password and passkey" in str(entry["after"])


def test_without_the_password_a_passkey_is_not_asked_for(named: Relay) -> None:
    add(named.sign_in("viewer"), Device())
    client = named.app.test_client()
    data = {"csrf_token": token(client)}
    assert client.post("/sign-in/passkey/challenge", data=data).status_code == 403
    assert client.post("/sign-in/passkey", data=data).location.startswith("/sign-in")


def test_whoever_must_have_a_second_factor_may_make_it_a_passkey(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url=ORIGIN, second_factor="everyone")
    ada = relay.sign_in("viewer")
    assert ada.get("/cohorts").location.startswith("/account/second-factor")
    add(ada, Device())
    assert ada.get("/cohorts").status_code == 200


# --- bounds, and removed


def test_a_challenge_ends_after_ten_minutes(named: Relay) -> None:
    ada = named.sign_in("viewer")
    key, challenge = begun(ada)
    named.clock.time += 10 * 60 * SECOND
    answer = ada.post(ADD, {"begun": key, "name": "x", "credential": json.dumps(Device().made(challenge))})
    assert answer.status_code == 422
    assert "took too long" in answer.text
    assert _challenge(answer.text) != challenge


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x07b"])
def test_a_name_is_something_to_read(named: Relay, name: str) -> None:
    answer = add(named.sign_in("viewer"), Device(), name)
    assert answer.status_code == 422
    assert "Name it" in answer.text


def test_a_device_is_added_once_and_an_operator_has_twenty_at_most(
    named: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    assert "there already" in add(ada, device).text
    monkeypatch.setattr(passkeys, "MOST", 2)
    assert add(ada, Device()).status_code == 303
    assert "Remove one first" in add(ada, Device()).text


def test_removing_the_last_one_ends_the_second_factor_and_not_the_last_one_does_not(named: Relay) -> None:
    ada = named.sign_in("viewer")
    add(ada, Device())
    add(ada, Device(), "phone")
    first, last = named.rows("SELECT id FROM passkey ORDER BY id")
    remove = f"/account/second-factor/passkeys/{first['id']}/remove"
    assert "not your present password" in ada.post(remove, {"password": "a wrong password"}).text
    assert ada.post(remove, {"password": PASSWORD}).status_code == 303
    assert named.rows("SELECT count(*) AS n FROM recovery_code") == [{"n": 10}]
    ada.post(f"/account/second-factor/passkeys/{last['id']}/remove", {"password": PASSWORD})
    assert named.rows("SELECT count(*) AS n FROM recovery_code") == [{"n": 0}]
    assert ada.get("/account").status_code == 200
    _client, answer = first_step(named, ada.operator.email)
    assert answer.location == "/"


def test_nobody_removes_anothers(named: Relay) -> None:
    ada, bob = named.sign_in("viewer"), named.sign_in("admin")
    add(ada, Device())
    (row,) = named.rows("SELECT id FROM passkey")
    path = f"/account/second-factor/passkeys/{row['id']}/remove"
    assert bob.get(path).location == "/account/second-factor"
    bob.post(path, {"password": PASSWORD})
    assert named.rows("SELECT id FROM passkey") == [row]


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://relay.example.com", "relay.example.com"),
        ("https://relay.example.com:443/x", "relay.example.com"),
        ("https://relay.example.com:8443", "relay.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://relay.example.com", None),
        ("https://10.0.0.1", None),
        ("http://127.0.0.1:8000", None),
        ("https://[::1]", None),
    ],
)
def test_browsers_keep_passkeys_for_a_name_with_https(public_url: str, host: str | None) -> None:
    found = passkeys.site(public_url)
    assert (found and found.host) == host


def test_where_browsers_keep_none_the_page_says_why(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    assert "for a name with https only" in ada.page("/account/second-factor")
    assert ada.get("/account/second-factor/passkeys/new").location == "/account/second-factor"
