"""GET /failures."""

from tests.api.reading import every, read
from tests.relay import MINUTE, Relay


def test_a_failure_says_what_was_answered_and_why(relay: Relay) -> None:
    relay.post("explode", ["A"])
    relay.clock.forward(1000)
    relay.post("explode", ["A"])
    (kept,) = relay.failures()
    assert read(relay, "/failures")["data"] == [
        {
            "id": kept["id"],
            "at": "2025-06-15T15:06:40.000Z",
            "last_at": "2025-06-15T15:06:41.000Z",
            "count": 2,
            "connection": "crm",
            "project_id": "1",
            "cohort_id": "7",
            "action": "explode",
            "status": 400,
            "cause": "unknown_action",
            "message": "action must be members, add_members or remove_members.",
            "request_id": kept["request_id"],
            "body_bytes": kept["body_bytes"],
        }
    ]


def test_failures_are_listed_newest_first_page_by_page(relay: Relay) -> None:
    for body in ("[]", "{", '{"action": 1}', "{}"):
        relay.post_raw(body)
        relay.clock.forward(2 * MINUTE)
    listed = every(relay, "/failures", limit=1)
    assert [one["id"] for one in listed] == [one["id"] for one in reversed(relay.failures())]
    assert len(listed) == 4


def test_without_failures_the_list_is_empty(relay: Relay) -> None:
    assert read(relay, "/failures") == {"data": [], "next": None}
