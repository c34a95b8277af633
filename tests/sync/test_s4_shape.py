"""S4: the shapes in which members arrive."""

import json
from typing import Any

import pytest

from tests.relay import Relay, body, member


def test_s4_members_may_be_a_list(relay: Relay) -> None:
    relay.refresh([member("A"), member("B")])
    assert relay.members() == {"A", "B"}


def test_s4_members_may_be_a_single_object(relay: Relay) -> None:
    relay.refresh(member("A", email="ann@example.org"))
    assert relay.members() == {"A"}
    assert relay.person("A")["email"] == "ann@example.org"


@pytest.mark.parametrize("members", [[member("A")], member("A")])
def test_s4_members_may_stand_beside_parameters(relay: Relay, members: Any) -> None:
    sent = body("members", members)
    sent["members"] = sent["parameters"].pop("members")
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    assert relay.members() == {"A"}


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
@pytest.mark.parametrize("members", ["absent", None, "A", 7, True])
def test_s4_p7_a_call_without_members_is_refused_and_changes_nothing(relay: Relay, action: str, members: Any) -> None:
    relay.refresh(["A"], session="first")
    sent = body(action, members, session="second")
    if members == "absent":
        del sent["parameters"]["members"]
    answer = relay.post_raw(json.dumps(sent))
    assert (answer.status_code, answer.json["action"], answer.json["status"]) == (400, action, "failure")
    assert relay.members() == {"A"}
    (failure,) = relay.failures()
    assert (failure["cause"], failure["cohort_id"], failure["project_id"]) == ("no_members", "7", "1")


def test_s4_an_empty_refresh_empties_the_cohort(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh([], session="second")
    assert relay.members() == set()


@pytest.mark.parametrize(("page", "total"), [(1, 1), (0, 0), (1, 0)])
def test_s4_an_empty_export_may_count_its_pages_from_zero(relay: Relay, page: int, total: int) -> None:
    relay.refresh([], page, total)
    assert relay.session()["status"] == "complete"


def test_s4_p14_the_documented_body_is_not_read_from_the_top_level(relay: Relay) -> None:
    sent = {"cohort_id": "7", "members": [{"id": "A"}], "action": "members"}
    answer = relay.post_raw(json.dumps(sent))
    assert (answer.status_code, answer.json["action"]) == (400, "members")


@pytest.mark.parametrize(
    ("page", "total"),
    [(0, 1), (2, 1), (-1, 3), (1, 0), (1, -1), ("one", 3), (1.5, 3), (True, 3), (1, 2**31), ([1], 1), ("", 1)],
)
def test_s4_p6_impossible_page_numbers_are_refused_and_change_nothing(relay: Relay, page: Any, total: Any) -> None:
    relay.refresh(["A"], session="first")
    answer = relay.post("members", ["B"], page, total, session="second")
    assert answer.status_code == 400
    assert relay.members() == {"A"}
    assert relay.failures()[0]["cause"] == "impossible_page"


@pytest.mark.parametrize("info", [None, [], "1/1", 5, {}, {"total_pages": 1}, {"page_count": 1}])
def test_s4_p6_an_unreadable_page_info_is_no_page_1_of_1(relay: Relay, info: Any) -> None:
    relay.refresh(["A"], session="first")
    sent = body("members", ["B"], session="second")
    sent["parameters"]["page_info"] = info
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    assert relay.members() == {"A", "B"}


@pytest.mark.parametrize("given", [None, "", "  ", True, [], {}, "x" * 256])
def test_s4_a_call_without_a_cohort_id_is_refused(relay: Relay, given: Any) -> None:
    answer = relay.post("members", ["A"], cohort=given)
    assert answer.status_code == 400
    assert relay.failures()[0]["cause"] == "no_cohort_id"


@pytest.mark.parametrize("given", ["constructor", "__proto__", "MEMBERS", "", None, 5, ["members"], {"a": 1}, "\0"])
def test_s4_p33_an_odd_action_is_refused_cleanly(relay: Relay, given: Any) -> None:
    answer = relay.post(given, ["A"])
    assert answer.status_code == 400
    assert answer.json["status"] == "failure"
    assert relay.failures()[0]["cause"] == "unknown_action"
