"""S12: names and descriptions."""

from typing import Any

from tests.relay import MINUTE, START, Relay


def former_labels(relay: Relay) -> list[tuple[str, str, int]]:
    rows = relay.rows("SELECT name, description, until FROM cohort_label ORDER BY until, session_number")
    return [(row["name"], row["description"], row["until"]) for row in rows]


def label(relay: Relay) -> tuple[Any, Any]:
    return relay.cohort()["name"], relay.cohort()["description"]


def test_s12_the_newest_sessions_label_shows(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Old", description="who were")
    relay.refresh(["A"], session="second", name="New", description="who are")
    assert label(relay) == ("New", "who are")


def test_s12_p36_a_rename_keeps_the_old_name_with_its_date(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Old")
    relay.clock.forward(MINUTE)
    relay.add([], session="second", name="New")
    relay.clock.forward(MINUTE)
    relay.add([], session="third", name="Newest")
    assert former_labels(relay) == [("Old", "who pay", START + MINUTE), ("New", "who pay", START + 2 * MINUTE)]


def test_s12_p36_the_description_is_not_overwritten_by_a_rename(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Old", description="who pay")
    relay.add([], session="second", name="New", description="who pay")
    assert label(relay) == ("New", "who pay")


def test_s12_a_changed_description_is_history_too(relay: Relay) -> None:
    relay.refresh(["A"], session="first", description="who pay")
    relay.add([], session="second", description="who paid")
    assert former_labels(relay) == [("Paying users", "who pay", START)]


def test_s12_the_same_label_again_is_no_history(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.refresh(["A"], session="second")
    assert former_labels(relay) == []


def test_s12_a_late_page_of_an_older_session_renames_nothing(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="older", name="Old")
    relay.add(["B"], session="newer", name="New")
    relay.refresh(["C"], 2, 2, session="older", name="Old")
    assert label(relay)[0] == "New"
    assert len(former_labels(relay)) == 1


def test_s12_a_call_without_a_label_keeps_the_one_that_we_know(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Known", description="who pay")
    relay.refresh(["A"], session="second", name=None, description=None)
    assert label(relay) == ("Known", "who pay")


def test_s12_an_empty_description_is_a_description(relay: Relay) -> None:
    relay.refresh(["A"], session="first", description="who pay")
    relay.refresh(["A"], session="second", description="")
    assert label(relay) == ("Paying users", "")


def test_s12_an_export_whose_own_pages_differ_leaves_the_label_before_it_in_the_history(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Old")
    relay.refresh(["A"], 1, 2, session="second", name="New")
    relay.refresh(["B"], 2, 2, session="second", name="Newest")
    assert label(relay)[0] == "Newest"
    assert former_labels(relay)[0][0] == "Old"


def test_s12_a_rename_is_a_new_version_for_readers(relay: Relay) -> None:
    relay.refresh(["A"], session="first", name="Old")
    before = relay.cohort()["version"]
    relay.refresh(["A"], session="second", name="New")
    assert relay.cohort()["version"] > before
