"""GET /people/{project_id}/{distinct_id}."""

from tests.api.reading import read, refusal
from tests.relay import MINUTE, Relay, member


def test_a_person_is_the_profile_and_every_stay_in_every_cohort(relay: Relay) -> None:
    relay.add([member("A", email="a@example.com", plan="pro")], cohort="7", name="Paying", session="1")
    relay.clock.forward(MINUTE)
    relay.add(["A"], cohort="8", name="Lively", session="2")
    relay.clock.forward(MINUTE)
    relay.remove(["A"], cohort="7", name="Paying", session="3")
    relay.clock.forward(MINUTE)
    relay.add(["A"], cohort="7", name="Paid", session="4")
    one, two, three, four = (row["id"] for row in relay.rows("SELECT id FROM sync_session ORDER BY id"))
    times = [f"2025-06-15T15:0{minute}:40.000Z" for minute in (6, 7, 8, 9)]
    stay = {"project_id": "1", "left_at": None, "left_session_id": None}
    paid, lively = {"cohort_id": "7", "cohort_name": "Paid"}, {"cohort_id": "8", "cohort_name": "Lively"}
    ended = {"left_at": times[2], "left_session_id": three}
    assert read(relay, "/people/1/A") == {
        "project_id": "1",
        "distinct_id": "A",
        "email": "a@example.com",
        "first_name": None,
        "last_name": None,
        "phone_number": None,
        "properties": {"plan": "pro"},
        "stays": [
            {**stay, **paid, "entry_number": 1, "entered_at": times[0], "entered_session_id": one, **ended},
            {**stay, **lively, "entry_number": 1, "entered_at": times[1], "entered_session_id": two},
            {**stay, **paid, "entry_number": 2, "entered_at": times[3], "entered_session_id": four},
        ],
    }


def test_p25_each_return_is_a_stay_with_the_next_number(relay: Relay) -> None:
    for number in range(5):
        relay.add(["A"], session=f"in {number}")
        relay.clock.forward(MINUTE)
        relay.remove(["A"], session=f"out {number}")
    stays = read(relay, "/people/1/A")["stays"]
    assert [stay["entry_number"] for stay in stays] == [1, 2, 3, 4, 5]
    assert all(stay["entered_at"] < stay["left_at"] for stay in stays)


def test_p24_who_has_left_every_cohort_is_still_known(relay: Relay) -> None:
    relay.add([member("A", email="a@example.com")])
    relay.remove(["A"])
    assert read(relay, "/people/1/A")["email"] == "a@example.com"


def test_the_same_id_in_another_project_is_another_person(relay: Relay) -> None:
    relay.add([member("A", email="one@example.com")], project="1")
    relay.add([member("A", email="two@example.com")], project="2")
    found = read(relay, "/people/2/A")
    assert (found["email"], [stay["project_id"] for stay in found["stays"]]) == ("two@example.com", ["2"])


def test_whom_only_a_removal_has_named_is_404(relay: Relay) -> None:
    relay.remove(["A"])
    assert refusal(relay, "/people/1/A") == (404, "There is no such person.")


def test_who_was_removed_before_being_added_is_found(relay: Relay) -> None:
    relay.remove(["A"], session="1")
    relay.add(["A"], session="2")
    assert [stay["entry_number"] for stay in read(relay, "/people/1/A")["stays"]] == [1]


def test_who_was_never_named_is_404(relay: Relay) -> None:
    relay.add(["A"])
    for path in ("/people/1/B", "/people/2/A", "/people/1/A%00", "/people/%00/A"):
        assert refusal(relay, path)[0] == 404


def test_a_person_costs_the_same_statements_however_many_cohorts_and_stays(relay: Relay) -> None:
    from sqlalchemy import event

    for cohort in range(6):
        for number in range(3):
            relay.add(["A"], cohort=str(cohort), session=f"in {number}")
            relay.remove(["A"], cohort=str(cohort), session=f"out {number}")
    statements: list[str] = []
    event.listen(relay.database.reader, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert len(read(relay, "/people/1/A")["stays"]) == 18
    assert len([one for one in statements if "FROM" in one and "api_token" not in one]) == 2
