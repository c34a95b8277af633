"""Threads: every destination is told as fast as it allows, whatever becomes of the others."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from destinations.budget import Budget, item
from destinations.contract import Answer, Refusal
from destinations.worker import Worker, run_once
from tests.destinations.conftest import Relaying
from tests.failing.server import wait_until


@contextmanager
def working(relaying: Relaying) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Worker(relaying.runtime, stop).run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_what_a_page_brings_is_told_within_a_moment(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    known = relaying.subscribe("hook")
    with working(relaying):
        relaying.relay.add([f"p{number}" for number in range(30)], session="s2")
        began = time.monotonic()
        wait_until(lambda: len(relaying.there("hook").heard) == 30, 20, "they are told")
        assert time.monotonic() - began < 5
    assert relaying.counts(known) == {"applied": 30}
    assert relaying.there("hook").most_in_flight == 1  # of an identity


def test_a_destination_that_hangs_holds_nobody_else(relaying: Relaying) -> None:
    released = threading.Event()

    def hang(_changes: object) -> Answer | None:
        released.wait(20)
        return None

    relaying.relay.refresh(["ada"])
    relaying.destination("slow", "set", KEY="the slow one's")  # with one key they would share what it allows
    relaying.destination("fast", "set", KEY="the fast one's")
    slow, fast = relaying.subscribe("slow", start="now"), relaying.subscribe("fast", start="now")
    relaying.there("slow").fault = hang
    with working(relaying):
        relaying.relay.add([f"p{number}" for number in range(20)], session="s2")
        wait_until(lambda: len(relaying.there("fast").heard) == 20, 20, "they are told")
        assert relaying.there("slow").heard == []
        released.set()
        wait_until(lambda: len(relaying.there("slow").heard) == 20, 20, "they are told")
    assert relaying.counts(slow) == relaying.counts(fast) == {"applied": 20}


def test_no_more_calls_run_at_once_than_a_destination_allows(relaying: Relaying) -> None:
    running, most, lock = [], [], threading.Lock()

    def slow(_changes: object) -> Answer | None:
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.02)
        with lock:
            running.pop()
        return None

    relaying.relay.refresh(["ada"])
    relaying.destination("hook", concurrency=2)
    relaying.subscribe("hook")
    relaying.there("hook").fault = slow
    with working(relaying), working(relaying):  # of two processes
        relaying.relay.add([f"p{number}" for number in range(20)], session="s2")
        wait_until(lambda: len(relaying.there("hook").heard) == 20, 20, "they are told")
    assert max(most) == 2


def test_calls_under_way_when_the_worker_stops_are_written(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("chat", "chat")
    known = relaying.subscribe("chat", start="present")
    began = threading.Event()

    def slow(_changes: object) -> Answer | None:
        began.set()
        time.sleep(0.3)
        return None

    relaying.there("chat").fault = slow
    with working(relaying):
        assert began.wait(10)
    assert relaying.counts(known) == {"applied": 1}


def test_a_batch_that_is_refused_is_cut_in_halves_by_threads_too(relaying: Relaying) -> None:
    people = [f"p{number}" for number in range(60)]
    relaying.relay.refresh(people)
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    relaying.there("crm").poison, relaying.there("crm").unindexed = {"p7", "p33"}, True
    with working(relaying):
        wait_until(lambda: relaying.subscription(known).counts["applied"] == 58, 20, "they are told")
    assert relaying.counts(known) == {"applied": 58, "rejected": 2}


def test_one_round_does_everything_that_is_due(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    relaying.destination("down")
    relaying.there("down").fault = lambda _changes: Answer(refusal=Refusal("unavailable", "down", "It is down."))
    level, edge = relaying.subscribe("crm"), relaying.subscribe("down", start="present")
    run_once(relaying.runtime)
    assert relaying.counts(level) == {"applied": 2}
    assert relaying.counts(edge) == {"waiting": 2}


@pytest.mark.parametrize(("rate", "calls", "seconds"), [(3, 3, 1), (0.5, 1, 2), (2.5, 25, 10)])
def test_a_budget_is_whole_calls_in_whole_seconds(rate: float, calls: int, seconds: int) -> None:
    assert (item(rate).amount, item(rate).get_expiry()) == (calls, seconds)


def test_a_budget_counts_what_begins() -> None:
    budget = Budget()
    assert budget.left("k", 3, 10) == 3
    budget.spend("k", 3, 2)
    assert budget.left("k", 3, 10) == 1
    assert budget.left("other", 3, 10) == 3
    assert budget.left("k", 100_000, 10) == 10


def test_what_breaks_for_one_destination_leaves_the_others_alone(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("gone")
    relaying.destination("hook")
    relaying.subscribe("gone", start="present")
    known = relaying.subscribe("hook", start="present")
    relaying.database.write(lambda db: db.exec_driver_sql("UPDATE destination SET type = 'fax' WHERE name = 'gone'"))
    run_once(relaying.runtime)
    assert relaying.counts(known) == {"applied": 1}
    with working(relaying):
        relaying.relay.add(["bob"], session="s2")
        wait_until(lambda: len(relaying.there("hook").heard) == 2, 20, "they are told")
