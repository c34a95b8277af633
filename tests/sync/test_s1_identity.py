"""S1: who is who, however an id or a page number is spelled."""

import pytest

from tests.relay import Relay


@pytest.mark.parametrize("spelling", ["mixpanel_distinct_id", "distinct_id", "$distinct_id"])
def test_s1_p35_every_spelling_of_the_id_is_read(relay: Relay, spelling: str) -> None:
    relay.refresh([{spelling: "A"}])
    assert relay.members() == {"A"}


def test_s1_p35_the_first_spelling_that_holds_something_counts(relay: Relay) -> None:
    relay.refresh([{"mixpanel_distinct_id": "", "distinct_id": None, "$distinct_id": "A"}])
    assert relay.members() == {"A"}


def test_s1_the_three_spellings_name_one_person(relay: Relay) -> None:
    relay.refresh([{"mixpanel_distinct_id": "A"}], session="first")
    relay.refresh([{"$distinct_id": "A"}], session="second")
    assert relay.log() == [("entered", "A", 1)]


@pytest.mark.parametrize("number", [42, 42.0, "42"])
def test_s1_p34_a_number_and_its_text_are_one_person(relay: Relay, number: object) -> None:
    relay.refresh(["42"], session="first")
    relay.refresh([number], session="second")
    assert relay.log() == [("entered", "42", 1)]


def test_s1_p34_a_number_and_its_text_are_one_cohort_and_one_project(relay: Relay) -> None:
    relay.refresh(["A"], session="first", cohort=42, project=7)
    relay.refresh(["B"], session="second", cohort="42", project="7")
    assert relay.members("42", "7") == {"B"}


def test_s1_p34_a_number_and_its_text_are_one_session(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session=5)
    relay.refresh(["B"], 2, 2, session="5")
    assert relay.session()["number"] == 1
    assert relay.session()["status"] == "complete"


def test_s1_p34_page_numbers_may_be_text(relay: Relay) -> None:
    relay.refresh(["A"], "1", "2")
    relay.refresh(["B"], 2, 2)
    assert relay.session()["status"] == "complete"


def test_s1_p34_a_page_number_and_its_text_are_one_page(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.refresh(["A"], "1", "2")
    assert relay.session()["pages_received"] == 1


def test_s1_p27_a_member_without_an_email_keeps_its_id(relay: Relay) -> None:
    relay.refresh([{"mixpanel_distinct_id": "A", "first_name": "Ann"}])
    assert relay.members() == {"A"}
    assert relay.person("A")["email"] is None


def test_s1_an_id_may_look_like_anything(relay: Relay) -> None:
    ids = {"a/b c", "é", "🙂", "%00", "' OR 1=1 --", "NULL-ish", "$device:1", "x" * 255, "é" * 127}
    relay.refresh(ids)
    assert relay.members() == ids


def test_s1_ids_that_differ_in_case_or_space_are_different_people(relay: Relay) -> None:
    relay.refresh(["a", "A", " a", "a "])
    assert relay.members() == {"a", "A", " a", "a "}


def test_s1_projects_keep_their_people_apart(relay: Relay) -> None:
    relay.refresh([{"mixpanel_distinct_id": "A", "email": "one@example.org"}], project="1")
    relay.refresh([{"mixpanel_distinct_id": "A", "email": "two@example.org"}], project="2")
    assert relay.person("A", "1")["email"] == "one@example.org"
    assert relay.person("A", "2")["email"] == "two@example.org"
