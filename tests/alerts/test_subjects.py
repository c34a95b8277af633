"""From calls to messages: how cohorts and connections stand, as it is told."""

import pytest

import alerts
from commands.work import addresses
from security import connections
from simulator import job_runner
from tests.alerts.subjects import log
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay

HOUR = 60 * MINUTE


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    """A relay that tells its alerts to a webhook where nobody answers; the log says what was to be sent."""
    return make_relay(alert_webhook_url="http://127.0.0.1:1/hook", public_url="https://relay.example.com")


def look(relay: Relay) -> list[tuple[str, str]]:
    """The worker's round; what is in the log after it."""
    alerts.run_once(relay.database, relay.app.extensions["runtime"].settings, relay.clock, addresses(relay.app.url_map))
    return [(row.subject, row.kind) for row in log(relay)]


def test_a_refused_call_is_told_with_its_reason_and_its_end(relay):
    relay.refresh(["A"])
    assert look(relay) == []
    relay.clock.forward(MINUTE)
    relay.post("members", ["A"], page=0, session="s2")
    assert look(relay) == [("cohort 1", "failing")]
    (row,) = log(relay)
    assert row.title == 'Cohort "Paying users" is failing'
    assert "An impossible page number: " in row.message
    assert "Mixpanel has paused this cohort's sync" in row.message
    assert row.link == "https://relay.example.com/cohorts/1"
    relay.clock.forward(MINUTE)
    relay.refresh(["A"], session="s3")
    assert look(relay)[1:] == [("cohort 1", "recovered")]


def test_a_wrong_password_is_told_of_the_connection(relay):
    relay.refresh(["A"])
    relay.clock.forward(2 * MINUTE)
    relay.password = "wrong"
    relay.post("members", ["A"])
    assert look(relay) == [("connection crm", "failing")]
    assert log(relay)[0].link == "https://relay.example.com/connections/crm"


def test_a_sync_that_goes_quiet_is_told_with_its_connection(relay):
    for cycle in range(4):
        relay.add([cycle], session=f"s{cycle}")
        relay.clock.forward(30 * MINUTE)
    assert look(relay) == []
    relay.clock.forward(2 * HOUR)
    assert look(relay) == [("cohort 1", "quiet"), ("connection crm", "quiet")]
    assert "they usually come every 30 min" in log(relay)[0].message


def test_an_export_that_broke_off_is_told_as_stalled(relay):
    relay.refresh(["A"], 1, 3)
    relay.wait(16 * MINUTE)
    assert look(relay) == [("cohort 1", "stalled")]
    relay.refresh(["B"], 2, 3)
    assert look(relay)[1:] == [("cohort 1", "recovered")]


def test_a_held_refresh_is_told_with_the_page_that_decides(relay):
    relay.refresh(list(range(1, 201)))
    relay.clock.forward(MINUTE)
    relay.refresh(list(range(1, 21)), session="s2")
    assert look(relay) == [("cohort 1", "held")]
    assert log(relay)[0].link == "https://relay.example.com/cohorts/1/held"
    assert "would remove 180 of 200 members" in log(relay)[0].message


def test_a_connection_that_is_switched_off_is_silent(relay):
    relay.refresh(["A"], 1, 3)
    relay.wait(16 * MINUTE)
    look(relay)
    relay.database.write(lambda db: connections.switch(db, "crm", enabled=False))
    relay.clock.forward(3 * HOUR)
    assert look(relay) == [("cohort 1", "stalled")]


def test_a_simulated_export_is_no_trouble_and_no_sign_of_life(relay):
    simulated = job_runner.new_cohort("crm").cohort_id
    for cycle in range(4):
        relay.add([cycle], session=f"s{cycle}")
        relay.clock.forward(30 * MINUTE)
    relay.clock.forward(2 * HOUR)
    relay.add(["A"], session="simulated", cohort=simulated)
    quiet = [("cohort 1", "quiet"), ("connection crm", "quiet")]
    assert look(relay) == quiet
    relay.clock.forward(3 * HOUR)
    assert look(relay) == quiet


def test_no_message_holds_member_data(relay):
    relay.refresh([{"mixpanel_distinct_id": "who-it-is", "email": "ada@example.com"}])
    relay.clock.forward(MINUTE)
    relay.post("members", [{"mixpanel_distinct_id": "who-it-is", "email": "ada@example.com"}], page=0)
    look(relay)
    (row,) = log(relay)
    assert "who-it-is" not in repr(row)
    assert "ada@" not in repr(row)
