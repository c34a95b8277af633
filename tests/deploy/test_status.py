"""`/status.json`: small, public, cached, and about nobody."""

import time

import pytest

from alerts import messages
from alerts.rules import Remembered
from config.clock import iso
from models.database import DatabaseUnavailable
from tests.relay import MINUTE, START, Relay, member

KEYS = [
    *("status", "since", "checked_at", "last_sync_at", "last_sync_age_seconds"),
    *("last_backup_at", "last_backup_age_seconds"),
]


def asked(relay: Relay, *, anew: bool = True) -> dict:
    if anew:
        relay.app.extensions["status"].made_at = float("-inf")
    response = relay.client.get("/status.json")
    assert response.headers["Cache-Control"] == "public, max-age=30"
    assert sorted(response.json) == sorted(KEYS)
    return response.json | {"code": response.status_code}


def test_an_empty_relay_is_ok(relay: Relay) -> None:
    found = asked(relay)
    assert (found["status"], found["since"], found["last_sync_age_seconds"], found["code"]) == ("ok", None, None, 200)


def test_it_says_how_long_ago_the_last_sync_was_and_nobodys_name(relay: Relay) -> None:
    relay.refresh([member("ada-1", email="ada@example.com")])
    relay.clock.forward(5 * MINUTE)
    found = asked(relay)
    assert (found["status"], found["last_sync_at"], found["last_sync_age_seconds"]) == ("ok", iso(START), 300)
    text = relay.client.get("/status.json").text
    assert not [word for word in ("ada", "Paying", "crm", '"1"', '"7"') if word in text]


def stall(relay: Relay) -> None:
    relay.post("members", ["ada-1"], page=1, total=2)
    relay.wait(60 * MINUTE)


def test_what_needs_somebody_degrades_it_since_it_was_seen(relay: Relay) -> None:
    stall(relay)
    first = asked(relay)
    assert (first["status"], first["since"], first["code"]) == ("degraded", iso(relay.clock()), 200)
    relay.clock.forward(MINUTE)
    assert asked(relay)["since"] == first["since"]


def test_what_alerts_remember_is_believed_over_a_restart(relay: Relay) -> None:
    stall(relay)
    cohort = relay.database.read(lambda db: db.exec_driver_sql("SELECT id FROM cohort").scalar_one())
    remembered = Remembered("stalled", START + MINUTE)
    relay.database.write(lambda db: messages.remember(db, f"cohort {cohort}", None, remembered))
    assert asked(relay)["since"] == iso(START + MINUTE)


def test_an_answer_is_kept_for_half_a_minute(relay: Relay) -> None:
    assert asked(relay)["status"] == "ok"
    stall(relay)
    assert asked(relay, anew=False)["status"] == "ok"
    relay.app.extensions["status"].made_at = time.monotonic() - 31
    assert asked(relay, anew=False)["status"] == "degraded"


def test_a_database_that_is_away_is_said(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_words: object, **_more: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(relay.database, "read", away)
    found = asked(relay)
    assert (found["status"], found["code"]) == ("unavailable", 503)
