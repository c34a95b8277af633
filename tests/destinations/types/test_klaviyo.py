"""Klaviyo: from identities to profiles to a list, and never a word about consent."""

from collections.abc import Iterator

import pytest

from destinations.transport import NotRead
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_klaviyo import LIST, Klaviyo
from tests.destinations.types.far_ends import Fault, busy, standing
from tests.destinations.types.specifications import needed
from tests.mixpanel import Answer

ADA, BOB = change(1, "ada@example.com"), change(2, "bob@example.com")


@pytest.fixture
def klaviyo() -> Iterator[Klaviyo]:
    with standing(Klaviyo) as found:
        yield found


def lists(klaviyo: Klaviyo) -> int:
    return len(klaviyo.to(f"{LIST}/relationships/profiles"))


def imports(klaviyo: Klaviyo) -> int:
    return len(klaviyo.to("/api/profile-import"))


def test_a_profile_is_made_and_its_id_remembered_for_the_list(klaviyo: Klaviyo) -> None:
    fields = {"first_name": "Ada", "plan": "pro", "last_name": None}
    answer = klaviyo.adapter().send(FEED, [change(1, "ada@example.com", fields=fields), BOB])
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"applied"}
    assert klaviyo.members == {"ada@example.com", "bob@example.com"}
    made = klaviyo.profiles[str(answer.verdicts[1].vendor_id)]
    assert made == {"email": "ada@example.com", "first_name": "Ada", "properties": {"plan": "pro"}}
    assert (imports(klaviyo), lists(klaviyo)) == (2, 1)


def test_who_is_remembered_costs_no_profile_and_leaves_by_that_id(klaviyo: Klaviyo) -> None:
    adapter = klaviyo.adapter()
    ids = {number: verdict.vendor_id for number, verdict in adapter.send(FEED, [ADA, BOB]).verdicts.items()}
    left = change(3, "ada@example.com", "left", vendor_id=ids[1], fields={"plan": "pro"})
    adapter.send(FEED, [left, change(4, "bob@example.com", vendor_id=ids[2])])
    assert (klaviyo.members, imports(klaviyo)) == ({"bob@example.com"}, 2)


def test_a_409_names_the_profile_that_it_is(klaviyo: Klaviyo) -> None:
    klaviyo.profiles, klaviyo.doubles = {"01OLD": {"email": "ada@old.example"}}, {"ada@example.com": "01OLD"}
    assert klaviyo.adapter().send(FEED, [ADA]).verdicts[1].vendor_id == "01OLD"
    assert klaviyo.listed == {"01OLD"}


def test_of_two_identities_of_one_profile_either_keeps_it_on_the_list(klaviyo: Klaviyo) -> None:
    klaviyo.profiles, klaviyo.doubles = {"01OLD": {"email": "ada@old.example"}}, {"ada@example.com": "01OLD"}
    answer = klaviyo.adapter().send(FEED, [ADA, change(2, "ada@old.example", "left", vendor_id="01OLD")])
    assert ({verdict.outcome for verdict in answer.verdicts.values()}, len(answer.verdicts)) == ({"applied"}, 2)
    assert klaviyo.listed == {"01OLD"}


def test_a_profile_that_is_refused_is_rejected_and_nobody_else_is(klaviyo: Klaviyo) -> None:
    klaviyo.bad = {"ada@example.com"}
    verdicts = klaviyo.adapter().send(FEED, [ADA, BOB]).verdicts
    assert [(verdicts[number].outcome, verdicts[number].reason) for number in (1, 2)] == [
        ("rejected", "invalid"),
        ("applied", ""),
    ]


@pytest.mark.parametrize("points", [True, False])
def test_a_profile_that_was_deleted_there_is_made_anew_or_is_off_the_list(klaviyo: Klaviyo, points: bool) -> None:
    klaviyo.points = points
    verdicts = klaviyo.adapter().send(FEED, [change(1, "ada@example.com", vendor_id="01GONE")]).verdicts
    assert (verdicts[1].outcome, klaviyo.members) == ("applied", {"ada@example.com"})
    left = klaviyo.adapter().send(FEED, [change(2, "bob@example.com", "left", vendor_id="01GONE")]).verdicts
    assert (left[2].outcome, left[2].reason) == ("applied", "not_there")


def test_among_several_the_one_that_is_pointed_at_is_left_out(klaviyo: Klaviyo) -> None:
    adapter = klaviyo.adapter()
    ada = adapter.send(FEED, [ADA]).verdicts[1].vendor_id
    changes = [change(3, "ada@example.com", "left", vendor_id=ada)]
    changes += [change(number, f"p{number}@example.com", "left", vendor_id=f"01GONE{number}") for number in (4, 5)]
    verdicts = adapter.send(FEED, changes).verdicts
    assert {number: verdict.reason for number, verdict in verdicts.items()} == {3: "", 4: "not_there", 5: "not_there"}
    assert klaviyo.members == set()


def test_among_several_of_whom_none_is_pointed_at_the_call_is_cut(klaviyo: Klaviyo) -> None:
    klaviyo.points = False
    changes = [change(number, f"p{number}@example.com", "left", vendor_id=f"01GONE{number}") for number in (4, 5)]
    refusal = klaviyo.adapter().send(FEED, changes).refusal
    assert refusal is not None
    assert refusal.kind == "batch"


def test_a_list_that_is_gone_stops_the_destination(klaviyo: Klaviyo) -> None:
    klaviyo.gone = True
    refusal = klaviyo.adapter().send(FEED, [ADA, BOB]).refusal
    assert refusal is not None
    assert refusal.kind == "gone"
    assert not klaviyo.adapter().check().ok


def test_whose_profiles_came_before_a_429_are_on_the_list(klaviyo: Klaviyo) -> None:
    klaviyo.faults.extend([None, busy({"Retry-After": "9"})])
    answer = klaviyo.adapter().send(FEED, [ADA, BOB])
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.wait, set(answer.verdicts)) == ("throttled", 9, {1})
    assert klaviyo.members == {"ada@example.com"}


def test_profiles_that_take_their_time_follow_in_another_call(klaviyo: Klaviyo) -> None:
    adapter = klaviyo.adapter()
    adapter._patience = 0
    answer = adapter.send(FEED, [ADA, BOB])
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.reason, set(answer.verdicts)) == ("throttled", "one_by_one", {1})
    assert klaviyo.members == {"ada@example.com"}


def test_a_200_without_a_profile_is_no_success(klaviyo: Klaviyo) -> None:
    klaviyo.faults.append(Fault(Answer(200, {})))
    refusal = klaviyo.adapter().send(FEED, [ADA]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("unavailable", "no_profile")


@pytest.mark.parametrize("identifier", ["phone_number", "external_id"])
def test_other_identities_are_attributes_of_their_own(klaviyo: Klaviyo, identifier: str) -> None:
    klaviyo.adapter(identifier=identifier).send(FEED, [change(1, "+493012345678")])
    assert list(klaviyo.profiles.values()) == [{identifier: "+493012345678"}]


def test_a_list_is_read_page_by_page_at_the_address_of_the_settings(klaviyo: Klaviyo) -> None:
    klaviyo.adapter().send(FEED, [change(number, f"p{number}@example.com") for number in range(1, 8)])
    klaviyo.page = 3
    assert set(klaviyo.adapter().members(FEED)) == klaviyo.members
    klaviyo.faults.append(busy())
    with pytest.raises(NotRead):
        list(klaviyo.adapter().members(FEED))


@pytest.mark.parametrize(
    ("identifier", "vendor_id", "expected"),
    [
        ("email", None, {"type": "profile", "attributes": {"email": "ada@example.com"}}),
        ("email", "01P1", {"type": "profile", "id": "01P1", "attributes": {}}),
        ("external_id", None, {"type": "profile", "id": "01P1", "attributes": {}}),
    ],
)
def test_an_erasure_asks_for_the_deletion_of_the_profile(
    klaviyo: Klaviyo, identifier: str, vendor_id: str | None, expected: object
) -> None:
    klaviyo.profiles["01P1"] = {"external_id": "ada@example.com"}
    answer = klaviyo.adapter(identifier=identifier).erase(FEED, change(1, "ada@example.com", vendor_id=vendor_id))
    assert answer.verdicts[1].outcome == "accepted"
    assert klaviyo.deleted == [expected]


def test_every_request_is_one_that_klaviyos_description_allows(klaviyo: Klaviyo) -> None:
    needed("klaviyo.json")
    adapter = klaviyo.adapter()
    adapter.check()
    sent = adapter.send(FEED, [ADA, BOB])
    adapter.send(FEED, [change(3, "ada@example.com", "left", vendor_id=sent.verdicts[1].vendor_id)])
    list(adapter.members(FEED))
    adapter.erase(FEED, ADA)
    assert klaviyo.refused == []


def test_a_list_that_cannot_be_looked_at_is_not_gone_and_a_400_takes_nobody_for_gone(klaviyo: Klaviyo) -> None:
    left = change(1, "ada@example.com", "left", vendor_id="01P1")
    klaviyo.faults.extend([Fault(Answer(404, {})), Fault(Answer(503, {}))])
    unsure = klaviyo.adapter().send(FEED, [left]).refusal
    klaviyo.faults.append(Fault(Answer(400, {})))
    refused = klaviyo.adapter().send(FEED, [left]).refusal
    assert [one and one.kind for one in (unsure, refused)] == ["unavailable", "batch"]
