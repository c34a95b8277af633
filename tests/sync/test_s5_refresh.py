"""S5: a refresh replaces the whole cohort, once all of its pages are here."""

from itertools import permutations

import pytest

from tests.relay import Relay


def test_s5_p1_a_refresh_removes_those_it_does_not_name(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="first")
    relay.refresh(["A"], session="second")
    assert relay.members() == {"A"}


def test_s5_p2_all_pages_together_are_the_cohort(relay: Relay) -> None:
    for page, person in enumerate("ABC", start=1):
        relay.refresh([person], page, 3)
    assert relay.members() == {"A", "B", "C"}


def test_s5_arrivals_enter_as_their_page_arrives(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.refresh(["B"], 1, 2, session="second")
    assert relay.members() == {"A", "B"}


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_s5_p3_nobody_leaves_before_all_pages_are_here_in_any_order(relay: Relay, order: tuple[int, ...]) -> None:
    relay.refresh(["A", "B", "X"], session="first")
    for seen, page in enumerate(order, start=1):
        assert "X" in relay.members()
        relay.refresh(["ABC"[page - 1]], page, 3, session="second")
        assert relay.session()["pages_received"] == seen
    assert relay.members() == {"A", "B", "C"}


def test_s5_p9_the_old_members_are_served_until_the_last_page_is_here(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="first")
    for page in (1, 2):
        relay.refresh([], page, 3, session="second")
        assert relay.members() == {"A", "B", "C"}


def test_s5_the_sweep_runs_in_the_same_transaction_as_the_last_page(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["B"], 1, 2, session="second")
    relay.refresh(["C"], 2, 2, session="second")
    assert relay.session()["status"] == "complete"
    last = relay.rows("SELECT entered, at FROM membership_change WHERE number > 2 ORDER BY number")
    assert [bool(row["entered"]) for row in last] == [True, False]


def test_s5_p8_pages_of_an_abandoned_export_do_not_mix_with_the_next(relay: Relay) -> None:
    relay.refresh(["A"], 1, 3, session="abandoned")
    relay.refresh(["B"], 2, 3, session="abandoned")
    relay.refresh(["C"], 1, 2, session="next")
    assert relay.members() == {"A", "B", "C"}
    relay.refresh(["D"], 2, 2, session="next")
    assert relay.members() == {"C", "D"}


def test_s5_p37_an_identical_refresh_changes_nothing(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    before = relay.log()
    relay.refresh(["A", "B"], session="second")
    assert relay.log() == before
    assert relay.session()["unchanged"] == 2


def test_s5_who_comes_back_enters_again(relay: Relay) -> None:
    for number, members in enumerate((["A", "B"], ["A"], ["A", "B"])):
        relay.refresh(members, session=f"export {number}")
    assert relay.log() == [("entered", "A", 1), ("entered", "B", 1), ("left", "B", 1), ("entered", "B", 2)]


def test_s5_hundreds_of_pages_make_one_cohort(relay: Relay) -> None:
    relay.refresh(["gone"], session="first")
    for page in range(1, 301):
        relay.refresh([f"u{page}"], page, 300, session="second")
    assert relay.members() == {f"u{page}" for page in range(1, 301)}


def test_s5_the_leavers_of_one_cohort_stay_in_another(relay: Relay) -> None:
    relay.refresh(["A", "B"], cohort="7")
    relay.refresh(["A", "B"], cohort="8")
    relay.refresh(["A"], cohort="7", session="second")
    assert relay.members("8") == {"A", "B"}


def test_s5_p44_an_emptied_cohort_is_filled_again_by_the_next_export(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh([], session="second")
    relay.refresh(["B"], session="third")
    assert relay.members() == {"B"}
    assert relay.log()[-1] == ("entered", "B", 2)


def test_s5_p44_a_late_page_brings_nobody_back_to_an_emptied_cohort(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="first")
    relay.refresh([], session="second")
    relay.refresh(["B"], 2, 2, session="first")
    assert relay.members() == set()
