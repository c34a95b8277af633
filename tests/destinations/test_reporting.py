"""What reached a destination is reported to Mixpanel, once however often it is sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from config.clock import MINUTE
from destinations.reporting import Reporter
from tests.conftest import MakeRelay
from tests.destinations.conftest import Relaying
from tests.mixpanel import Answer, Mixpanel, stand_in
from tests.outbound.conftest import DRAFT, add_project
from tests.relay import Relay

PROJECT = DRAFT.mixpanel_project_id


@pytest.fixture
def mixpanel() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0, send_attempts=1)
    add_project(made)
    return made


def events(mixpanel: Mixpanel) -> list[dict[str, Any]]:
    return [event for call in mixpanel.to("/api/import") for event in json.loads(call.body)]


def begin(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"], project=PROJECT)
    relaying.destination("hook")
    relaying.subscribe("hook", project=PROJECT, start="present", report_event="Told the CRM")
    relaying.work()


def test_09_16_a_report_that_is_sent_again_is_the_same_event(relaying: Relaying, mixpanel: Mixpanel) -> None:
    begin(relaying)
    mixpanel.script("/api/import", Answer(status=503))
    reporter = Reporter(relaying.runtime)
    for _ in range(4):
        assert reporter.report() == 0
        relaying.relay.clock.forward(2 * MINUTE)
    mixpanel.forget()
    assert reporter.report() == 2
    sent = [event["properties"] for event in events(mixpanel)]
    assert len(sent) == 10
    assert len({(one["$insert_id"], one["time"], one["distinct_id"]) for one in sent}) == 2
    assert relaying.relay.rows("SELECT DISTINCT report FROM message") == [{"report": "reported"}]
    assert reporter.report() == 0


def test_a_report_says_what_was_told_to_whom(relaying: Relaying, mixpanel: Mixpanel) -> None:
    begin(relaying)
    Reporter(relaying.runtime).report()
    event = events(mixpanel)[0]
    assert event["event"] == "Told the CRM"
    known = event["properties"]
    assert (known["distinct_id"], known["kind"], known["entry_number"], known["delivery_state"]) == (
        "ada",
        "entered",
        1,
        "applied",
    )
    assert (known["destination"], known["cohort_id"], len(known["$insert_id"])) == ("hook", "7", 36)


def test_nothing_is_reported_of_a_subscription_that_does_not_ask_for_it(relaying: Relaying, mixpanel: Mixpanel) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    relaying.subscribe("hook", start="present")
    relaying.work()
    assert Reporter(relaying.runtime).report() == 0
    assert events(mixpanel) == []
