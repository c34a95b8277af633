"""Who may call: decided from the headers alone, before the body is read."""

import base64
import io
from typing import Any

import pytest

from security import connections
from tests.relay import MINUTE, Relay, basic

PATHS = ["/webhooks/mixpanel/crm", "/v1/mixpanel/cohort/sync"]


class Unreadable(io.RawIOBase):
    """A body that nobody may read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        raise AssertionError("the body was read")


def encoded(credentials: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


MALFORMED = [
    {},
    {"Authorization": ""},
    {"Authorization": "Basic"},
    {"Authorization": "Basic "},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic Y3Jt"},  # no colon
    {"Authorization": "Basic Y3JtO"},  # wrong padding
    {"Authorization": "Bearer crm"},
    {"Authorization": "Digest username=crm"},
    {"Authorization": "Basic é"},
    encoded(b""),
    encoded(b":"),
    encoded(b"crm:"),
    encoded(b"\0:\0"),
    encoded(b"crm:\0"),
    encoded(b"crm\0:secret"),
    encoded("crm:pässword🙂".encode()),
    encoded(b"crm:\xff\xfe"),
    encoded(b"\xff:\xff"),
    encoded(b"crm:" + b"x" * 100_000),
    encoded(b"CRM:secret"),
    encoded(b"' OR 1=1 --:secret"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", MALFORMED, ids=range(len(MALFORMED)))
def test_p43_malformed_credentials_are_401_in_the_envelope(relay: Relay, path: str, headers: dict[str, str]) -> None:
    answer = relay.client.post(path, data=b"{}", headers=headers)
    assert (answer.status_code, answer.json["status"], answer.json["action"]) == (401, "failure", None)
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_p32_wrong_credentials_are_refused_before_the_body_is_read(relay: Relay, path: str) -> None:
    unread = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(10**12)}
    answer = relay.client.post(path, headers=basic("crm", "wrong"), environ_overrides=unread)
    assert answer.status_code == 401


def test_p32_the_stream_of_that_test_cannot_be_read(relay: Relay) -> None:
    unread = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "10"}
    answer = relay.client.post(PATHS[0], headers=basic("crm", relay.password), environ_overrides=unread)
    assert answer.status_code == 500


@pytest.mark.parametrize("path", PATHS)
def test_p31_a_call_without_credentials_is_401(relay: Relay, path: str) -> None:
    assert relay.client.post(path, data=b"{}").status_code == 401


def test_p31_a_secret_in_the_url_opens_nothing(relay: Relay) -> None:
    assert relay.client.post(f"/webhooks/mixpanel/{relay.password}", data=b"{}").status_code == 401


@pytest.mark.parametrize("name", ["nobody", "CRM", "crm%00", "..", "a" * 64, "%E2%9C%93"])
def test_an_unknown_connection_is_401(relay: Relay, name: str) -> None:
    answer = relay.post_raw(b"{}", path=f"/webhooks/mixpanel/{name}")
    assert answer.status_code == 401


def test_the_credentials_of_one_connection_do_not_open_another(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    other = relay.database.write(lambda db: connections.add(db, key, "other", relay.clock()))
    signed = basic("other", other)
    assert relay.client.post("/webhooks/mixpanel/crm", data=b"{}", headers=signed).status_code == 401
    assert relay.client.post("/webhooks/mixpanel/other", data=b"{}", headers=signed).status_code == 400


def test_on_the_path_without_a_name_the_credentials_tell_the_connection(relay: Relay) -> None:
    answer = relay.post_raw(b"{}", path=PATHS[1])
    assert answer.status_code == 400
    assert relay.failures()[0]["connection"] == "crm"


def test_a_rotation_keeps_the_old_password_live_until_it_is_retired(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    new = relay.database.write(lambda db: connections.rotate(db, key, "crm", relay.clock()))
    assert [status(relay, password) for password in (relay.password, new)] == [400, 400]
    relay.database.write(lambda db: connections.retire(db, "crm", relay.clock()))
    assert [status(relay, password) for password in (relay.password, new)] == [401, 400]


def test_each_password_remembers_its_last_use_to_the_minute(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    relay.database.write(lambda db: connections.rotate(db, key, "crm", relay.clock()))
    status(relay, relay.password)
    first = relay.clock()
    relay.clock.forward(MINUTE - 1)
    status(relay, relay.password)
    assert last_uses(relay) == [first, None]
    relay.clock.forward(1)
    status(relay, relay.password)
    assert last_uses(relay) == [first + MINUTE, None]


def test_a_wrong_password_is_no_use(relay: Relay) -> None:
    status(relay, "wrong")
    assert last_uses(relay) == [None]


def test_refused_calls_are_kept_and_repeats_within_a_minute_share_a_row(relay: Relay) -> None:
    for _ in range(3):
        status(relay, "wrong")
    (failure,) = relay.failures()
    assert (failure["cause"], failure["count"], failure["connection"]) == ("wrong_credentials", 3, "crm")


def test_a_connection_name_that_cannot_be_one_is_not_kept(relay: Relay) -> None:
    relay.client.post("/v1/mixpanel/cohort/sync", headers=basic("ann@example.org", "secret"))
    assert relay.failures()[0]["connection"] is None


def status(relay: Relay, password: str) -> int:
    return relay.client.post(PATHS[0], data=b"{}", headers=basic("crm", password)).status_code


def last_uses(relay: Relay) -> list[int | None]:
    (listed,) = relay.database.read(connections.listed)
    return [used for _id, _created, used in listed.passwords]
