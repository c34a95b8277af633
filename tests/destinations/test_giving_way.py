"""Whoever was in already is told of with rests while Mixpanel sends, and without any while it does not."""

from threading import Event, Thread

from destinations.giving_way import LONGEST, PAGES_WITHIN, REST, GivingWay
from destinations.worker import Worker
from tests.destinations.conftest import Relaying
from tests.failing.server import wait_until


def rests_of(relaying: Relaying) -> tuple[GivingWay, list[float]]:
    rests: list[float] = []
    return GivingWay(relaying.runtime, rests.append), rests


def test_a_step_rests_for_a_multiple_of_its_time_while_pages_arrive(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    way, rests = rests_of(relaying)
    way.rest(0.01)
    assert rests == [REST * 0.01]


def test_no_step_rests_for_long_whatever_it_waited_for(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    way, rests = rests_of(relaying)
    way.rest(60)
    assert rests == [LONGEST]


def test_nothing_rests_before_the_first_page_and_a_while_after_the_last(relaying: Relaying) -> None:
    way, rests = rests_of(relaying)
    way.rest(0.01)
    relaying.relay.refresh(["ada"])
    relaying.relay.clock.forward(PAGES_WITHIN)
    way.rest(0.01)
    assert rests == []


def test_a_backfill_rests_beside_pages_and_comes_to_its_end(relaying: Relaying) -> None:
    relaying.relay.refresh([f"p{number}" for number in range(300)])
    relaying.destination("hook")
    relaying.subscribe("hook", start="present")
    way, rests = rests_of(relaying)
    stop = Event()
    thread = Thread(target=Worker(relaying.runtime, stop, way).run)
    thread.start()
    try:
        wait_until(lambda: len(relaying.there("hook").heard) == 300, 30, "the backfill's end")
    finally:
        stop.set()
        thread.join(10)
    assert rests
