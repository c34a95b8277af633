"""Braze: what is queued, whom its errors name, and which refusals are about data."""

from collections.abc import Iterator

import pytest

from destinations.contract import Feed
from destinations.settings import names_one_set, would_mix
from destinations.types.braze import BRAZE
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_braze import INVALID, Braze
from tests.destinations.types.far_ends import Fault, standing
from tests.destinations.types.specifications import needed
from tests.mixpanel import Answer

ADA, BOB, EVE = change(1, "ada"), change(2, "bob"), change(3, "eve", "left")


@pytest.fixture
def braze() -> Iterator[Braze]:
    with standing(Braze) as found:
        yield found


def test_an_entry_sets_the_attribute_and_an_exit_clears_it(braze: Braze) -> None:
    answer = braze.adapter().send(FEED, [change(1, "ada", fields={"plan": "pro"}), EVE])
    assert [answer.verdicts[number].outcome for number in (1, 3)] == ["accepted", "accepted"]
    assert braze.users["ada"] == {"external_id": "ada", "in_paying_users": True, "plan": "pro"}
    assert braze.users["eve"]["in_paying_users"] is False


def test_an_error_by_place_rejects_that_one_only(braze: Braze) -> None:
    braze.blocked = {"bob"}
    answer = braze.adapter().send(FEED, [ADA, BOB, EVE])
    assert [answer.verdicts[number].outcome for number in (1, 2, 3)] == ["accepted", "rejected", "accepted"]
    assert answer.verdicts[2].reason == "blacklisted"


def test_an_error_that_is_a_sentence_is_no_reason(braze: Braze) -> None:
    answer = braze.adapter().send(FEED, [change(1, "ada", fields={"nested": {"a": 1}}), BOB])
    assert (answer.verdicts[1].outcome, answer.verdicts[1].reason) == ("rejected", "invalid")


def test_an_error_that_names_nobody_leaves_all_uncertain(braze: Braze) -> None:
    braze.blocked, braze.nameless = {"bob"}, True
    answer = braze.adapter().send(FEED, [ADA, BOB, EVE])
    assert (answer.refusal, answer.verdicts) == (None, {})


def test_a_401_about_data_is_nothing_against_the_key(braze: Braze) -> None:
    braze.blocked = {"ada", "bob"}
    answer = braze.adapter().send(FEED, [ADA, BOB])
    assert answer.refusal is None
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"rejected"}
    braze.nameless = True
    refusal = braze.adapter().send(FEED, [ADA, BOB]).refusal
    assert refusal is not None
    assert refusal.kind == "batch"


def test_a_success_without_the_word_is_none(braze: Braze) -> None:
    for body in ({"message": "trouble"}, "<html>", {}):
        braze.faults.append(Fault(Answer(201, body)))
        refusal = braze.adapter().send(FEED, [ADA]).refusal
        assert refusal is not None
        assert refusal.kind == "unavailable"


def test_a_maintenance_stores_it(braze: Braze) -> None:
    braze.faults.append(Fault(Answer(202, {"message": "queued"})))
    verdict = braze.adapter().send(FEED, [ADA]).verdicts[1]
    assert (verdict.outcome, verdict.reason) == ("accepted", "maintenance")


def test_after_a_cohort_was_renamed_people_leave_the_attribute_that_they_were_given(braze: Braze) -> None:
    adapter, renamed = braze.adapter(), Feed(1, "1234567", "987", "Customers & friends")
    name = adapter.send(FEED, [ADA]).verdicts[1].vendor_id
    assert name == "in_paying_users"
    adapter.send(renamed, [change(2, "ada", vendor_id=name)])
    assert (braze.users["ada"]["in_paying_users"], braze.users["ada"]["in_customers_friends"]) == (False, True)
    adapter.send(renamed, [change(3, "bob", "left", vendor_id=name)])
    assert braze.users["bob"]["in_paying_users"] is False


def test_only_whom_braze_knows_where_that_is_chosen(braze: Braze) -> None:
    braze.users["ada"] = {"external_id": "ada"}
    braze.adapter(existing_only=True, attribute="paying").send(FEED, [ADA, BOB])
    assert (braze.users["ada"]["paying"], "bob" in braze.users) == (True, False)


def test_an_erasure_deletes_the_profile(braze: Braze) -> None:
    braze.adapter().send(FEED, [ADA])
    answer = braze.adapter().erase(FEED, ADA)
    assert (answer.verdicts[1].outcome, "ada" in braze.users) == ("accepted", False)


def test_a_check_is_about_nobody_and_takes_a_401_about_data_for_an_answer(braze: Braze) -> None:
    assert braze.adapter().check().ok
    assert (dict(braze.users), braze.calls[0].json) == ({}, {"attributes": []})
    braze.faults.append(Fault(Answer(401, {"message": INVALID})))
    assert braze.adapter().check().ok


def test_every_request_is_one_that_brazes_description_allows(braze: Braze) -> None:
    needed("braze.json")
    adapter = braze.adapter()
    adapter.check()
    adapter.send(FEED, [ADA, EVE])
    adapter.erase(FEED, ADA)
    assert braze.refused == []


@pytest.mark.parametrize(
    ("attribute", "other", "mixes"),
    [
        ("in_{cohort}", "Trials", False),
        ("in_{cohort}", "paying-USERS!", True),
        ("paying", "Trials", True),
    ],
)
def test_two_cohorts_never_share_an_attribute(attribute: str, other: str, mixes: bool) -> None:
    assert would_mix(BRAZE, {"attribute": attribute}, "Paying users", [other]) == mixes
    assert names_one_set(BRAZE, {"attribute": attribute}) == (attribute == "paying")
    assert not would_mix(BRAZE, {"attribute": attribute}, "Paying users", [])
