"""What is logged: the traffic, and never what describes a member or opens a door."""

import json
from typing import Any

import pytest

from blueprints.webhook import receive as webhook_receive
from tests.conftest import MakeRelay
from tests.relay import Relay, basic, member

SECRETS = ["ann@example.org", "Ann-first", "Lee-last", "+15550100", "ann-distinct", "very-private"]
ANN = member(
    "ann-distinct",
    email="ann@example.org",
    first_name="Ann-first",
    last_name="Lee-last",
    phone_number="+15550100",
    note="very-private",
)


def assert_nothing_leaked(text: str, relay: Relay) -> None:
    for secret in [*SECRETS, relay.password, relay.token]:
        assert secret not in text


def broken(*_arguments: Any) -> None:
    raise ValueError(f"cannot keep {ANN}")


def test_p29_a_call_is_logged_without_member_data(make_relay: MakeRelay, capfd: pytest.CaptureFixture[str]) -> None:
    relay = make_relay(log_level="debug")
    relay.refresh([ANN])
    relay.remove([ANN], session="second")
    logged = capfd.readouterr().err
    assert logged.count('"event":"request"') == 2
    assert_nothing_leaked(logged, relay)


def test_every_line_of_a_call_has_its_request_id(make_relay: MakeRelay, capfd: pytest.CaptureFixture[str]) -> None:
    relay = make_relay(log_level="debug", trusted_proxies=1)
    answer = relay.post_raw("{}", {"X-Request-ID": "of-the-proxy-1"})
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert lines
    assert {line["request_id"] for line in lines} == {"of-the-proxy-1"}
    assert answer.headers["X-Request-ID"] == "of-the-proxy-1"


@pytest.mark.parametrize("form", ["json", "text"])
def test_p29_p30_a_failing_call_is_logged_and_kept_without_member_data(
    make_relay: MakeRelay, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    relay = make_relay(log_level="debug", log_format=form)
    monkeypatch.setattr(webhook_receive, "receive", broken)
    answer = relay.post("members", [ANN])
    logged = capfd.readouterr().err
    assert "webhook.fault" in logged
    assert "ValueError" in logged
    assert_nothing_leaked(logged + answer.text + str(relay.failures()), relay)


@pytest.mark.parametrize("database_fault", ["person", "membership"])
def test_p29_a_fault_in_the_database_is_logged_without_the_statements_values(
    make_relay: MakeRelay, capfd: pytest.CaptureFixture[str], database_fault: str
) -> None:
    relay = make_relay(log_level="debug")
    relay.database.write(lambda db: db.exec_driver_sql(f"ALTER TABLE {database_fault} RENAME TO hidden"))
    try:
        answer = relay.post("members", [ANN])
    finally:
        relay.database.write(lambda db: db.exec_driver_sql(f"ALTER TABLE hidden RENAME TO {database_fault}"))
    assert answer.status_code == 500
    assert_nothing_leaked(capfd.readouterr().err + answer.text + str(relay.failures()), relay)


REFUSED = [
    '{"email": "ann@example.org"',
    '["ann@example.org"]',
    '{"action": "members", "members": ["ann@example.org"]}',
]


@pytest.mark.parametrize("sent", REFUSED)
def test_p30_a_refused_body_is_neither_logged_nor_kept(
    make_relay: MakeRelay, capfd: pytest.CaptureFixture[str], sent: str
) -> None:
    relay = make_relay(log_level="debug")
    answer = relay.post_raw(sent)
    assert answer.status_code == 400
    assert_nothing_leaked(capfd.readouterr().err + answer.text + str(relay.failures()), relay)


def test_p31_no_secret_is_logged(make_relay: MakeRelay, capfd: pytest.CaptureFixture[str]) -> None:
    relay = make_relay(log_level="debug")
    relay.post_raw("{}", basic("crm", "very-private"), f"/webhooks/mixpanel/{relay.password}")
    relay.client.get("/api/v1/cohorts?token=very-private", headers={"Authorization": "Bearer very-private"})
    logged = capfd.readouterr().err
    assert logged.count('"event":"request"') == 2
    assert_nothing_leaked(logged, relay)
