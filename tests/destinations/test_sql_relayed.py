"""The table of a company, told by the engine: equal to the cohort after whatever faults, refusals and replays."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from config.clock import HOUR
from destinations import destinations, registry, replay, subscriptions
from destinations.contract import Answer, Change, Feed, Refusal, Verdict
from destinations.destinations import NewDestination
from destinations.types.sql import SQL, SqlAdapter
from erasure.erase import eraser
from erasure.records import DataSubject
from tests.destinations.conftest import Relaying
from tests.destinations.far_end import FEED, opened
from tests.destinations.test_sql import closing_engine
from tests.relay import member

PEOPLE = [f"p{number}" for number in range(8)]
EMAILS = ["x@example.com", "y@example.com", "z@example.com", "w@example.com"]
FAULTS = ("well", "well", "unavailable", "lost before", "lost after", "rejected")


class Shaky(SqlAdapter):
    """The real table behind a connection that breaks, and a far end that refuses now and then."""

    faults: Callable[[], str] | None = None

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        fault = Shaky.faults() if Shaky.faults else "well"
        if fault == "unavailable":
            return Answer(refusal=Refusal("unavailable", "down", "down"))
        if fault == "lost before":
            return Answer(refusal=Refusal("unknown", "cut", "cut"))
        if fault in {"well", "lost after"}:
            answer = super().send(feed, changes)
            return answer if fault == "well" else Answer(refusal=Refusal("unknown", "cut", "cut"))
        return Answer({change.id: Verdict("rejected", fault, "no") for change in changes})


def faults_of(dice: random.Random) -> Callable[[], str]:
    return lambda: dice.choice(FAULTS)


@pytest.fixture
def shaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """The type `sql` with faults that a test switches on."""
    monkeypatch.setitem(registry.TYPES, "sql", replace(SQL, open=Shaky))
    monkeypatch.setattr(Shaky, "faults", None)


def there(url: str, cohort: str) -> set[str]:
    with closing(SqlAdapter(opened({"url": url}))) as table:
        return set(table.members(replace(FEED, project_id="1", cohort_id=cohort)))


@pytest.mark.usefixtures("shaky")
@pytest.mark.parametrize("seed", range(2))
def test_the_table_is_the_cohort_after_whatever_happened(relaying: Relaying, tmp_path: Path, seed: int) -> None:
    dice, url = random.Random(seed), f"sqlite:///{tmp_path}/their.db"
    members: dict[str, str] = {"p0": EMAILS[0]}
    relaying.relay.refresh([member("p0", email=EMAILS[0])])
    known = subscribed(relaying, url, identity="email")
    Shaky.faults = faults_of(dice)
    for step in range(20):
        who = {name: dice.choice(EMAILS) for name in dice.sample(PEOPLE, dice.randint(0, 5))}
        relaying.relay.refresh([member(name, email=email) for name, email in who.items()], session=f"s{step}")
        members = who
        relaying.work(dice.choice((0, 2000, HOUR)))
        if dice.random() < 0.3:
            replayed(relaying, known, dice.choice(("rejected", "dead")))
    Shaky.faults = None
    for _ in range(4):
        relaying.work(HOUR)
        for state in ("rejected", "dead", "uncertain"):
            replayed(relaying, known, state)
    relaying.work(HOUR)
    assert there(url, "7") == set(members.values())
    assert not set(relaying.counts(known)) & {"waiting", "sending", "uncertain"}


@pytest.mark.usefixtures("shaky")
def test_an_old_message_that_is_replayed_tells_the_present_and_does_not_seem_older_than_it(
    relaying: Relaying, tmp_path: Path
) -> None:
    """Her first entry and her last exit were refused; of the two only the entry is replayed."""
    url = f"sqlite:///{tmp_path}/their.db"
    known = subscribed(relaying, url)
    for session, (kind, refusal) in enumerate((("add", "a"), ("remove", ""), ("add", ""), ("remove", "b"))):
        Shaky.faults = partial(str, refusal) if refusal else None
        getattr(relaying.relay, kind)(["ada"], session=f"s{session}")
        relaying.work(HOUR)
    assert there(url, "7") == {"ada"}
    Shaky.faults = None
    replayed(relaying, known, "rejected", "a")
    assert there(url, "7") == set()


def test_nothing_of_somebody_who_was_erased_stays_in_the_table_of_positions(relaying: Relaying, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/their.db"
    relaying.relay.refresh(["ada", "bob"])
    subscribed(relaying, url)
    relaying.work()
    relaying.relay.remove(["ada"], session="s2")
    relaying.work()
    eraser(relaying.runtime).erase(DataSubject("1", "ada"), "tests")
    relaying.work(HOUR)
    with closing_engine(url) as db:
        kept = db.execute(text("SELECT identity FROM cohort_relay_position WHERE identity <> ''")).scalars()
        assert set(kept) == {"bob"}


@pytest.mark.parametrize("gone", ["ada", "bob"])
@pytest.mark.parametrize("erased", [True, False])
def test_a_row_that_two_share_is_in_the_words_of_whoever_is_left(
    relaying: Relaying, tmp_path: Path, gone: str, erased: bool
) -> None:
    url = f"sqlite:///{tmp_path}/their.db"
    people = [member(who, email="us@example.com", plan=f"plan of {who}") for who in ("ada", "bob")]
    relaying.relay.refresh(people)
    subscribed(relaying, url, identity="email", fields={"plan": "plan"})
    relaying.work()
    if erased:
        eraser(relaying.runtime).erase(DataSubject("1", gone), "tests")
    else:
        relaying.relay.remove([gone], session="s2")
    relaying.work(HOUR)
    left = "bob" if gone == "ada" else "ada"
    with closing_engine(url) as db:
        rows = db.execute(
            text("SELECT identity, distinct_id, fields FROM cohort_membership WHERE identity <> ''")
        ).all()
    assert [(row.identity, row.distinct_id, json.loads(row.fields)) for row in rows] == [
        ("us@example.com", left, {"plan": f"plan of {left}"})
    ]


def subscribed(relaying: Relaying, url: str, **more: Any) -> subscriptions.Subscription:
    """A subscription of the cohort to the table at this address."""
    if not relaying.relay.rows("SELECT 1 FROM cohort"):
        relaying.relay.refresh([])
    draft = NewDestination("table", "sql", {"url": url, "retry_seconds": "1, 1"}, {})
    relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relaying.now))
    return relaying.subscribe("table", guard_percent=0, **more)


def replayed(relaying: Relaying, known: subscriptions.Subscription, state: str, reason: str | None = None) -> None:
    replay.replay(relaying.database, relaying.subscription(known), state, reason, relaying.now)
    relaying.work()
