"""GET /sessions and GET /sessions/{id}."""

from typing import Any

import pytest

from sync import worker
from sync.status.progress import missing_ranges
from tests.api.reading import every, read, refusal
from tests.relay import MINUTE, Relay

DAY = 24 * 60 * MINUTE


def newest(relay: Relay) -> dict[str, Any]:
    found: dict[str, Any] = read(relay, f"/sessions/{read(relay, '/sessions', limit=1)['data'][0]['id']}")
    return found


def test_a_session_has_mixpanels_ids_and_true_counts(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="before")
    relay.clock.forward(MINUTE)
    relay.refresh(["A", "C", None], 1, 2, session="s/1")
    relay.refresh(["A", "C", None], 1, 2, session="s/1")
    relay.clock.forward(MINUTE)
    relay.refresh(["D"], 2, 2, session="s/1")
    assert read(relay, "/sessions")["data"][0] == {
        "id": relay.session()["id"],
        "project_id": "1",
        "cohort_id": "7",
        "session_id": "s/1",
        "action": "members",
        "status": "complete",
        "total_pages": 2,
        "pages_received": 2,
        "received": 4,
        "entered": 2,
        "left": 1,
        "unchanged": 1,
        "rejected": 1,
        "replayed": 1,
        "started_at": "2025-06-15T15:07:40.000Z",
        "last_page_at": "2025-06-15T15:08:40.000Z",
        "completed_at": "2025-06-15T15:08:40.000Z",
    }


def test_a_session_without_mixpanels_id_has_null(relay: Relay) -> None:
    relay.add(["A"], session=None)
    assert read(relay, "/sessions")["data"][0]["session_id"] is None


# --- the list


def fill(relay: Relay) -> None:
    for number in range(4):
        for project, cohort in (("1", "7"), ("1", "8"), ("2", "7")):
            relay.add(["A"], session=str(number), cohort=cohort, project=project)
    relay.refresh(["A"], 1, 2, session="begun", cohort="8")


def test_sessions_are_listed_newest_first(relay: Relay) -> None:
    fill(relay)
    for limit in (1, 4, 1000):
        ids = [one["id"] for one in every(relay, "/sessions", limit=limit)]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 13


FILTERS = [
    ({"project_id": "1"}, 9),
    ({"cohort_id": "7"}, 8),
    ({"project_id": "1", "cohort_id": "8"}, 5),
    ({"status": "receiving"}, 1),
    ({"status": "complete"}, 12),
    ({"status": "stalled"}, 0),
    ({"project_id": "1", "cohort_id": "8", "status": "complete"}, 4),
    ({"project_id": "2", "cohort_id": "8"}, 0),
    ({"project_id": "", "cohort_id": ""}, 13),
]


def test_filters_narrow_the_list_and_pages_go_through_all_of_it(relay: Relay) -> None:
    fill(relay)
    everyone = every(relay, "/sessions")
    for filters, count in FILTERS:
        found = every(relay, "/sessions", limit=2, **filters)
        wanted = {name: value for name, value in filters.items() if value}
        assert found == [one for one in everyone if wanted.items() <= one.items()]
        assert len(found) == count


def test_a_filter_that_cannot_be_is_refused_by_name(relay: Relay) -> None:
    for name, value in (("status", "done"), ("status", ""), ("project_id", "\0"), ("cohort_id", "a\0")):
        status, message = refusal(relay, "/sessions", **{name: value})
        assert status == 400
        assert message.startswith(f"{name} must be ")


def test_a_cursor_of_one_cohorts_sessions_is_refused_for_all(relay: Relay) -> None:
    fill(relay)
    cursor = read(relay, "/sessions", project_id="1", cohort_id="7", limit=1)["next"]
    assert refusal(relay, "/sessions", cursor=cursor)[0] == 400


# --- one session


def test_a_session_shows_each_page(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="before")
    relay.clock.forward(MINUTE)
    relay.refresh(["A", "C", "null", None], 2, 3)
    relay.refresh(["A", "C", "null", None], 2, 3)
    assert newest(relay)["pages"] == [
        {
            "page": 2,
            "received": 4,
            "entered": 1,
            "left": 0,
            "unchanged": 1,
            "rejected": 2,
            "replays": 1,
            "received_at": "2025-06-15T15:07:40.000Z",
            "applied": True,
            "rejected_members": newest(relay)["pages"][0]["rejected_members"],
        }
    ]


def test_p15_rejected_members_are_shown_with_their_reasons(relay: Relay) -> None:
    relay.add(["A", "null", "x" * 300])
    (page,) = newest(relay)["pages"]
    assert [one["reason"] for one in page["rejected_members"]] == ["illegal", "too_long"]
    assert page["rejected_members"][0]["value"] == '"null"'


def test_pages_are_in_order_and_those_without_a_number_come_last(relay: Relay) -> None:
    relay.refresh(["C"], page=None)
    relay.clock.forward(1000)
    relay.refresh(["D"], page=None)
    relay.refresh(["B"], 2, 3)
    relay.refresh(["A"], 1, 3)
    pages = newest(relay)["pages"]
    assert [page["page"] for page in pages] == [1, 2, None, None]
    assert pages[2]["received_at"] < pages[3]["received_at"]


def test_s9_a_late_page_of_an_overtaken_refresh_is_shown_as_not_applied(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="old")
    relay.refresh(["B"], session="new")
    relay.refresh(["C"], 2, 2, session="old")
    old = read(relay, f"/sessions/{relay.session(1)['id']}")
    assert (old["status"], [page["applied"] for page in old["pages"]]) == ("superseded", [True, False])


def test_missing_pages_are_ranges(relay: Relay) -> None:
    for page in (2, 3, 7):
        relay.refresh([str(page + 100)], page, 9)
    assert newest(relay)["missing_pages"] == [[1, 1], [4, 6], [8, 9]]


def test_two_billion_missing_pages_are_one_range(relay: Relay) -> None:
    relay.refresh(["A"], 5, 2**31 - 1)
    assert newest(relay)["missing_pages"] == [[1, 4], [6, 2**31 - 1]]


def test_nothing_is_missing_of_a_complete_session_or_of_one_of_unknown_length(relay: Relay) -> None:
    relay.refresh(["A"], session="complete")
    assert newest(relay)["missing_pages"] == []
    relay.refresh(["A"], page=None, session="unknown")
    assert newest(relay)["missing_pages"] == []


def test_pages_that_were_removed_after_their_time_are_not_called_missing(relay: Relay) -> None:
    relay.refresh(["A"], 1, 3, session="given up")
    relay.refresh(["A"], session="complete")
    relay.refresh(["A"], session="newest")
    relay.clock.forward(90 * DAY)
    assert worker.prune(relay.database, 30, 30, relay.clock()) > 0
    given_up, complete = (read(relay, f"/sessions/{relay.session(number)['id']}") for number in (1, 2))
    assert (given_up["pages"], given_up["missing_pages"]) == ([], None)
    assert (complete["pages"], complete["missing_pages"]) == ([], [])


@pytest.mark.parametrize(
    ("here", "total", "missing"),
    [
        ([], 3, [(1, 3)]),
        ([1, 2, 3], 3, []),
        ([2], 3, [(1, 1), (3, 3)]),
        ([1, 3, 5], 5, [(2, 2), (4, 4)]),
        ([1, 5, 9], 4, [(2, 4)]),
        ([1, 4, 9], 4, [(2, 3)]),
    ],
)
def test_gaps(here: list[int], total: int, missing: list[tuple[int, int]]) -> None:
    assert missing_ranges(here, total) == missing


def test_a_session_that_is_not_there_is_404(relay: Relay) -> None:
    relay.add(["A"])
    for number in ("0", "999", str(2**63 - 1), str(2**63), "9" * 60, "-1", "x", "1.5"):
        assert refusal(relay, f"/sessions/{number}")[0] == 404
