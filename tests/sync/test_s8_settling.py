"""S8: a refresh whose completeness cannot be known at once waits until no page has come for the settling time."""

import pytest

from tests.conftest import MakeRelay
from tests.relay import MINUTE, SECOND, Relay


def test_s8_p6_pages_without_page_info_evict_nobody_until_the_export_has_settled(relay: Relay) -> None:
    relay.refresh(["A", "X"], session="first")
    relay.refresh(["A"], session="second", page=None)
    relay.refresh(["B"], session="second", page=None)
    assert relay.members() == {"A", "B", "X"}
    assert relay.session()["status"] == "settling"
    relay.settle()
    assert relay.members() == {"A", "B"}
    assert relay.session()["status"] == "complete"


def test_s8_every_page_begins_the_settling_time_anew(relay: Relay) -> None:
    relay.refresh(["X"], session="first")
    for page in range(5):
        relay.refresh([f"u{page}"], session="second", page=None)
        relay.wait(119 * SECOND)
    assert "X" in relay.members()
    relay.wait(SECOND)
    assert "X" not in relay.members()


def test_s8_a_replay_begins_the_settling_time_anew(relay: Relay) -> None:
    relay.refresh(["X"], session="first")
    relay.refresh(["A"], session="second", page=None)
    relay.wait(119 * SECOND)
    relay.refresh(["A"], session="second", page=None)
    relay.wait(119 * SECOND)
    assert "X" in relay.members()


def test_s8_the_settling_time_is_a_setting(make_relay: MakeRelay) -> None:
    relay = make_relay(settle_seconds=5)
    relay.refresh(["A"], page=None)
    relay.wait(5 * SECOND)
    assert relay.session()["status"] == "complete"


def test_s8_p5_refreshes_without_a_session_id_still_remove(relay: Relay) -> None:
    for members in (["A", "B"], ["A"], []):
        relay.refresh(members, session=None)
        relay.settle()
        assert relay.members() == set(members)
        relay.wait(30 * MINUTE)


def test_s8_calls_without_a_session_id_close_together_form_one_session(relay: Relay) -> None:
    for page, person in enumerate("ABC", start=1):
        relay.refresh([person], page, 3, session=None)
        relay.wait(MINUTE)
    assert relay.session()["number"] == 1
    relay.settle()
    assert relay.members() == {"A", "B", "C"}


def test_s8_without_a_session_id_even_all_pages_wait(relay: Relay) -> None:
    relay.refresh(["A", "X"], session="first")
    relay.refresh(["A"], session=None)
    assert relay.session()["status"] == "settling"
    assert relay.members() == {"A", "X"}


def test_s8_without_a_session_id_a_missing_page_is_waited_for(relay: Relay) -> None:
    relay.refresh(["A", "X"], session="first")
    relay.refresh(["A"], 1, 2, session=None)
    relay.settle()
    assert relay.members() == {"A", "X"}


def test_s8_calls_without_a_session_id_far_apart_are_two_sessions(relay: Relay) -> None:
    relay.refresh(["A"], session=None)
    relay.settle()
    relay.refresh(["B"], session=None)
    assert relay.session()["number"] == 2


def test_s8_diffs_without_a_session_id_are_changes_and_no_replays(relay: Relay) -> None:
    relay.add(["A"], session=None)
    relay.remove(["A"], session=None)
    relay.add(["A"], session=None)
    assert relay.members() == {"A"}
    assert relay.log()[-1] == ("entered", "A", 2)


def test_s8_a_page_that_returns_with_another_body_makes_the_export_unclear(relay: Relay) -> None:
    relay.refresh(["A", "B", "X"], session="first")
    relay.refresh(["A"], 1, 2, session="second")
    relay.refresh(["B"], 1, 2, session="second")
    relay.refresh(["C"], 2, 2, session="second")
    assert relay.session()["status"] == "settling"
    assert relay.members() == {"A", "B", "C", "X"}


def test_s8_each_pages_latest_version_counts(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.refresh(["B"], 1, 2)
    relay.refresh(["C"], 2, 2)
    relay.settle()
    assert relay.members() == {"B", "C"}


def test_s8_another_version_after_the_end_opens_the_export_again(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.refresh(["B"])
    assert relay.members() == {"A", "B"}
    relay.settle()
    assert relay.members() == {"B"}


@pytest.mark.parametrize(("before", "after"), [(3, 2), (1, 2)])
def test_s8_another_total_makes_the_export_unclear(relay: Relay, before: int, after: int) -> None:
    relay.refresh(["X"], session="first")
    relay.refresh(["A"], 1, before, session="second")
    relay.refresh(["A"], 1, after, session="second")
    relay.refresh(["B"], 2, after, session="second")
    assert relay.session()["status"] == "settling"
    relay.settle()
    assert relay.members() == {"A", "B"}


def test_s8_pages_past_the_new_total_belong_to_the_attempt_before(relay: Relay) -> None:
    for page, person in enumerate("ABC", start=1):
        relay.refresh([person], page, 4)
    relay.refresh(["A"], 1, 2)
    relay.refresh(["B"], 2, 2)
    relay.settle()
    assert relay.members() == {"A", "B"}


def test_s8_a_larger_total_waits_for_its_missing_pages(relay: Relay) -> None:
    relay.refresh(["A", "X"], session="first")
    relay.refresh(["A"], 1, 2, session="second")
    relay.refresh(["A"], 1, 3, session="second")
    relay.refresh(["B"], 2, 3, session="second")
    relay.settle()
    assert "X" in relay.members()


def test_s8_s14_the_counts_of_an_unclear_export_are_those_of_its_latest_versions(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.refresh(["A", "B", "C"], session="second")
    relay.remove(["B"], session="diff")
    relay.refresh(["A", "D"], session="second")
    relay.settle()
    session = relay.session(2)
    counts = ("received", "entered", "left_count", "unchanged")
    assert tuple(session[name] for name in counts) == (2, 3, 1, 1)  # B left by the diff, and C by the sweep


def test_s8_a_settled_export_that_is_opened_again_soon_settles_in_time(make_relay: MakeRelay) -> None:
    relay = make_relay(settle_seconds=5)
    relay.refresh(["A"], page=None)
    relay.settle()
    relay.refresh(["B"], page=None)
    relay.settle()
    assert relay.session()["status"] == "complete"
