"""Operators are told of a destination that has stopped by itself, and of removals that wait for them."""

import pytest

import alerts
from commands.work import addresses
from destinations import destinations
from destinations.contract import Answer, Refusal
from tests.alerts.subjects import log
from tests.conftest import MakeRelay
from tests.destinations.conftest import Relaying
from tests.relay import Relay


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    return make_relay(alert_webhook_url="http://127.0.0.1:1/hook", public_url="https://relay.example.com")


def look(relaying: Relaying) -> list[tuple[str, str]]:
    relay, settings = relaying.relay, relaying.runtime.settings
    alerts.run_once(relay.database, settings, relay.clock, addresses(relay.app.url_map))
    return [(row.subject, row.kind) for row in log(relay) if row.subject.startswith("destination")]


def test_bad_credentials_are_told_and_their_end_too(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    known = relaying.destination("crm", "set")
    relaying.subscribe("crm")
    relaying.there("crm").fault = lambda _changes: Answer(refusal=Refusal("credentials", "401", "The key is refused."))
    assert look(relaying) == []
    relaying.work()
    assert look(relaying) == [(f"destination {known.id}", "failing")]
    (row,) = log(relaying.relay)
    assert "The key is refused." in row.message
    assert row.link == f"https://relay.example.com/destinations/{known.id}"
    relaying.database.write(lambda db: destinations.resume(db, known, relaying.now))
    assert look(relaying)[1:] == [(f"destination {known.id}", "recovered")]


def test_removals_that_are_held_are_told(relaying: Relaying) -> None:
    people = [f"p{number}" for number in range(20)]
    relaying.relay.refresh(people)
    known = relaying.destination("crm", "set")
    relaying.subscribe("crm")
    relaying.work()
    relaying.relay.remove(people[:15], session="s2")
    relaying.work()
    assert look(relaying) == [(f"destination {known.id}", "held")]


def test_a_pause_by_hand_is_nothing_to_tell(relaying: Relaying) -> None:
    known = relaying.destination("crm", "set")
    relaying.database.write(lambda db: destinations.pause(db, known, "they move", relaying.now))
    assert look(relaying) == []
