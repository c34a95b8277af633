"""Lanes: in order, one at a time, and nobody is held back by what does not concern them."""

import random

import pytest

from config.clock import HOUR, MINUTE
from destinations import backfill, claiming, opening, sender, subscriptions
from destinations.contract import Answer, Refusal
from destinations.worker import run_once
from tests.destinations.conftest import Relaying


def test_a_paused_subscription_holds_back_no_other_one_of_its_destination(relaying: Relaying) -> None:
    for cohort in ("7", "8"):
        relaying.relay.refresh(["zoe"], cohort=cohort, session=f"s{cohort}")
    relaying.destination("hook")
    first, second = relaying.subscribe("hook"), relaying.subscribe("hook", cohort="8")
    for cohort in ("7", "8"):
        relaying.relay.add(["ada"], cohort=cohort, session=f"t{cohort}")
    relaying.plan()
    relaying.database.write(lambda db: subscriptions.pause(db, first, "later", relaying.now))
    relaying.send()
    assert relaying.counts(first) == {"waiting": 1}
    assert relaying.counts(second) == {"applied": 1}


def test_what_is_under_way_for_one_subscription_holds_the_same_person_of_another_one(relaying: Relaying) -> None:
    for cohort in ("7", "8"):
        relaying.relay.refresh(["ada"], cohort=cohort, session=f"s{cohort}")
    relaying.destination("hook")
    for cohort in ("7", "8"):
        relaying.subscribe("hook", cohort=cohort, start="present")
    relaying.plan()
    runtime, known = relaying.runtime, relaying.of("hook")
    claimed = relaying.database.write(lambda db: claiming.claim(db, runtime, known.id, 8))
    assert len(claimed.calls) == 1
    assert not relaying.database.write(lambda db: claiming.claim(db, runtime, known.id, 8)).calls


@pytest.mark.parametrize("kind", ["set", "table", "hook", "chat"])
def test_09_01_whatever_is_killed_a_hundred_times_nobody_is_lost_or_told_twice(relaying: Relaying, kind: str) -> None:
    dice, people = random.Random(7), [f"p{number}" for number in range(120)]
    relaying.relay.refresh(people)
    relaying.destination("crm", kind, **({"batch": 5} if kind in {"set", "table"} else {}))
    known = relaying.subscribe("crm", start="present")
    runtime, destination, there = relaying.runtime, relaying.of("crm"), relaying.there("crm")
    relaying.plan()
    for _ in range(100):  # between the attempt's commit and the call, or between the call and its verdict
        claimed = relaying.database.write(lambda db: claiming.claim(db, runtime, destination.id, 1))
        if dice.random() < 0.5:
            for call in claimed.calls:
                sender.make(opening.adapter(runtime, destination), call)
        if dice.random() < 0.5:
            relaying.relay.clock.forward(10 * MINUTE)
            relaying.send()
    for _ in range(3):
        relaying.work(HOUR // 3)
    counts = relaying.counts(known)
    assert not {"waiting", "sending", "dead"} & counts.keys()
    heard = [one[1] for one in there.heard]
    if kind == "chat":
        assert len(heard) == len(set(heard))
        assert len(people) - counts.get("uncertain", 0) <= len(heard) <= len(people)
    elif kind == "hook":
        assert len(heard) == len(set(heard))
        assert set(people) - set(heard) == set() or counts["uncertain"]
    else:
        assert there.members == set(people)


def test_09_09_what_happens_now_overtakes_a_backfill(relaying: Relaying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "STEP", 50)
    monkeypatch.setattr(backfill, "BACKLOG", 100)
    people = [f"p{number:03}" for number in range(300)]
    relaying.relay.refresh(people)
    relaying.destination("crm", "set", batch=20)
    known = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = lambda _changes: Answer(refusal=Refusal("throttled", "slow", "Slowly.", 1))
    relaying.work()
    assert relaying.subscription(known).counts["waiting"] <= 150  # the table stays small
    there.fault = None
    relaying.relay.add(["now"], session="s2")
    relaying.relay.remove(["p000", "p299"], session="s3")
    relaying.relay.clock.forward(MINUTE)
    relaying.plan()
    sender.send_once(relaying.runtime, relaying.of("crm").id)
    assert there.bodies[-1][0].identity == "now"
    run_once(relaying.runtime)
    assert there.members == {*people, "now"} - {"p000", "p299"}
    assert max(there.seen.values()) == 1


def test_the_counts_of_calls_and_the_attempts_agree(relaying: Relaying) -> None:
    relaying.relay.refresh([f"p{number}" for number in range(25)])
    relaying.destination("crm", "set", batch=10)
    relaying.subscribe("crm")
    relaying.work()
    rows = relaying.relay.rows("SELECT messages, verdict, ended_at FROM attempt ORDER BY id")
    assert [row["messages"] for row in rows] == [10, 10, 5]
    assert {row["verdict"] for row in rows} == {"applied"}
