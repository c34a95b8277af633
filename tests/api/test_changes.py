"""GET …/changes: the log, and the promise that its reader never misses a row."""

import random

from tests.api.reading import every, read, refusal
from tests.relay import MINUTE, Relay

CHANGES = "/projects/1/cohorts/7/changes"


def replayed(changes: list[dict[str, object]]) -> set[str]:
    """The set that a reader has who does what the changes say; nobody may enter or leave twice in a row."""
    members: set[str] = set()
    for change in changes:
        person = str(change["distinct_id"])
        assert (change["kind"] == "entered") == (person not in members)
        (members.add if change["kind"] == "entered" else members.remove)(person)
    return members


def test_changes_are_entries_and_exits_in_order(relay: Relay) -> None:
    relay.refresh(["A", "B"])
    relay.clock.forward(MINUTE)
    relay.remove(["A"], session="later")
    first, later = (row["id"] for row in relay.rows("SELECT id FROM sync_session ORDER BY id"))
    start, after = "2025-06-15T15:06:40.000Z", "2025-06-15T15:07:40.000Z"
    assert read(relay, CHANGES)["data"] == [
        {"id": 1, "kind": "entered", "distinct_id": "A", "entry_number": 1, "session_id": first, "at": start},
        {"id": 2, "kind": "entered", "distinct_id": "B", "entry_number": 1, "session_id": first, "at": start},
        {"id": 3, "kind": "left", "distinct_id": "A", "entry_number": 1, "session_id": later, "at": after},
    ]


def test_the_session_of_a_change_can_be_looked_up(relay: Relay) -> None:
    relay.add(["A"], session="from mixpanel")
    (change,) = every(relay, CHANGES)
    assert read(relay, f"/sessions/{change['session_id']}")["session_id"] == "from mixpanel"


def test_s11_changes_replay_to_the_set_whatever_the_size_of_the_pages(relay: Relay) -> None:
    dice = random.Random(7)
    people = [f"user {number}" for number in range(30)]
    for number in range(25):
        action = dice.choice([relay.refresh, relay.add, relay.remove])
        action(dice.sample(people, dice.randrange(20)), session=str(number))
    for limit in (1, 3, 1000):
        changes = every(relay, CHANGES, limit=limit)
        assert [change["id"] for change in changes] == list(range(1, len(changes) + 1))
        assert replayed(changes) == relay.members()


def test_the_next_cursor_is_there_also_when_nothing_has_happened(relay: Relay) -> None:
    relay.add([])
    empty = read(relay, CHANGES)
    assert (empty["data"], isinstance(empty["next"], str)) == ([], True)
    assert read(relay, CHANGES, after=empty["next"]) == empty


def test_a_reader_who_comes_back_gets_what_is_new_and_nothing_twice(relay: Relay) -> None:
    cursor, seen = "", []
    for number in range(6):
        relay.add([f"a{number}", f"b{number}"], session=f"add {number}")
        relay.remove([f"a{number}"], session=f"remove {number}")
        page = read(relay, CHANGES, after=cursor, limit=2)  # slower than the changes come
        cursor, seen = page["next"], seen + page["data"]
    seen += every(relay, CHANGES, after=cursor)
    assert [change["id"] for change in seen] == list(range(1, 19))
    assert replayed(seen) == relay.members()


def test_a_reader_may_come_back_with_the_last_change_that_it_has_dealt_with(relay: Relay) -> None:
    relay.add(["A", "B", "C"])
    second = read(relay, CHANGES)["data"][1]
    assert [change["id"] for change in every(relay, CHANGES, after=second["id"])] == [3]


def test_cohorts_count_their_changes_by_themselves(relay: Relay) -> None:
    relay.add(["A", "B"], cohort="8")
    relay.add(["A"], cohort="7")
    assert [change["id"] for change in every(relay, CHANGES)] == [1]


def test_a_cursor_that_this_cohort_never_gave_is_refused(relay: Relay) -> None:
    relay.add(["A"])
    message = "after must be the next of an earlier answer about this cohort."
    for after in ("x", "-1", "1.5", "9" * 19, "9" * 400, "\0", "٣", "2"):
        assert refusal(relay, CHANGES, after=after) == (400, message)
