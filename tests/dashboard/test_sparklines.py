"""The last days of every cohort, added up as time goes on, are what adding them up anew says."""

import random

from blueprints.dashboard.cohorts import history, sparklines
from config.clock import DAY, HOUR
from tests.relay import Relay


def test_what_is_added_up_as_it_comes_is_what_the_history_says(relay: Relay) -> None:
    chance = random.Random(7)
    for turn in range(60):
        cohort = str(chance.randrange(3))
        people = [f"p{chance.randrange(40)}" for _ in range(chance.randrange(5))]
        total = chance.choice((1, 1, 2))
        getattr(relay, chance.choice(("add", "remove")))(people, 1, total, cohort=cohort, session=f"s{turn}")
        if total == 2 and chance.random() < 0.5:
            relay.clock.forward(chance.randrange(30) * HOUR)
            relay.add(people[:1], 2, 2, cohort=cohort, session=f"s{turn}")
        relay.wait(chance.randrange(20) * HOUR)
        if turn % 5 == 0:
            agree(relay)


def agree(relay: Relay) -> None:
    now = relay.clock()
    sizes = {row["id"]: row["member_count"] for row in relay.rows("SELECT id, member_count FROM cohort")}
    found = relay.database.read(lambda db: sparklines.read(relay.database, db, sizes, now))
    counts = relay.database.read(lambda db: history.counts(db, list(sizes), history.start_of_days(now), DAY))
    for cohort, size in sizes.items():
        expected = [(day.size, day.entered, day.left) for day in history.days(counts[cohort], size, now)]
        assert [(day.size, day.entered, day.left) for day in found[cohort]] == expected


def test_a_cohort_that_nobody_asks_for_is_in_no_answer(relay: Relay) -> None:
    relay.add(["a"], cohort="1")
    relay.add(["b"], cohort="2")
    found = relay.database.read(lambda db: sparklines.read(relay.database, db, {2: 1}, relay.clock()))
    assert [(day.entered, day.size) for day in found[2]][-1] == (1, 1)
    assert list(found) == [2]
