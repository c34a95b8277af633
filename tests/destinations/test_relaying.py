"""What becomes of entries and exits: planned once, sent in order, and told as it is."""

from collections.abc import Sequence

import pytest

from config.clock import HOUR, MINUTE, SECOND
from destinations import destinations, messages, replay, subscriptions
from destinations.contract import Answer, Change, Refusal, Verdict
from tests.destinations.conftest import Relaying
from tests.relay import member


def refuse(kind, wait=None):
    return lambda _changes: Answer(refusal=Refusal(kind, kind, f"It was {kind}.", wait), status=500)


def test_an_edge_destination_is_told_of_each_entry_and_exit_once_and_in_order(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    known = relaying.subscribe("hook")
    relaying.relay.add(["bob"], session="s2")
    relaying.relay.remove(["ada"], session="s3")
    relaying.relay.add(["ada"], session="s4")
    relaying.work()
    assert [one[:3] for one in relaying.there("hook").heard] == [
        ("entered", "bob", 1),
        ("left", "ada", 1),
        ("entered", "ada", 2),
    ]
    relaying.work()
    assert relaying.counts(known) == {"applied": 3}


def test_a_level_destination_gets_who_is_in_then_the_changes(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    relaying.relay.remove(["ada"], session="s2")  # before the backfill has come to her
    relaying.relay.add(["cid"], session="s3")
    relaying.work()
    assert relaying.there("crm").members == {"bob", "cid"}
    assert relaying.subscription(known).status == "active"
    relaying.relay.remove(["bob"], session="s4")
    relaying.work()
    assert relaying.there("crm").members == {"cid"}
    assert relaying.counts(known) == {"applied": 3, "coalesced": 1}


def test_an_edge_destination_that_starts_with_who_is_in_hears_of_those_who_leave_meanwhile(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("hook")
    known = relaying.subscribe("hook", start="present")
    relaying.relay.remove(["ada"], session="s2")
    relaying.relay.add(["ada"], session="s3")
    relaying.work()
    assert sorted(one[:3] for one in relaying.there("hook").heard) == [
        ("entered", "ada", 1),
        ("entered", "ada", 2),
        ("entered", "bob", 1),
        ("left", "ada", 1),
    ]
    assert relaying.counts(known) == {"applied": 4}


def test_09_06_a_shared_identity_goes_when_the_last_of_two_leaves(relaying: Relaying) -> None:
    relaying.relay.refresh([member("ada", email="us@example.com"), member("bob", email="US@example.com")])
    relaying.destination("crm", "set")
    relaying.subscribe("crm", identity="email")
    relaying.work()
    assert relaying.there("crm").members == {"us@example.com"}
    relaying.relay.remove(["ada"], session="s2")
    relaying.work()
    assert relaying.there("crm").members == {"us@example.com"}
    relaying.relay.remove(["bob"], session="s3")
    relaying.work()
    assert relaying.there("crm").members == set()


def test_09_07_an_identity_that_changes_while_its_person_is_in_moves_once(relaying: Relaying) -> None:
    relaying.relay.refresh([member("ada", email="old@example.com")])
    relaying.destination("crm", "set")
    relaying.subscribe("crm", identity="email")
    relaying.work()
    relaying.relay.refresh([member("ada", email="new@example.com")], session="s2")
    relaying.work(MINUTE)
    relaying.work(MINUTE)
    assert relaying.there("crm").members == {"new@example.com"}
    assert sorted(one[:2] for one in relaying.there("crm").heard) == [
        ("entered", "new@example.com"),
        ("entered", "old@example.com"),
        ("left", "old@example.com"),
    ]


@pytest.mark.parametrize("kind", ["set", "hook"])
def test_09_08_whoever_has_no_identity_is_parked_and_told_of_once_when_it_comes(relaying: Relaying, kind: str) -> None:
    relaying.relay.refresh([member("ada")])
    relaying.destination("crm", kind)
    known = relaying.subscribe("crm", identity="email", start="present")
    relaying.work()
    assert relaying.counts(known) == {"parked": 1}
    relaying.relay.refresh([member("ada", email="ada@example.com")], session="s2")
    relaying.work(MINUTE)
    relaying.work(MINUTE)
    assert [one[:2] for one in relaying.there("crm").heard] == [("entered", "ada@example.com")]
    assert relaying.counts(known) == {"applied": 1}


@pytest.mark.parametrize("kind", ["set", "hook"])
def test_whoever_has_an_address_that_cannot_be_is_told_of_once_it_is_mended(relaying: Relaying, kind: str) -> None:
    relaying.relay.refresh([member("ada", email="ada at home"), member("bob", email="bob at home")])
    relaying.destination("crm", kind)
    known = relaying.subscribe("crm", identity="email", start="present")
    relaying.work()
    assert relaying.counts(known) == {"rejected": 2}
    relaying.relay.refresh([member("ada", email="ada@example.com")], session="s2")
    relaying.work(MINUTE)
    relaying.work(MINUTE)
    assert [one[:2] for one in relaying.there("crm").heard] == [("entered", "ada@example.com")]


def test_whoever_leaves_while_parked_is_never_told_of(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    known = relaying.subscribe("hook", identity="email", start="present")
    relaying.work()
    relaying.relay.remove(["ada"], session="s2")
    relaying.work()
    assert relaying.counts(known) == {"coalesced": 2}


def test_09_10_after_a_pause_a_set_hears_of_each_person_once_and_a_stream_of_everything(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    relaying.destination("hook")
    level, edge = relaying.subscribe("crm"), relaying.subscribe("hook")
    relaying.work()
    calls = len(relaying.there("crm").bodies)
    for known in (level, edge):
        relaying.database.write(lambda db, known=known: subscriptions.pause(db, known, "a week", relaying.now))
    for flip in range(50):
        relaying.relay.remove(["ada", "bob"], session=f"out {flip}")
        relaying.relay.add(["ada", "bob"] if flip < 49 else ["ada"], session=f"in {flip}")
    relaying.work(168 * HOUR)
    assert relaying.there("hook").heard == []
    for known in (level, edge):
        relaying.database.write(lambda db, known=known: subscriptions.resume(db, known))
    relaying.work()
    told = [change.identity for body in relaying.there("crm").bodies[calls:] for change in body]
    assert told == ["bob"]
    assert relaying.there("crm").members == {"ada"}
    assert len(relaying.there("hook").heard) == 199


@pytest.mark.parametrize(
    ("reentry", "pause", "heard"),
    [("each", 0, 3), ("once", HOUR, 1), ("cooloff:60", 59 * SECOND, 2), ("cooloff:60", 60 * SECOND, 3)],
)
def test_09_11_whoever_comes_again_is_told_of_by_the_rule(
    relaying: Relaying, reentry: str, pause: int, heard: int
) -> None:
    relaying.relay.refresh(["bob"])
    relaying.destination("hook")
    known = relaying.subscribe("hook", reentry=reentry)
    for number in range(3):
        relaying.relay.add(["ada"], session=f"in {number}")
        relaying.work()
        relaying.relay.remove(["ada"], session=f"out {number}")
        relaying.work(pause)
    entered = [one for one in relaying.there("hook").heard if one[0] == "entered"]
    assert len(entered) == heard
    assert relaying.counts(known).get("suppressed", 0) == 2 * (3 - heard)


def test_09_03_one_poisoned_change_among_many_is_found_in_few_calls(relaying: Relaying) -> None:
    people = [f"p{number}" for number in range(100)]
    relaying.relay.refresh(people)
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.poison, there.unindexed = {"p37"}, True
    relaying.work()
    assert relaying.counts(known) == {"applied": 99, "rejected": 1}
    assert len(there.bodies) <= 2 * 7 + 1
    assert there.members == set(people) - {"p37"}


def test_09_05_a_429_is_a_schedule_and_uses_up_no_attempt(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("crm", "set", retry_seconds="1")
    known = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = refuse("throttled", 90)
    for _ in range(5):
        relaying.work(100 * SECOND)
    assert len(there.bodies) == 5
    relaying.work(80 * SECOND)  # too early
    assert len(there.bodies) == 5
    there.fault = None
    relaying.work(20 * SECOND)
    assert there.members == {"ada"}
    assert relaying.counts(known) == {"applied": 1}
    (row,) = relaying.relay.rows("SELECT attempts FROM message")
    assert row["attempts"] == 1


def test_a_retryable_failure_holds_its_lane_only_and_ends_with_the_plan(relaying: Relaying) -> None:
    relaying.relay.refresh(["zoe"])
    relaying.destination("hook", retry_seconds="10, 20")
    known = relaying.subscribe("hook")
    there = relaying.there("hook")
    there.fault = lambda changes: refuse("unavailable")(changes) if changes[0].identity == "ada" else None
    relaying.relay.add(["ada", "bob"], session="s2")
    relaying.relay.remove(["ada"], session="s3")
    relaying.work()
    assert [one[:2] for one in there.heard] == [("entered", "bob")]
    relaying.work(13 * SECOND)
    relaying.work(25 * SECOND)
    assert relaying.counts(known) == {"applied": 1, "dead": 1, "waiting": 1}  # the lane goes on
    there.fault = None
    relaying.work(30 * SECOND)
    assert relaying.counts(known) == {"applied": 2, "dead": 1}


@pytest.mark.parametrize(
    ("kind", "state", "times"), [("set", "applied", 2), ("hook", "applied", 2), ("chat", "uncertain", 1)]
)
def test_09_01_a_lost_answer_is_repeated_where_that_is_safe(
    relaying: Relaying, kind: str, state: str, times: int
) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("crm", kind)
    known = relaying.subscribe("crm", start="present")
    there = relaying.there("crm")
    there.after = refuse("unknown")
    relaying.work()
    there.after = None
    relaying.work(MINUTE)
    assert relaying.counts(known) == {state: 1}
    assert len(there.bodies) == times
    assert len(there.heard) == 1 if kind == "hook" else True  # it recognises the key


def test_a_keyed_destination_is_not_told_again_after_its_window(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook", retry_seconds="10, 4000")
    known = relaying.subscribe("hook", start="present")
    relaying.there("hook").after = refuse("unknown")
    relaying.work()
    relaying.work(MINUTE)
    assert relaying.counts(known) == {"uncertain": 1}


def test_bad_credentials_pause_at_once_and_nobody_is_lost(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    known = relaying.destination("crm", "set")
    subscription = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = refuse("credentials")
    relaying.work()
    paused = relaying.of("crm")
    assert (paused.status, paused.cause) == ("paused", "credentials")
    assert relaying.subscription(subscription).status == "failing"
    there.fault = None
    relaying.work(HOUR)
    assert len(there.bodies) == 1
    relaying.database.write(lambda db: destinations.resume(db, known, relaying.now))
    relaying.work()
    assert there.members == {"ada"}


def test_a_destination_that_fails_for_long_pauses_is_probed_and_comes_back(relaying: Relaying) -> None:
    relaying.relay.refresh(["zoe"])
    relaying.destination("hook", retry_seconds="30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30")
    relaying.subscribe("hook")
    there = relaying.there("hook")
    there.fault = refuse("unavailable")
    relaying.relay.add(["ada", "bob"], session="s2")
    for _ in range(16):
        relaying.work(40 * SECOND)
    assert relaying.of("hook").cause == "failing"
    calls = len(there.bodies)
    relaying.work(MINUTE)
    assert len(there.bodies) == calls
    relaying.work(5 * MINUTE)
    assert len(there.bodies) == calls + 1  # one message tries
    there.fault = None
    relaying.work(6 * MINUTE)
    assert len(there.bodies) == calls + 1
    relaying.work(5 * MINUTE)
    relaying.work()
    assert relaying.of("hook").status == "active"
    assert sorted(one[:2] for one in there.heard) == [("entered", "ada"), ("entered", "bob")]


def test_09_12_the_second_guard_stops_a_removal_of_sixty_percent_until_somebody_decides(relaying: Relaying) -> None:
    from destinations import guard

    people = [f"p{number}" for number in range(50)]
    relaying.relay.refresh(people)
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    relaying.work()
    relaying.relay.remove(people[:30], session="s2")
    relaying.relay.add(["new"], session="s3")
    relaying.work()
    assert relaying.there("crm").members == {*people, "new"}
    assert relaying.subscription(known).held == 30
    assert relaying.counts(known) == {"applied": 51, "waiting": 30}
    relaying.database.write(lambda db: guard.approve(db, known, relaying.now))
    relaying.work()
    assert relaying.there("crm").members == {*people[30:], "new"}


def test_09_13_a_replay_after_the_person_left_never_adds_them(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set", retry_seconds="1")
    known = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = refuse("unavailable")
    relaying.work()
    relaying.work(2 * SECOND)
    assert relaying.counts(known) == {"dead": 2}
    there.fault = None
    relaying.relay.remove(["ada"], session="s2")
    relaying.work()
    assert relaying.database.read(lambda db: replay.count(db, known, "dead")) == 2
    assert replay.replay(relaying.database, known, "dead", "unavailable", relaying.now) == 2
    relaying.work()
    assert there.members == {"bob"}
    assert ("entered", "ada") not in [one[:2] for one in there.heard]


def test_a_replayed_edge_message_keeps_its_key_and_its_time(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    known = relaying.subscribe("hook", start="present")
    there = relaying.there("hook")
    there.fault = lambda changes: Answer({changes[0].id: Verdict("rejected", "no")})
    relaying.work()
    there.fault = None
    replay.replay(relaying.database, known, "rejected", "no", relaying.now)
    relaying.work(HOUR)
    (first,), (second,) = there.bodies
    assert (first.key, first.at) == (second.key, second.at)
    assert relaying.counts(known) == {"applied": 1}


def test_an_adapter_that_breaks_is_an_answer_that_nobody_knows(relaying: Relaying) -> None:
    def broken(changes: Sequence[Change]) -> Answer:
        raise RuntimeError("ada@example.com")

    relaying.relay.refresh(["ada"])
    relaying.destination("crm", "chat")
    known = relaying.subscribe("crm", start="present")
    relaying.there("crm").fault = broken
    relaying.work()
    assert relaying.counts(known) == {"uncertain": 1}
    (attempt,) = relaying.database.read(lambda db: messages.attempts(db, known))
    assert "example.com" not in str(attempt)
