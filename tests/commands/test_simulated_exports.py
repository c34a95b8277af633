"""What the simulator exports, cycle by cycle, is what Mixpanel's documentation says."""

import json
from itertools import count
from random import Random
from typing import Any

import pytest

from simulator.exports import SNAPSHOT_MINUTES, Cohort, Export
from simulator.people import Population

DICE = Random("tests")


def cohort(members: set[int], **more: Any) -> Cohort:
    return Cohort("1", "7", "Paying users", "who pay", Population("tests", 100), members, **more)


def due(one: Cohort, minute: int = 0) -> dict[str, tuple[int, ...]]:
    """The numbers that the cycle at this minute exports, by action."""
    ids = map(str, count())
    return {export.action: export.numbers for export in one.due(minute, lambda: next(ids))}


def bodies(members: int, size: int) -> list[dict[str, Any]]:
    export = Export(cohort(set(range(members))), "members", "s1", tuple(range(members)))
    return [json.loads(page.body()) for page in export.pages(size)]


def test_a_page_has_the_documented_shape() -> None:
    (page,) = bodies(1, 1000)
    assert list(page) == ["action", "parameters"]
    parameters = page["parameters"]
    (member,) = parameters.pop("members")
    assert parameters == {
        "mixpanel_project_id": "1",
        "mixpanel_cohort_name": "Paying users",
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_description": "who pay",
        "mixpanel_session_id": "s1",
        "page_info": {"total_pages": 1, "page_count": 1},
    }
    assert {"mixpanel_distinct_id", "first_name", "last_name"} <= member.keys()


def test_pages_are_numbered_from_one_and_carry_everybody_once() -> None:
    pages = [page["parameters"] for page in bodies(25, 10)]
    assert [page["page_info"] for page in pages] == [{"total_pages": 3, "page_count": n} for n in (1, 2, 3)]
    assert [len(page["members"]) for page in pages] == [10, 10, 5]
    assert len({member["mixpanel_distinct_id"] for page in pages for member in page["members"]}) == 25


def test_an_empty_export_is_one_page_without_members() -> None:
    (page,) = bodies(0, 1000)
    assert page["parameters"]["page_info"] == {"total_pages": 1, "page_count": 1}
    assert page["parameters"]["members"] == []


def test_the_first_export_is_the_whole_cohort() -> None:
    assert due(cohort({1, 2})) == {"members": (1, 2)}


def test_the_first_export_may_be_add_members_as_in_mixpanels_timeline() -> None:
    assert due(cohort({1, 2}, first="add_members")) == {"add_members": (1, 2), "remove_members": ()}


def test_later_cycles_send_who_entered_and_who_left() -> None:
    one = cohort({1, 2})
    one.succeeded(0)
    one.enter({3})
    one.leave({1})
    assert due(one, 30) == {"add_members": (3,), "remove_members": (1,)}


def test_a_cycle_in_which_nobody_moved_sends_both_diffs_empty() -> None:
    one = cohort({1, 2})
    one.succeeded(0)
    assert due(one, 30) == {"add_members": (), "remove_members": ()}


def test_a_failed_sync_leaves_its_changes_to_the_next_diff() -> None:
    one = cohort({1})
    one.succeeded(0)
    one.enter({2})
    one.failed()
    one.enter({3})
    assert due(one, 60)["add_members"] == (2, 3)


@pytest.mark.parametrize(("minutes", "actions"), [(0, {"add_members", "remove_members"}), (1, {"members"})])
def test_after_more_than_three_days_without_success_everybody_is_sent(minutes: int, actions: set[str]) -> None:
    one = cohort({1})
    one.succeeded(0)
    assert due(one, SNAPSHOT_MINUTES + minutes).keys() == actions


def test_nobody_who_moved_since_the_last_success_moves_back() -> None:
    one = cohort(set(range(50)))
    one.succeeded(0)
    one.drift(DICE, 10, 10)
    entered, left = one.members - set(range(50)), set(range(50)) - one.members
    for _ in range(20):
        one.drift(DICE, 1, 1)
    assert entered <= one.members
    assert not left & one.members


def test_more_than_there_are_can_neither_enter_nor_leave() -> None:
    one = cohort(set(range(90)))
    one.succeeded(0)
    one.drift(DICE, 1000, 1000)
    assert one.members == set(range(90, 100))
