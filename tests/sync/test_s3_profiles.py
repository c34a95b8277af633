"""S3: what a page says of a person."""

import json
from typing import Any

import pytest

from tests.relay import MINUTE, Relay, member
from tests.sync.statements import watched, writes_to

ANN = {"email": "ann@example.org", "first_name": "Ann", "last_name": "Lee", "phone_number": "+15550100"}


def test_s3_the_four_fields_are_columns_and_all_other_keys_properties(relay: Relay) -> None:
    relay.refresh([member("A", **ANN, plan="pro", seats=3, tags=["x", {"y": None}])])
    person = relay.person("A")
    assert {field: person[field] for field in ANN} == ANN
    assert person["properties"] == {"plan": "pro", "seats": 3, "tags": ["x", {"y": None}]}


def test_s3_custom_properties_are_flattened(relay: Relay) -> None:
    relay.refresh([member("A", plan="free", customProperties={"plan": "pro", "seats": 3})])
    assert relay.person("A")["properties"] == {"plan": "pro", "seats": 3}


@pytest.mark.parametrize("spelling", ["mixpanel_distinct_id", "distinct_id", "$distinct_id"])
def test_s3_the_id_is_no_property(relay: Relay, spelling: str) -> None:
    relay.refresh([{spelling: "A", "plan": "pro"}])
    assert relay.person("A")["properties"] == {"plan": "pro"}


def test_s3_keys_in_the_payload_overwrite(relay: Relay) -> None:
    relay.refresh([member("A", **ANN, plan="free")], session="first")
    relay.refresh([member("A", email="ann@new.example", plan="pro")], session="second")
    assert relay.person("A")["email"] == "ann@new.example"
    assert relay.person("A")["properties"] == {"plan": "pro"}


def test_s3_absent_keys_stay_because_cohorts_export_different_properties(relay: Relay) -> None:
    relay.refresh([member("A", **ANN, plan="pro")], cohort="7")
    relay.refresh([member("A", city="Oslo")], cohort="8")
    person = relay.person("A")
    assert {field: person[field] for field in ANN} == ANN
    assert person["properties"] == {"plan": "pro", "city": "Oslo"}


def test_s3_null_overwrites(relay: Relay) -> None:
    relay.refresh([member("A", **ANN, plan="pro")], session="first")
    relay.refresh([member("A", email=None, plan=None)], session="second")
    person = relay.person("A")
    assert (person["email"], person["first_name"]) == (None, "Ann")
    assert person["properties"] == {"plan": None}


def test_s3_two_cohorts_that_disagree_leave_the_last_word_standing(relay: Relay) -> None:
    for round_number in range(2):
        relay.refresh([member("A", plan="free")], cohort="7", session=f"seven {round_number}")
        relay.refresh([member("A", plan="pro")], cohort="8", session=f"eight {round_number}")
        assert relay.person("A")["properties"] == {"plan": "pro"}


def test_s3_nul_characters_are_dropped_from_values(relay: Relay) -> None:
    relay.refresh([member("A", email="a\0nn@example.org", note="x\0y", nested={"k\0": ["\0"]})])
    assert relay.person("A")["email"] == "ann@example.org"
    assert relay.person("A")["properties"] == {"note": "xy", "nested": {"k": [""]}}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ('"\\ud800"', "?"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("9" * 5000, None),
        ("0.1", 0.1),
        ('"\\ud83d\\ude42"', "🙂"),
    ],
)
def test_s3_a_value_that_no_database_keeps_costs_the_value_and_not_the_member(
    relay: Relay, written: str, kept: Any
) -> None:
    page = json.dumps({"action": "members", "parameters": {"mixpanel_project_id": "1", "mixpanel_cohort_id": "7"}})
    members = f'"members": [{{"mixpanel_distinct_id": "A", "odd": {written}}}]'
    assert relay.post_raw(page.replace('"mixpanel_cohort_id"', members + ', "mixpanel_cohort_id"')).status_code == 200
    assert relay.person("A")["properties"] == {"odd": kept}


@pytest.mark.parametrize("levels", [90, 400, 900])
@pytest.mark.parametrize("beside", ["", "\0"])
def test_s3_a_deeply_nested_value_fails_no_page(relay: Relay, levels: int, beside: str) -> None:
    deep: Any = "bottom"
    for _ in range(levels):
        deep = [deep]
    relay.refresh([member("A", deep=deep, beside=beside)])
    assert relay.members() == {"A"}


def test_s3_a_field_that_is_no_text_is_kept_as_its_json(relay: Relay) -> None:
    relay.refresh([member("A", phone_number=5550100, first_name=["Ann"])])
    person = relay.person("A")
    assert (person["phone_number"], person["first_name"]) == ("5550100", '["Ann"]')


@pytest.mark.parametrize("again", [[member("A", **ANN, plan="pro")], [member("A", plan="pro", **ANN)], [member("A")]])
def test_s3_a_person_whose_data_did_not_change_costs_no_write(relay: Relay, again: list[dict[str, Any]]) -> None:
    relay.refresh([member("A", **ANN, plan="pro")], session="first")
    before = relay.person("A")
    relay.clock.forward(MINUTE)
    with watched(relay) as statements:
        relay.refresh(again, session="second")
    assert writes_to("person", statements) == []
    assert relay.person("A") == before


def test_s3_a_changed_person_is_dated(relay: Relay) -> None:
    relay.refresh([member("A", plan="free")], session="first")
    relay.clock.forward(MINUTE)
    relay.refresh([member("A", plan="pro")], session="second")
    person = relay.person("A")
    assert person["updated_at"] - person["created_at"] == MINUTE


def test_s3_a_removal_touches_no_profile(relay: Relay) -> None:
    relay.refresh([member("A", **ANN, plan="pro")], session="first")
    before = relay.person("A")
    relay.clock.forward(MINUTE)
    relay.remove([member("A", email="wrong@example.org", plan="free")], session="second")
    assert relay.person("A") == before


def test_s3_p24_a_removal_removes_the_membership_and_never_the_person(relay: Relay) -> None:
    relay.refresh(["A"], cohort="7")
    relay.refresh(["A"], cohort="8")
    relay.remove(["A"], cohort="7", session="diff")
    assert relay.members("7") == set()
    assert relay.members("8") == {"A"}
    assert relay.person("A")["distinct_id"] == "A"


def test_s3_the_profile_of_someone_whom_only_a_removal_has_named_comes_later(relay: Relay) -> None:
    relay.remove(["A"], session="first")
    relay.add([member("A", **ANN)], session="second")
    assert relay.person("A")["email"] == "ann@example.org"
