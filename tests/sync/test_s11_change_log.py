"""S11: the change log."""

import threading

from tests.relay import MINUTE, Relay


def test_s11_every_entry_and_exit_is_one_row_with_its_cohort_person_entry_session_and_time(relay: Relay) -> None:
    relay.add(["A"], session="first")
    relay.clock.forward(MINUTE)
    relay.remove(["A"], session="second")
    rows = relay.rows("SELECT * FROM membership_change ORDER BY number")
    person = relay.person("A")["id"]
    entered, left = relay.session(1), relay.session(2)
    assert [tuple(row.values()) for row in rows] == [
        (relay.cohort()["id"], 1, person, True, 1, entered["id"], entered["started_at"], 0),
        (relay.cohort()["id"], 2, person, False, 1, left["id"], entered["started_at"] + MINUTE, 1),
    ]


def test_s11_the_log_is_numbered_without_gaps_within_a_cohort(relay: Relay) -> None:
    for number, members in enumerate((["A", "B"], ["B", "C"], [], ["A", "B", "C"])):
        relay.refresh(members, session=f"export {number}")
        relay.refresh(members, session=f"export {number}", cohort="8")
    for cohort in ("7", "8"):
        numbers = relay.rows(
            """SELECT x.number FROM membership_change x JOIN cohort c ON c.id = x.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort ORDER BY x.number""",
            cohort=cohort,
        )
        assert [row["number"] for row in numbers] == list(range(1, 10))
        assert relay.cohort(cohort)["change_count"] == 9


def test_s11_the_stays_of_a_person_can_be_followed_backwards(relay: Relay) -> None:
    for number in range(3):
        relay.add(["B", "A"], session=f"in {number}")
        relay.remove(["A"], session=f"out {number}")
    (last,) = relay.rows(
        "SELECT change_number FROM membership WHERE person_id = :person", person=relay.person("A")["id"]
    )
    changes = {row["number"]: row for row in relay.rows("SELECT * FROM membership_change")}
    number, stays = last["change_number"], []
    while number:
        stays.append((bool(changes[number]["entered"]), changes[number]["entry_number"]))
        number = changes[number]["previous"]
    assert stays == [(False, 3), (True, 3), (False, 2), (True, 2), (False, 1), (True, 1)]


def test_s11_p16_pages_of_one_cohort_at_once_are_serialised_and_none_is_refused(relay: Relay) -> None:
    relay.refresh(["seed"], session="first")
    start, statuses = threading.Barrier(4), []

    def sender(number: int) -> None:
        start.wait()
        statuses.extend(
            relay.post("add_members", [f"u{number} {page}", "shared"], page, 5, session=f"diff {number}").status_code
            for page in range(1, 6)
        )

    senders = [threading.Thread(target=sender, args=(number,)) for number in range(4)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    assert set(statuses) == {200}
    assert len(relay.log()) == len(relay.members()) == 22
    assert relay.cohort()["member_count"] == 22
