"""Destinations go as a whole, after what waits was sent or at once."""

import pytest

from destinations import destinations, removal, subscriptions
from tests.destinations.conftest import Relaying


def remove(relaying: Relaying, name: str, *, drain: bool) -> None:
    known = relaying.of(name)

    def work(db: object) -> None:
        for subscription in subscriptions.listed(db, known):
            subscriptions.remove(db, subscription, drain=drain)
        destinations.remove(db, known, relaying.now)

    relaying.database.write(work)


def go_on(relaying: Relaying) -> None:
    for _ in range(50):
        relaying.send()
        if not removal.go_on(relaying.runtime):
            return


@pytest.mark.parametrize(("drain", "members"), [(True, set()), (False, {"ada", "bob"})])
def test_a_set_is_emptied_of_whom_we_added_or_left_as_it_is(relaying: Relaying, drain: bool, members: set[str]) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    relaying.subscribe("crm")
    relaying.work()
    relaying.there("crm").members.add("theirs")
    remove(relaying, "crm", drain=drain)
    go_on(relaying)
    assert relaying.there("crm").members == {*members, "theirs"}
    tables = ("destination", "subscription", "subscription_counts", "message", "attempt", "holder", "placement")
    assert {table: relaying.relay.rows(f"SELECT * FROM {table}") for table in tables} == {table: [] for table in tables}


def test_a_stream_hears_what_waits_and_nothing_new(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    relaying.subscribe("hook", start="present")
    relaying.plan()
    remove(relaying, "hook", drain=True)
    relaying.relay.add(["bob"], session="s2")
    relaying.plan()
    go_on(relaying)
    assert [one[1] for one in relaying.there("hook").heard] == ["ada"]
    assert relaying.database.read(destinations.listed) == []
