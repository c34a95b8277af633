"""S9: sessions are numbered by first arrival, and the newest word stands."""

import pytest

from tests.relay import MINUTE, Relay


def test_s9_sessions_of_a_cohort_are_numbered_by_first_arrival(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="one")
    relay.add(["B"], session="two")
    relay.refresh(["A"], 2, 2, session="one")
    relay.refresh(["A"], session="elsewhere", cohort="8")
    assert [relay.session(number)["mixpanel_session_id"] for number in (1, 2)] == ["one", "two"]
    assert relay.session(cohort="8")["number"] == 1


def test_s9_a_newer_refresh_supersedes_an_unfinished_older_one(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="older")
    relay.refresh(["B"], session="newer")
    assert relay.session(1)["status"] == "superseded"
    assert relay.members() == {"B"}


def test_s9_p8_late_pages_of_a_superseded_refresh_succeed_and_change_nothing(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="older")
    relay.refresh(["B"], session="newer")
    relay.refresh(["C"], 2, 2, session="older")
    assert relay.members() == {"B"}
    assert relay.session(1)["status"] == "superseded"
    late = relay.rows("SELECT applied FROM sync_page WHERE session_id = :id AND page = 2", id=relay.session(1)["id"])
    assert [bool(row["applied"]) for row in late] == [False]


def test_s9_an_unfinished_refresh_never_sweeps(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["A"], 1, 2, session="older")
    relay.refresh(["A"], 1, 2, session="newer")
    relay.refresh(["C"], 2, 2, session="older")
    relay.wait(60 * MINUTE)
    assert relay.members() == {"A", "B"}


def test_s9_a_settling_refresh_is_superseded_too(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["A"], session="older", page=None)
    relay.refresh(["B"], 1, 2, session="newer")
    relay.settle()
    assert relay.members() == {"A", "B"}


def test_s9_a_complete_refresh_that_was_opened_again_is_superseded_too(relay: Relay) -> None:
    relay.refresh(["A", "D"], session="older")
    relay.refresh(["A"], session="older")
    relay.refresh(["D"], 1, 2, session="newer")
    relay.settle()
    relay.refresh(["A"], 2, 2, session="newer")
    assert relay.members() == {"A", "D"}
    assert relay.session(1)["status"] == "superseded"


def test_s9_the_later_page_of_a_complete_older_refresh_changes_nothing(relay: Relay) -> None:
    relay.refresh(["A"], session="older")
    relay.refresh(["B"], session="newer")
    relay.refresh(["A", "C"], session="older")
    relay.settle()
    assert relay.members() == {"B"}
    assert relay.session(1)["status"] == "complete"


def test_s9_who_was_removed_by_a_newer_diff_is_not_brought_back_by_a_late_page(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["A"], 1, 2, session="refresh")
    relay.remove(["B"], session="diff")
    relay.refresh(["B"], 2, 2, session="refresh")
    assert relay.members() == {"A"}


def test_s9_nor_is_someone_whom_the_removal_found_outside(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="refresh")
    relay.remove(["B"], session="diff")
    relay.refresh(["B"], 2, 2, session="refresh")
    assert relay.members() == {"A"}


def test_s9_the_sweep_spares_whom_a_newer_diff_added(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="refresh")
    relay.add(["B"], session="diff")
    relay.refresh([], 2, 2, session="refresh")
    assert relay.members() == {"A", "B"}


def test_s9_the_sweep_spares_a_member_whom_a_newer_diff_added_again(relay: Relay) -> None:
    relay.refresh(["B"], session="first")
    relay.refresh(["A"], 1, 2, session="refresh")
    relay.add(["B"], session="diff")
    relay.refresh([], 2, 2, session="refresh")
    assert relay.members() == {"A", "B"}


def test_s9_the_sweep_does_not_spare_whom_an_older_diff_added(relay: Relay) -> None:
    relay.add(["B"], session="diff")
    relay.refresh(["A"], session="refresh")
    assert relay.members() == {"A"}


def test_s9_a_late_page_of_a_diff_changes_nothing_after_a_newer_refresh(relay: Relay) -> None:
    relay.add(["A"], 1, 2, session="diff")
    relay.refresh(["B"], session="refresh")
    relay.add(["C"], 2, 2, session="diff")
    assert relay.members() == {"B"}
    assert relay.session(1)["status"] == "superseded"


def test_s9_a_late_removal_spares_whom_an_unfinished_newer_refresh_has_named(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="first")
    relay.remove(["C"], 1, 2, session="diff")
    relay.refresh(["A"], 1, 2, session="refresh")
    relay.remove(["A", "B"], 2, 2, session="diff")
    assert relay.members() == {"A"}


def test_s9_a_late_page_of_a_diff_never_overrides_a_newer_diff(relay: Relay) -> None:
    relay.add(["A"], 1, 2, session="older")
    relay.remove(["B"], session="newer")
    relay.add(["B", "C"], 2, 2, session="older")
    assert relay.members() == {"A", "C"}


def test_s9_two_connections_on_one_cohort_share_its_order(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="of one")
    relay.refresh(["B"], session="of the other")
    relay.refresh(["C"], 2, 2, session="of one")
    assert relay.members() == {"B"}


@pytest.mark.parametrize("jump", [-60 * MINUTE, 60 * MINUTE])
def test_s9_p38_a_clock_that_jumps_evicts_nobody(relay: Relay, jump: int) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["A"], 1, 2, session="second")
    relay.clock.forward(jump)
    relay.add(["C"], session="diff")
    relay.refresh(["B"], 2, 2, session="second")
    assert relay.members() == {"A", "B", "C"}
    assert [change for change, _, _ in relay.log()] == ["entered"] * 3
