"""The floor that `make bench` compares with still fits our tables. What it takes is for `make bench` to say."""

import pytest

from benchmarks import floor_postgresql, floor_sqlite
from benchmarks.pages import body
from benchmarks.scale import crowd
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
