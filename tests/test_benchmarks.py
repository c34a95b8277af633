"""The floor that `make bench` compares with still fits our tables. What it takes is for `make bench` to say."""

import pytest

from benchmarks import floor_postgresql, floor_sqlite
from benchmarks.destinations.far_end import LISTED, LIVE
from benchmarks.pages import body
from benchmarks.scale import crowd, stored
from benchmarks.scale.stage import Stage
from tests.outbound.conftest import runtime_of
from tests.relay import Relay

FLOORS = {"sqlite": floor_sqlite.Floor, "postgresql": floor_postgresql.Floor}


@pytest.mark.parametrize("action", ["members", "add_members"])
def test_the_floor_writes_a_page_into_our_tables(relay: Relay, action: str) -> None:
    url = relay.database.writer.url.render_as_string(hide_password=False).replace("+psycopg", "")
    floor = FLOORS[relay.database.dialect](url)
    floor.page(body(action, "bench", "s1", 1, 2, ["a", "b"]))
    floor.page(body("remove_members", "bench", "s2", 1, 1, ["b"]))
    floor.close()
    assert relay.members("bench") == {"a"}
    assert relay.log("bench") == [("entered", "a", 1), ("entered", "b", 1), ("left", "b", 1)]


def test_the_crowd_that_bench_scale_sends_has_everybody_once_in_every_order() -> None:
    for turn in range(3):
        pages = list(crowd.shuffled(2500, turn))
        assert [len(page) for page in pages] == [1000, 1000, 500]
        assert sorted(one for page in pages for one in page) == list(range(2500))


def test_a_page_of_the_crowd_is_taken_by_the_webhook(relay: Relay) -> None:
    people = next(crowd.shuffled(1000))[:50]
    assert relay.post_raw(crowd.body("members", "big", "s1", 1, 1, people)).status_code == 200
    assert relay.members("big") == {crowd.distinct_id(one) for one in people}


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_crowd_that_is_put_in_by_copy_is_what_its_export_would_have_left(relay: Relay) -> None:
    url = relay.database.writer.url.render_as_string(hide_password=False).replace("+psycopg", "")
    stored.fill(Stage("postgresql", url, runtime_of(relay).settings.instance, runtime_of(relay)), 1500)
    assert relay.members("big") == {crowd.distinct_id(one) for one in range(1500)}
    people = next(crowd.shuffled(1500))
    assert relay.post_raw(crowd.body("members", "big", "second", 1, 2, people)).status_code == 200
    assert relay.session(2, "big")["unchanged"] == 1000


def test_the_far_end_finds_who_entered_among_those_of_a_call() -> None:
    listed = LISTED.search(b'{"ids":["a","live-12","b"]}')
    assert listed is not None
    assert LIVE.findall(listed[1]) == [b"live-12"]
