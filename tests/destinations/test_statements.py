"""The receive path does not feel destinations: a page costs the same statements with none and with a hundred."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from destinations import level
from tests.destinations.conftest import Relaying
from tests.sync.test_statements import watched


def test_a_page_costs_the_same_with_a_hundred_subscriptions(relaying: Relaying) -> None:
    relay = relaying.relay

    def page(number: int) -> list[str]:
        with watched(relay) as statements:
            relay.refresh([f"p{number}-{one}" for one in range(20)], session=f"s{number}")
        return list(statements)

    relay.refresh(["ada"])
    page(1)
    before = page(2)
    for number in range(100):
        relaying.destination(f"hook{number}")
        relaying.subscribe(f"hook{number}")
    assert page(3) == before


@pytest.mark.parametrize("dialect", ["postgresql"])  # SQLite only probes
@pytest.mark.parametrize("statement", [level._HOLDERS, level._PLACED, level._HELD_ANYWHERE])
def test_a_new_subscription_is_asked_by_the_index_though_no_statistics_know_it(
    relaying: Relaying, statement: dict[str, Any]
) -> None:
    relay = relaying.relay
    relay.refresh([f"p{one}" for one in range(500)])
    for name in ("known", "new"):
        relaying.destination(name, "table")
        known = relaying.subscribe(name)
        relaying.work()
        if name == "known":
            relaying.database.write(lambda db: db.execute(text("ANALYZE holder, placement, subscription")))
    values = {"subscription": known.id, "destination": known.destination_id, "identities": '["p1", "p2"]'}
    plan = str(relay.rows(f"EXPLAIN {statement['postgresql']}", **values))
    assert "Join Filter" not in plan
    assert re.search("Index Cond[^}]* = .{0,30}value", plan)
