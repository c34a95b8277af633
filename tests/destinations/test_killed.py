"""Workers that are killed at a hundred random moments, at far ends that are real servers: each class of "once" keeps
what it promises."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.clock import MINUTE
from destinations import destinations
from destinations.destinations import NewDestination
from destinations.subscriptions import Subscription
from destinations.worker import run_once
from tests.conftest import MakeRelay
from tests.destinations.conftest import Relaying
from tests.destinations.test_sql import engine
from tests.destinations.types.far_end_braze import Braze
from tests.destinations.types.far_ends import SECRET, Vendor
from tests.destinations.types.test_slack import HOOK, Slack
from tests.failing.server import ROOT, SECRET_KEY
from tests.mixpanel import Answer, Call
from tests.relay import member

pytestmark = pytest.mark.slow
KILLS, AMID_CALLS, MOST = 100, 20, 300
LONGEST = 0.2  # seconds that a worker lives; longer where the machine is too busy to have many die amid calls
PAGES = 3  # between two deaths
PEOPLE = [f"p{number}" for number in range(12)]
OFTEN = ", ".join(["1"] * 200)  # a message may be under way at many deaths
Told = tuple[str, str, int]  # kind, person, entry number


class Hook(Vendor):
    """A receiver of events that takes its time after it has heard."""

    def answer(self, _call: Call) -> Answer:
        return Answer(after=0.01)

    @property
    def heard(self) -> list[tuple[str, Told]]:
        """The id of each event, and what it told."""
        return [(call.headers["webhook-id"], _told(call.json)) for call in self.calls]


def _told(event: dict[str, Any]) -> Told:
    return event["type"].rpartition(".")[2], event["data"]["distinct_id"], event["data"]["entry_number"]


@dataclass
class Deaths:
    """A company's cohort at four destinations, one of each class, told by workers that die."""

    relaying: Relaying
    folder: Path
    hook: Hook
    braze: Braze
    slack: Slack
    dice: random.Random
    members: set[str] = field(default_factory=set)
    pages: int = 0
    known: dict[str, Subscription] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return f"sqlite:///{self.folder}/their.db"

    def connect(self) -> None:
        self.relaying.relay.refresh([])
        often = {"retry_seconds": OFTEN, "rate": 1000, "timeout_seconds": 5}
        for name, settings, secrets in (
            ("webhook", {"url": f"{self.hook.url}/hook"}, {}),
            ("braze", {"base_url": self.braze.url, "batch": 2}, {"api_key": SECRET}),
            ("slack", {"people": True}, {"webhook_url": f"{self.slack.url}{HOOK}"}),
            ("sql", {"url": self.table}, {}),
        ):
            draft = NewDestination(name, name, often | settings, secrets)
            self.relaying.database.write(
                lambda db, draft=draft: destinations.add(db, self.relaying.runtime.cipher, draft, self.relaying.now)
            )
            self.known[name] = self.relaying.subscribe(name, start="now", guard_percent=0)  # the guard would hold some

    def change(self) -> None:
        """Some come and go, a page each."""
        for who in self.dice.sample(PEOPLE, PAGES):
            self.pages += 1
            act = self.relaying.relay.remove if who in self.members else self.relaying.relay.add
            act([member(who)], session=f"page {self.pages}")
            self.members ^= {who}

    def under_way(self) -> int:
        (row,) = self.relaying.relay.rows("SELECT count(*) AS n FROM message WHERE state = 'sending'")
        return int(row["n"])

    @property
    def lost_an_answer(self) -> bool:
        """Whether the webhook was told something twice, because nobody was there to hear that it had come."""
        return len(self.hook.heard) > len(dict(self.hook.heard))

    def finish(self) -> None:
        """A worker that lives does the rest."""
        for _ in range(4):
            self.relaying.relay.clock.forward(10 * MINUTE)
            run_once(self.relaying.runtime)

    def log(self) -> list[tuple[int, Told]]:
        """What has happened: the session, and what is told of it."""
        rows = self.relaying.relay.rows(
            """SELECT c.session_id, c.entered, p.distinct_id, c.entry_number FROM membership_change c
            JOIN person p ON p.id = c.person_id ORDER BY c.number"""
        )
        return [
            (row["session_id"], ("entered" if row["entered"] else "left", row["distinct_id"], row["entry_number"]))
            for row in rows
        ]

    def in_state(self, name: str, state: str) -> set[tuple[int, str]]:
        """The session and kind of the messages in a state; a page of ours has one change."""
        rows = self.relaying.relay.rows(
            "SELECT session_id, kind FROM message WHERE subscription_id = :id AND state = :state",
            id=self.known[name].id,
            state=state,
        )
        return {(row["session_id"], row["kind"]) for row in rows}


@contextmanager
def dying(**environ: str) -> Iterator[Any]:
    """What starts a worker at a time and kills it after some seconds."""
    command = [sys.executable, "-m", "tests.destinations.dying"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def kill(now: int, seconds: float) -> None:
            process.stdin.write(f"{now} {seconds}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "dead\n"

        yield kill
        process.stdin.close()


@pytest.fixture
def deaths(make_relay: MakeRelay, tmp_path: Path) -> Iterator[Deaths]:
    with closing(Hook()) as hook, closing(Braze()) as braze, closing(Slack()) as slack:
        relaying = Relaying(make_relay(allow_private_destinations=True))
        yield Deaths(relaying, tmp_path, hook, braze, slack, random.Random(9))


def test_09_01_killed_a_hundred_times_each_class_of_once_keeps_its_promise(
    deaths: Deaths, database_url: str, tmp_path: Path
) -> None:
    ours = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    deaths.connect()
    kills = amid_calls = 0
    with dying(**ours, ALLOW_PRIVATE_DESTINATIONS="on", LOG_LEVEL="error") as kill:
        while kills < KILLS or amid_calls < AMID_CALLS or not deaths.lost_an_answer:
            assert kills < MOST, f"only {amid_calls} of {kills} died while a call was under way"
            deaths.change()
            kill(deaths.relaying.now, deaths.dice.uniform(0, LONGEST * (1 + 2 * (kills // KILLS))))
            kills, amid_calls = kills + 1, amid_calls + bool(deaths.under_way())
            deaths.relaying.relay.clock.forward(10 * MINUTE)  # the claims of the dead are over
    deaths.finish()
    for name, known in deaths.known.items():
        assert not {"waiting", "sending", "dead", "rejected"} & deaths.relaying.counts(known).keys(), name
    check_sets(deaths)
    check_keyed(deaths)
    check_at_most_once(deaths)


def check_sets(deaths: Deaths) -> None:
    """Classes A and T end equal to the cohort."""
    assert deaths.braze.members == deaths.members
    assert deaths.braze.refused == []
    entries = {who: entry for _, (_, who, entry) in deaths.log()}
    with engine(deaths.table).connect() as db:
        rows = db.exec_driver_sql("SELECT identity, entry_number FROM cohort_membership WHERE identity <> ''").all()
    assert dict(map(tuple, rows)) == {who: entries[who] for who in deaths.members}


def check_keyed(deaths: Deaths) -> None:
    """Class B is told of everything, in each person's order; whatever is told again has its id again."""
    expected = [told for _, told in deaths.log()]
    by_id = dict(deaths.hook.heard)
    assert len(set(deaths.hook.heard)) == len(by_id)  # an id never tells two things
    assert Counter(by_id.values()) == Counter(expected)
    assert len(deaths.hook.heard) > len(by_id), "no answer was lost, so nothing was shown"
    firsts = list(by_id.values())
    for who in PEOPLE:
        assert [told for told in firsts if told[1] == who] == [told for told in expected if told[1] == who]


def check_at_most_once(deaths: Deaths) -> None:
    """Class C hears of nothing twice; what is shown as applied was heard, and what was not heard is uncertain."""
    posted = Counter(
        (int(session), kind)
        for text in deaths.slack.posted
        for line in text.splitlines()
        if (session := "".join(re.findall(r"\(session (\d+)\)$", line)))
        for kind in re.findall(r"1 (entered|left)", line)
    )
    everything = {(session, told[0]) for session, told in deaths.log()}
    assert set(posted.values()) == {1}
    assert deaths.in_state("slack", "applied") <= set(posted)
    assert everything - set(posted) <= deaths.in_state("slack", "uncertain")
    assert deaths.in_state("slack", "applied") | deaths.in_state("slack", "uncertain") == everything
