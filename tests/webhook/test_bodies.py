"""Exactly the bodies that are documented or were seen, byte for byte, end in the right sets."""

import json
from pathlib import Path

import pytest

from tests.relay import MINUTE, START, Relay

BODIES = Path(__file__).parent / "bodies"


def read(name: str) -> bytes:
    return (BODIES / f"{name}.json").read_bytes()


def test_p14_the_payload_of_mixpanels_documentation(relay: Relay) -> None:
    answer = relay.post_raw(read("documented"))
    assert (answer.status_code, answer.json) == (200, {"action": "members", "status": "success"})
    assert relay.members("{mixpanel_cohort_id}", "{mixpanel_project_id}") == {"string"}
    assert relay.person("string", "{mixpanel_project_id}")["phone_number"] == "xxx-xxx-xxxxx"
    session = relay.session(cohort="{mixpanel_cohort_id}")
    assert (session["status"], session["total_pages"], session["pages_received"]) == ("receiving", 10, 1)


def test_p14_the_payload_of_the_foldspace_document_at_its_path(relay: Relay) -> None:
    answer = relay.post_raw(read("foldspace"), path="/v1/mixpanel/cohort/sync")
    assert (answer.status_code, answer.json) == (200, {"action": "members", "status": "success"})
    assert relay.members("1234567", "1234567") == {"abcdef123456"}
    person = relay.person("abcdef123456", "1234567")
    named = (person["email"], person["first_name"], person["last_name"], person["phone_number"])
    assert named == ("user@company.com", "John", "Doe", "+1234567890")
    assert person["properties"] == {"additionalProperty": {}}
    assert relay.cohort("1234567", "1234567")["name"] == "Last seen in the past week"


def test_p14_p6_a_payload_without_page_info_and_description_settles(relay: Relay) -> None:
    assert relay.post_raw(read("without_page_info")).status_code == 200
    relay.settle()
    assert relay.members("5012345", "2012345") == {"ann.lee@example.org", "bo.ray@example.org"}
    assert relay.session(cohort="5012345")["status"] == "complete"
    assert relay.cohort("5012345", "2012345")["description"] == ""
    assert relay.person("ann.lee@example.org", "2012345")["properties"]["$os"] == "Android"


def test_p14_the_same_payload_with_its_members_beside_the_parameters(relay: Relay) -> None:
    sent = json.loads(read("without_page_info"))
    sent["members"] = sent["parameters"].pop("members")
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    relay.settle()
    assert relay.members("5012345", "2012345") == {"ann.lee@example.org", "bo.ray@example.org"}


@pytest.mark.parametrize("session", ["one for both", "one each"])
def test_the_timeline_of_mixpanels_documentation(relay: Relay, session: str) -> None:
    """T: A, B, C and D are in the cohort. T+30 min: E and F have joined, B and D have left. T+1 h: no changes."""
    cycles = [
        (["A", "B", "C", "D"], [], {"A", "B", "C", "D"}),
        (["E", "F"], ["B", "D"], {"A", "C", "E", "F"}),
        ([], [], {"A", "C", "E", "F"}),
    ]
    for number, (added, removed, members) in enumerate(cycles):
        ids = [f"{number}", f"{number}"] if session == "one for both" else [f"add {number}", f"remove {number}"]
        relay.add(added, session=ids[0])
        relay.remove(removed, session=ids[1])
        assert relay.members() == members
        assert relay.cohort()["last_synced_at"] == START + number * 30 * MINUTE
        relay.clock.forward(30 * MINUTE)
    assert relay.log() == [
        *(("entered", person, 1) for person in "ABCDEF"),
        ("left", "B", 1),
        ("left", "D", 1),
    ]
