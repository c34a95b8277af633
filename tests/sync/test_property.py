"""Random traffic ends as the rules say: the engine on a real database against the model in plain Python."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import worker
from sync.apply.receive import receive
from sync.contract import page
from sync.rules import Rules
from sync.sweep import decisions
from tests import searches
from tests.relay import START, Relay, member
from tests.relay import body as webhook_body
from tests.sync import model

EXAMPLES = searches.examples(1000, of_a_change=300, at_a_desk=100)
MINUTE = 60_000
cohort_ids = count(1)


@dataclass(frozen=True)
class Export:
    """What Mixpanel means to send: pages of people (and of rejected members), numbered or without page_info."""

    action: str
    session: str | None
    connection: int
    numbered: bool
    pages: tuple[tuple[frozenset[str], int], ...]

    def body(self, place: int) -> model.Body:
        people, rejected = self.pages[place]
        return (people, rejected, place + 1, len(self.pages)) if self.numbered else (people, rejected, None, None)


FULL = Export("members", "s0", 1, numbered=True, pages=((frozenset("abc"), 0),))


@dataclass
class Traffic:
    """The exports of an example, and in which order their pages arrive and time passes. The cohort begins full."""

    exports: list[Export]
    steps: list[tuple[str, int, int]]
    inline: int
    percent: int
    least: int

    def events(self) -> Iterator[tuple[str, Any]]:
        """``("page", (export, place))``, ``("wait", milliseconds)`` and ``("decide", approved)``."""
        for kind, first, second in self.steps:
            export = self.exports[first % len(self.exports)]
            places = range(len(export.pages))
            held_back = second % len(places)
            if kind == "wait":
                yield "wait", (0, 20_000, 3 * MINUTE, 20 * MINUTE)[second % 4]
            elif kind == "decide":
                yield "decide", bool(second % 3)
            elif kind == "one":
                yield "page", (export, held_back)
            else:
                turned = [*places[held_back + 1 :], *places[:held_back]]  # "all but one": it may come later, or never
                turned = {"forwards": [held_back, *turned], "backwards": [held_back, *turned[::-1]]}.get(kind, turned)
                yield from (("page", (export, place)) for place in turned)


pages = st.tuples(st.frozensets(st.sampled_from("abcde"), max_size=3), st.sampled_from([0, 0, 0, 0, 1, 4]))
exports = st.builds(
    Export,
    action=st.sampled_from(["members", "members", "add_members", "remove_members", "remove_members"]),
    session=st.sampled_from(["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", None]),
    connection=st.sampled_from([1, 2]),
    numbered=st.sampled_from([True, True, True, True, False]),
    pages=st.sampled_from([1, 2, 2, 3]).flatmap(lambda count: st.tuples(*[pages] * count)),
)
kinds = st.sampled_from(
    ["one", "one", "one", "all but one", "all but one", "forwards", "forwards", "backwards", "wait", "decide"]
)
traffic = st.builds(
    Traffic,
    exports=st.lists(exports, min_size=3, max_size=6),
    steps=st.lists(st.tuples(kinds, st.integers(0, 5), st.integers(0, 5)), min_size=4, max_size=14),
    inline=st.sampled_from([0, 3, 1_000_000]),
    percent=st.sampled_from([0, 1, 30, 50]),
    least=st.sampled_from([1, 2, 3]),
)


@dataclass
class Play:
    """One example: the same traffic for the engine and for the model."""

    relay: Relay
    rules: Rules
    cohort: str = field(default_factory=lambda: str(next(cohort_ids)))
    now: int = START

    def __post_init__(self) -> None:
        guarded = (self.rules.guard_percent, self.rules.guard_min_members)
        self.model = model.Cohort(self.rules.settle, self.rules.sweep_inline, *guarded)

    def whole(self, traffic: Traffic) -> None:
        """Play it after a first full export, and compare the engine with the model."""
        self.page(FULL, 0)
        for kind, what in traffic.events():
            if kind == "wait":
                self.wait(what)
            elif kind == "decide":
                self.decide(what)
            else:
                self.page(*what)
        self.check()

    def page(self, export: Export, place: int) -> None:
        self.now += 1
        people, rejected, number, total = export.body(place)
        members = [member(person) for person in sorted(people)] + [member(" ")] * rejected
        sent = webhook_body(
            export.action, members, number, total, session=export.session, cohort=self.cohort, project=self.cohort
        )
        read = page.parse(json.dumps(sent).encode())
        self.relay.database.write(lambda db: receive(db, read, self.rules, export.connection, self.now))
        self.model.receive(export.action, export.session, export.body(place), self.now)

    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds + 1
        worker.run_once(self.relay.database, self.rules, lambda: self.now)
        self.model.work(self.now, self.rules.stalled)

    def decide(self, approved: bool) -> None:
        """The operator decides on the refresh that is held, or comes too late for the newest session."""
        self.now += 1
        newest = next((one for one in self.model.sessions if one.status == "held"), self.model.sessions[-1])
        session_id = self.stored()[newest.number - 1]["id"]
        if approved:
            said = self.relay.database.write(lambda db: decisions.approve(db, session_id, self.rules, self.now))
        else:
            said = self.relay.database.write(lambda db: decisions.reject(db, session_id, self.now))
        assert said == self.model.decide(newest, approved, self.now)

    def check(self) -> None:
        found = self.relay.cohort(self.cohort, self.cohort)
        assert self.relay.members(self.cohort, self.cohort) == self.model.members
        assert found["member_count"] == len(self.model.members)
        log = self.log()
        assert log == sorted(log, key=lambda change: change[0])
        assert sorted(log) == sorted(self.model.log)
        self.check_sessions()

    def log(self) -> list[tuple[int, str, str, int, int]]:
        rows = self.relay.rows(
            """SELECT x.at, x.entered, p.distinct_id, x.entry_number, s.number FROM membership_change x
            JOIN person p ON p.id = x.person_id JOIN sync_session s ON s.id = x.session_id
            JOIN cohort c ON c.id = x.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort ORDER BY x.number""",
            cohort=self.cohort,
        )
        kinds = {True: "entered", False: "left"}
        return [(r["at"], kinds[bool(r["entered"])], r["distinct_id"], r["entry_number"], r["number"]) for r in rows]

    def stored(self) -> list[dict[str, Any]]:
        return self.relay.rows(
            """SELECT s.* FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort ORDER BY s.number""",
            cohort=self.cohort,
        )

    def would_leave(self, session_id: int) -> set[str]:
        ids = self.relay.database.read(lambda db: decisions.would_leave(db, session_id, 0, 100))
        people = {row["id"]: row["distinct_id"] for row in self.relay.rows("SELECT id, distinct_id FROM person")}
        return {people[person_id] for person_id in ids}

    def check_sessions(self) -> None:
        stored = self.stored()
        assert [row["status"] for row in stored] == [session.status for session in self.model.sessions]
        assert [row["decision"] for row in stored] == [session.decision for session in self.model.sessions]
        for row, session in zip(stored, self.model.sessions, strict=True):
            if session.status == "held":
                assert self.would_leave(row["id"]) == self.model.may_leave(session)
                assert row["held_for"] == (session.doubt or "removals")
            exact = session.status in {"complete", "held"} and not session.late
            names = ["received", "entered", "left_count", "unchanged", "rejected", "replayed"]
            names = names if exact else ["entered", "left_count", "rejected", "replayed"]
            counts = self.model.counts(session)
            assert {name: row[name] for name in names} == {name: counts[name] for name in names}, session


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(traffic=traffic)
def test_random_traffic_ends_as_the_rules_say(relay: Relay, traffic: Traffic) -> None:
    play = Play(
        relay, Rules(sweep_inline=traffic.inline, guard_percent=traffic.percent, guard_min_members=traffic.least)
    )
    play.whole(traffic)
    play.wait(3 * MINUTE)
    play.check()
