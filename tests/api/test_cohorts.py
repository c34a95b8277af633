"""GET /cohorts and GET /projects/{project_id}/cohorts/{cohort_id}."""

import json
from typing import Any

import pytest

from blueprints.api import cohorts
from sync.apply.receive import receive
from sync.contract.page import parse
from tests.api.reading import every, read
from tests.relay import MINUTE, START, Relay, body

COHORT = "/projects/1/cohorts/7"


def test_a_cohort_says_what_is_known_of_it(relay: Relay) -> None:
    relay.refresh(["A", "B"], name="Paying users", description="who pay")
    assert read(relay, COHORT) == {
        "project_id": "1",
        "cohort_id": "7",
        "name": "Paying users",
        "description": "who pay",
        "member_count": 2,
        "first_synced_at": "2025-06-15T15:06:40.000Z",
        "last_synced_at": "2025-06-15T15:06:40.000Z",
        "status": "in_step",
        "version": relay.cohort()["version"],
    }


def test_the_list_holds_every_cohort_as_it_is_alone(relay: Relay) -> None:
    for number in range(5):
        relay.add(["A"], cohort=str(number), project="a b" if number % 2 else "é")
    listed = every(relay, "/cohorts", limit=2)
    assert [one["cohort_id"] for one in listed] == ["0", "1", "2", "3", "4"]
    assert listed == [read(relay, f"/projects/{one['project_id']}/cohorts/{one['cohort_id']}") for one in listed]


def test_without_cohorts_the_list_is_empty(relay: Relay) -> None:
    assert read(relay, "/cohorts") == {"data": [], "next": None}


def test_a_cohort_that_was_never_sent_is_404(relay: Relay) -> None:
    relay.add(["A"])
    for path in ("/projects/2/cohorts/7", "/projects/1/cohorts/8"):
        for call in ("", "/members", "/members/A", "/members.csv", "/members.ndjson", "/changes"):
            answer = relay.api(path + call)
            assert (answer.status_code, answer.json) == (
                404,
                {"error": {"message": "There is no such cohort.", "code": 404}},
            )


def test_the_cohort_is_never_synced_until_a_session_is_complete(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    found = read(relay, COHORT)
    assert (found["first_synced_at"], found["last_synced_at"], found["member_count"]) == (None, None, 1)


# --- status


def status(relay: Relay) -> str:
    (listed,) = every(relay, "/cohorts")
    assert listed["status"] == read(relay, COHORT)["status"]
    return str(listed["status"])


def test_a_refresh_under_way_shows_as_receiving(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    assert status(relay) == "receiving"
    relay.refresh(["B"], 2, 2)
    assert status(relay) == "in_step"


def test_an_unclear_refresh_shows_as_settling(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    assert status(relay) == "settling"


def test_a_silent_refresh_shows_as_stalled(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.wait(16 * MINUTE)
    assert status(relay) == "stalled"


def test_a_large_refresh_shows_as_sweeping(make_relay: Any) -> None:
    relay = make_relay(sweep_inline_members=0)
    relay.refresh(["A"])
    assert status(relay) == "sweeping"


def test_a_diff_under_way_shows_as_receiving(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.add(["B"], 1, 2, session="diff")
    assert status(relay) == "receiving"


def test_the_refresh_shows_and_not_the_diff_beside_it(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    relay.add(["B"], 1, 2, session="diff")
    assert status(relay) == "settling"


def test_s13_a_newer_refresh_ends_what_a_stalled_diff_shows(relay: Relay) -> None:
    relay.add(["B"], 1, 2, session="diff")
    relay.wait(16 * MINUTE)
    assert status(relay) == "stalled"
    relay.refresh(["B"], session="whole")
    assert status(relay) == "in_step"


def test_a_diff_that_is_done_hides_an_older_one_that_never_ended(relay: Relay) -> None:
    relay.add(["A"], 1, 2, session="lost")
    relay.add(["A", "B"], session="again")
    assert status(relay) == "in_step"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # PostgreSQL's plans follow its statistics
def test_the_status_of_200_cohorts_never_scans_the_sessions(relay: Relay) -> None:
    plan = relay.rows("EXPLAIN QUERY PLAN " + str(cohorts._ALL), after=0, limit=100)
    steps = [row["detail"] for row in plan if "sync_session" in row["detail"] or " s " in row["detail"] + " "]
    assert len(steps) == 2
    assert all(step.startswith("SEARCH s USING INDEX") for step in steps), steps


# --- P40


def counted(relay: Relay) -> tuple[int, int, int]:
    """The cohort's count, the length of its list, and entered minus left of its log."""
    kinds = [change["kind"] for change in every(relay, f"{COHORT}/changes")]
    members = every(relay, f"{COHORT}/members")
    return read(relay, COHORT)["member_count"], len(members), kinds.count("entered") - kinds.count("left")


def test_p40_the_count_equals_the_list_and_the_log_after_a_crash_in_mid_import(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="old")
    relay.refresh(["A", "D"], 1, 2, session="new")
    page = parse(json.dumps(body("members", ["E"], 2, 2, session="new")).encode())

    def crash(db: Any) -> None:
        receive(db, page, relay.rules, 1, START)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relay.database.write(crash)
    assert counted(relay) == (4, 4, 4)
    relay.refresh(["E"], 2, 2, session="new")
    assert counted(relay) == (3, 3, 3)
