"""Several workers tell every piece of news once."""

import json
from pathlib import Path

import pytest

import alerts
from tests.alerts.conftest import Hook
from tests.conftest import MakeRelay
from tests.failing.server import wait_until
from tests.failing.worker import relay_at_the_present, workers

pytestmark = pytest.mark.slow

WITHIN = 90  # seconds, on a machine that does something else as well
MESSAGES = 12


def test_two_workers_send_every_message_once(
    make_relay: MakeRelay, hook: Hook, database_url: str, tmp_path: Path
) -> None:
    settings = {"alert_webhook_url": hook.url, "removal_guard_min_members": 1}
    relay = relay_at_the_present(make_relay, **settings)
    relay.refresh(["A", "B", "C"], session="first")
    relay.refresh(["A"], session="second")  # which the guard holds, so that there is news
    for number in range(MESSAGES):
        alerts.send_test(
            relay.database, relay.app.extensions["runtime"].settings, f"{number}@example.com", relay.clock()
        )
    with workers(database_url, tmp_path) as make:
        for _ in range(2):
            make(**settings)
        wait_until(lambda: len(hook.heard) > MESSAGES, WITHIN, "all messages")
        wait_until(lambda: all(row.state == "sent" for row in relay.database.read(alerts.log)), WITHIN, "their notes")
    told = [json.loads(one.body)["kind"] for one in hook.heard]
    assert sorted(told) == sorted([*["test"] * MESSAGES, "held"])
    assert {row.attempts for row in relay.database.read(alerts.log)} == {1}
