"""The floor that `make bench` compares with still fits our tables. What it takes is for `make bench` to say."""

import pytest

from benchmarks import floor_postgresql, floor_sqlite
from benchmarks.pages import body
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
