"""S6: diffs, applied as they arrive."""

import pytest

from tests.relay import MINUTE, Relay


def test_s6_an_addition_enters_and_a_removal_leaves(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.add(["C"], session="second")
    relay.remove(["A"], session="second")
    assert relay.members() == {"B", "C"}


def test_s6_every_page_of_a_diff_is_applied_as_it_arrives(relay: Relay) -> None:
    relay.add(["C"], 3, 3)
    assert relay.members() == {"C"}
    assert relay.session()["status"] == "receiving"
    relay.add(["A"], 1, 3)
    relay.add(["B"], 2, 3)
    assert relay.members() == {"A", "B", "C"}
    assert relay.session()["status"] == "complete"


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_s6_p10_any_action_creates_a_cohort_never_seen_before(relay: Relay, action: str) -> None:
    relay.sync(action, ["A"], name="Fresh")
    assert relay.cohort()["name"] == "Fresh"
    assert relay.members() == (set() if action == "remove_members" else {"A"})


def test_s6_removing_someone_who_is_not_a_member_changes_nothing_and_is_counted(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    before = relay.log()
    relay.remove(["B", "C"], session="second")
    assert relay.log() == before
    assert (relay.session()["received"], relay.session()["unchanged"]) == (2, 2)


def test_s6_p23_adding_members_again_changes_nothing_and_is_counted(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.add(["A", "B", "C"], session="second")
    assert relay.cohort()["member_count"] == 3
    assert (relay.session()["entered"], relay.session()["unchanged"]) == (1, 2)


@pytest.mark.parametrize("action", ["add_members", "remove_members"])
def test_s6_an_empty_diff_is_the_senders_heartbeat(relay: Relay, action: str) -> None:
    relay.refresh(["A"], session="first")
    relay.clock.forward(30 * MINUTE)
    relay.sync(action, [], session="second")
    session, cohort = relay.session(), relay.cohort()
    assert (session["status"], session["received"]) == ("complete", 0)
    assert cohort["last_synced_at"] == cohort["last_call_at"] == relay.clock()
    assert relay.members() == {"A"}


def test_s6_a_heartbeat_does_not_look_like_a_change_to_readers(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    before = relay.cohort()["version"]
    relay.add([], session="second")
    relay.remove([], session="second")
    assert relay.cohort()["version"] == before


def test_s6_addition_and_removal_of_one_cycle_may_share_a_session_id(relay: Relay) -> None:
    relay.add(["A"], session="cycle")
    relay.remove(["B"], session="cycle")
    assert [relay.session(number)["action"] for number in (1, 2)] == ["add_members", "remove_members"]


def test_s6_p25_leaving_and_coming_back_is_a_second_entry(relay: Relay) -> None:
    relay.add(["A"], session="first")
    relay.remove(["A"], session="second")
    relay.add(["A"], session="third")
    assert relay.log() == [("entered", "A", 1), ("left", "A", 1), ("entered", "A", 2)]


def test_s6_a_diff_without_page_info_is_complete_at_once(relay: Relay) -> None:
    relay.add(["A"], page=None)
    assert relay.session()["status"] == "complete"


def test_s6_someone_named_by_a_removal_first_may_enter_later(relay: Relay) -> None:
    relay.remove(["A"], session="first")
    relay.add(["A"], session="second")
    assert relay.log() == [("entered", "A", 1)]
