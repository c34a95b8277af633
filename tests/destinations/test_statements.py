"""The receive path does not feel destinations: a page costs the same statements with none and with a hundred."""

import re

from sqlalchemy import text

from destinations import calls, erasure, finishing, guard, lanes, level, reentry, worker
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


ASKED = {
    "who holds an identity": (level._HOLDERS, "identity"),
    "what is known of an identity": (level._PLACED, "identity"),
    "what waits of a lane": (lanes._BESIDE, "lane"),
    "which entries were suppressed": (reentry._SUPPRESSED, "person_id"),
    "which messages are ours": (finishing._OURS, "id|rowid"),
    "who the people are": (calls._DISTINCT_IDS, "id|rowid"),
    "whose removal is held": (guard._BACK, "person_id"),
    "what an erasure puts off": (erasure._PUT_OFF, "lane"),
}


def test_a_new_subscription_is_asked_by_the_index_though_no_statistics_know_it(relaying: Relaying) -> None:
    relay, dialect = relaying.relay, relaying.database.dialect
    # So many that no plan reads all of a table, also where a vacuum has counted its pages.
    relay.refresh([f"p{one}" for one in range(2000)])
    for name in ("known", "new"):
        relaying.destination(name, "table")
        known = relaying.subscribe(name)
        relaying.work()
        if name == "known" and dialect == "postgresql":
            relaying.database.write(lambda db: db.execute(text("ANALYZE holder, placement, subscription, message")))
    lists = dict.fromkeys(("lanes", "people", "ids"), "[1, 2]") | {"identities": '["p1", "p2"]'}
    values = {"subscription": known.id, "id": known.id, "destination": known.destination_id} | lists
    values |= {"attempt": 1, "now": 1, "due": 1}
    for what, (statement, column) in ASKED.items():
        sql = statement[dialect].text
        explain = "EXPLAIN" if dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        asked = {name: values[name] for name in re.findall(r"(?<!:):(\w+)", sql)}
        plan = str(relay.rows(f"{explain} {sql}", **asked))
        assert BY_INDEX[dialect](plan, column), f"{what}: {plan}"


def _postgresql(plan: str, column: str) -> bool:
    probed = re.search(f"Index Cond[^}}]*{column.split('|', maxsplit=1)[0]} = (.{{0,30}}value|m\\.)", plan)
    return "Join Filter" not in plan and probed is not None


def _sqlite(plan: str, column: str) -> bool:
    return re.search(rf"SEARCH \w+ USING [^']*\b({column})=\?", plan) is not None


BY_INDEX = {"postgresql": _postgresql, "sqlite": _sqlite}


def test_of_all_that_waits_one_message_is_looked_at_to_find_what_is_due(relaying: Relaying) -> None:
    dialect = relaying.database.dialect
    explain, wanted = ("EXPLAIN", "Limit") if dialect == "postgresql" else ("EXPLAIN QUERY PLAN", "SEARCH m")
    asked = {"now": 1, "destination": 1, "priority": 0, "after": 0}
    for due in (worker._DUE, lanes._DUE):
        plan = str(relaying.relay.rows(f"{explain} {due.text}", **asked))
        assert wanted in plan, plan
