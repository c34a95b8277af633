"""S13: a refresh that has gone silent is shown as stalled, and nothing is done to it."""

from tests.conftest import MakeRelay
from tests.relay import MINUTE, SECOND, Relay


def test_s13_a_refresh_with_no_page_for_15_minutes_is_stalled(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.wait(15 * MINUTE)
    assert relay.session()["status"] == "receiving"
    relay.wait(SECOND)
    assert relay.session()["status"] == "stalled"


def test_s13_nothing_is_done_to_it(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["A"], 1, 2, session="second")
    before = relay.log(), relay.cohort()
    relay.wait(3 * 24 * 60 * MINUTE)
    assert relay.session()["status"] == "stalled"
    assert (relay.log(), relay.cohort()) == before


def test_s13_a_late_page_ends_that(relay: Relay) -> None:
    relay.refresh(["A", "X"], session="first")
    relay.refresh(["A"], 1, 3, session="second")
    relay.wait(16 * MINUTE)
    relay.refresh(["B"], 2, 3, session="second")
    assert relay.session()["status"] == "receiving"
    relay.refresh(["C"], 3, 3, session="second")
    assert relay.session()["status"] == "complete"
    assert relay.members() == {"A", "B", "C"}


def test_s13_a_newer_refresh_ends_that(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="first")
    relay.wait(16 * MINUTE)
    relay.refresh(["B"], session="second")
    assert relay.session(1)["status"] == "superseded"
    assert relay.members() == {"B"}


def test_s13_what_is_complete_or_settling_does_not_stall(make_relay: MakeRelay) -> None:
    relay = make_relay(settle_seconds=3600)
    relay.refresh(["A"], session="complete")
    relay.refresh(["A"], session="settling", page=None)
    relay.wait(16 * MINUTE)
    assert [relay.session(number)["status"] for number in (1, 2)] == ["complete", "settling"]


def test_s13_the_silence_is_a_setting(make_relay: MakeRelay) -> None:
    relay = make_relay(stalled_seconds=5)
    relay.refresh(["A"], 1, 2)
    relay.wait(6 * SECOND)
    assert relay.session()["status"] == "stalled"
