"""S2: a member that cannot be kept is stored with its reason and fails nothing."""

import json
from typing import Any

import pytest

from sync.contract.identity import ILLEGAL_IDS
from tests.relay import Relay, member


def rejected(relay: Relay) -> list[dict[str, str]]:
    """The rejected members of the newest session's pages."""
    found = []
    sql = "SELECT rejected_members FROM sync_page WHERE session_id = :id ORDER BY page"
    for row in relay.rows(sql, id=relay.session()["id"]):
        stored = row["rejected_members"]
        found += json.loads(stored) if isinstance(stored, str) else stored or []
    return found


@pytest.mark.parametrize(
    ("one", "reason", "value"),
    [
        ({}, "missing", "{}"),
        (member(None), "missing", '{"mixpanel_distinct_id": null}'),
        (member(""), "blank", '""'),
        (member("  \t"), "blank", '"  \\t"'),
        (member("x" * 256), "too_long", '"' + "x" * 256 + '"'),
        (member("é" * 128), "too_long", '"' + "é" * 128 + '"'),
        (member("a\0b"), "nul", '"a\\u0000b"'),
        (member(True), "not_text", "true"),
        (member(["A"]), "not_text", '["A"]'),
        (member({"id": "A"}), "not_text", '{"id":"A"}'),
        (member("\ud800"), "not_text", '"\\ud800"'),
        (member("undefined"), "illegal", '"undefined"'),
        (member(0), "illegal", "0"),
        (True, "not_a_member", "true"),
        (None, "not_a_member", "null"),
    ],
)
def test_s2_a_member_that_cannot_be_kept_is_stored_with_its_reason(
    relay: Relay, one: Any, reason: str, value: str
) -> None:
    relay.refresh([member("good")], session="first")
    envelope = {"mixpanel_project_id": "1", "mixpanel_cohort_id": "7", "mixpanel_session_id": "second"}
    sent = {"action": "members", "parameters": envelope | {"members": [member("good"), one]}}
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    assert rejected(relay) == [{"reason": reason, "value": value}]
    assert relay.members() == {"good"}


@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
def test_s2_p42_the_ids_that_mixpanel_throws_away_are_rejected_in_any_case(relay: Relay, written: Any) -> None:
    relay.refresh([written(one) for one in sorted(ILLEGAL_IDS)])
    assert relay.members() == set()
    assert [one["reason"] for one in rejected(relay)] == ["illegal"] * 17


def test_s2_p15_999_good_members_and_a_bad_one_are_999_members_and_a_rejected_one(relay: Relay) -> None:
    relay.refresh([f"u{n}" for n in range(999)] + ["x" * 256])
    assert len(relay.members()) == 999
    assert relay.session()["received"] == 1000
    assert relay.session()["rejected"] == 1


def test_s2_p28_whatever_a_member_looks_like_it_is_counted(relay: Relay) -> None:
    relay.refresh([member("A"), {"email": "lost@example.org"}, member([])])
    assert relay.session()["received"] == 3
    assert relay.session()["rejected"] == 2


def test_s2_p39_rejected_members_are_counted_for_their_session_alone(relay: Relay) -> None:
    relay.refresh(["A", "null"], session="first")
    relay.add(["B", "undefined", ""], session="second")
    relay.add(["C"], session="third")
    assert [relay.session(number)["rejected"] for number in (1, 2, 3)] == [1, 2, 0]


def test_s2_a_bad_id_in_a_single_member_object_is_rejected_and_not_mended(relay: Relay) -> None:
    relay.refresh(member("a\0b"))
    assert relay.members() == set()
    assert rejected(relay) == [{"reason": "nul", "value": '"a\\u0000b"'}]


def test_s2_the_last_of_two_equal_ids_in_a_page_wins(relay: Relay) -> None:
    relay.refresh([member("A", email="old@example.org"), member("A", email="new@example.org")])
    assert relay.person("A")["email"] == "new@example.org"
    assert relay.session()["received"] == 1


def test_s2_a_rejected_member_of_a_removal_removes_nobody(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.remove(["A", "", None], session="second")
    assert relay.members() == set()
    assert relay.session()["rejected"] == 2


def test_s2_the_stored_value_is_bounded(relay: Relay) -> None:
    relay.refresh(["x" * 100_000])
    assert len(rejected(relay)[0]["value"]) == 1000
