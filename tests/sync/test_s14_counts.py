"""S14: the counts of a session are true set differences."""

from tests.relay import MINUTE, Relay


def counts(relay: Relay, number: int | None = None) -> dict[str, int]:
    session = relay.session(number)
    names = {"received": "received", "entered": "entered", "left": "left_count", "unchanged": "unchanged"}
    return {name: session[column] for name, column in names.items()} | {"rejected": session["rejected"]}


def test_s14_a_refresh_has_received_who_entered_who_stayed_and_who_was_rejected(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="first")
    relay.refresh(["B", "C", "D", "null"], 1, 2, session="second")
    relay.refresh(["E", "F"], 2, 2, session="second")
    assert counts(relay) == {"received": 6, "entered": 3, "left": 1, "unchanged": 2, "rejected": 1}


def test_s14_someone_on_two_pages_is_one_person(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.refresh(["A", "B"], 1, 2, session="second")
    relay.refresh(["A", "B", "C"], 2, 2, session="second")
    assert counts(relay) == {"received": 3, "entered": 2, "left": 0, "unchanged": 1, "rejected": 0}


def test_s14_someone_on_two_pages_of_a_diff_is_one_person(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.add(["A", "B"], 1, 2, session="second")
    relay.add(["A", "B", "C"], 2, 2, session="second")
    assert counts(relay) == {"received": 3, "entered": 2, "left": 0, "unchanged": 1, "rejected": 0}


def test_s14_also_where_a_newer_session_has_spoken_of_them_in_between(relay: Relay) -> None:
    relay.add(["A"], 1, 2, session="older")
    relay.remove(["A"], session="newer")
    relay.add(["A", "B"], 2, 2, session="older")
    assert counts(relay, 1) == {"received": 2, "entered": 2, "left": 0, "unchanged": 0, "rejected": 0}


def test_s14_a_diff_that_restarts_with_other_pages_counts_everybody_once(relay: Relay) -> None:
    relay.refresh(["A", "B", "C", "D"], session="first")
    relay.remove(["A", "B"], 1, 2, session="second")
    relay.remove(["A", "C", ""], 1, 2, session="second")
    relay.remove(["B", "Z"], 2, 2, session="second")
    assert counts(relay) == {"received": 5, "entered": 0, "left": 3, "unchanged": 1, "rejected": 1}


def test_s14_entered_and_left_are_the_sessions_rows_of_the_log(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")
    relay.refresh(["B", "C"], session="second", page=None)
    relay.add(["D"], session="third")
    relay.settle()
    session = relay.session(2)
    rows = relay.rows(
        "SELECT entered, number FROM membership_change WHERE session_id = :id ORDER BY number", id=session["id"]
    )
    assert [bool(row["entered"]) for row in rows] == [True, False]
    assert (session["first_change"], session["last_change"]) == (rows[0]["number"], rows[-1]["number"])


def test_s14_p23_replays_are_counted_as_replays_and_nothing_else(relay: Relay) -> None:
    relay.refresh(["A", "B"])
    before = counts(relay)
    for _ in range(3):
        relay.refresh(["A", "B"])
    assert counts(relay) == before
    assert relay.session()["replayed"] == 3


def test_s14_p39_counts_belong_to_one_session_and_are_never_reset(relay: Relay) -> None:
    relay.refresh(["A", "null"], session="first")
    first = counts(relay)
    relay.refresh(["A", "B"], session="second")
    relay.wait(60 * MINUTE)
    assert counts(relay, 1) == first


def test_s14_pages_have_counts_of_their_own(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.refresh(["A", "B", ""], 1, 2, session="second")
    relay.refresh(["C"], 2, 2, session="second")
    pages = relay.rows(
        "SELECT received, entered, unchanged, rejected FROM sync_page WHERE session_id = :id ORDER BY page",
        id=relay.session()["id"],
    )
    assert [tuple(page.values()) for page in pages] == [(3, 1, 1, 1), (1, 1, 0, 0)]
