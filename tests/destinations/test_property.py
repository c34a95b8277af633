"""Whatever happens in whatever order: sets end equal to the cohort, streams hear of everything once or say that they do
not know, lanes keep their order, and counts add up."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from config.clock import HOUR, MINUTE, SECOND
from destinations import claiming, destinations, finishing, opening, replay, sender, subscriptions
from destinations.calls import Call
from destinations.claiming import Claimed
from destinations.contract import Answer, Change, Refusal, Verdict
from destinations.subscriptions import NewSubscription, Subscription
from erasure.erase import eraser
from erasure.records import DataSubject
from sync.apply.receive import receive
from sync.contract import page
from sync.rules import Rules
from tests import searches
from tests.destinations.conftest import Relaying
from tests.relay import body, member

EXAMPLES = searches.examples(1000, of_a_change=1000, at_a_desk=60)
PEOPLE, EMAILS = "abcde", ("x@example.com", "X@example.com", "y@example.com", "z@example.com")
RULES = Rules(guard_percent=0)
LONG = "5, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60"
AT_ONCE = 4  # calls that a destination takes

DESTINATIONS = (
    ("set", "set", {"identity": "email"}),
    ("table", "table", {"identity": "distinct_id"}),
    ("hook", "hook", {"start": "present"}),
    ("chat", "chat", {"start": "now"}),
)


@dataclass
class Faults:
    """What becomes of the next calls, by turns; then all goes well."""

    turns: list[str] = field(default_factory=list)

    def before(self, _changes: Sequence[Change]) -> Answer | None:
        turn = self.turns[0] if self.turns else "well"
        if turn in {"unavailable", "throttled"}:
            return Answer(refusal=Refusal(self.turns.pop(0), turn, turn, 7.0 if turn == "throttled" else None))
        if turn == "lost before":
            self.turns.pop(0)
            return Answer(refusal=Refusal("unknown", "cut", "cut"))
        return None

    def after(self, changes: Sequence[Change]) -> Answer | None:
        turn = self.turns.pop(0) if self.turns else "well"
        if turn == "lost after":
            return Answer(refusal=Refusal("unknown", "cut", "cut"))
        if turn == "in part":  # the last one is not spoken of
            return Answer({change.id: Verdict("applied") for change in changes[:-1]})
        return None


@dataclass
class Play:
    """One example: a company's cohort, four destinations, and what must hold of them."""

    relaying: Relaying
    members: set[str] = field(default_factory=set)
    emails: dict[str, str] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, str, int]] = field(default_factory=list)
    subscribed: dict[str, Subscription] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    expected: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sessions = count(1)
        self.faults = {name: Faults() for name, _, _ in DESTINATIONS}
        self.known = {known.id: known for known in self.relaying.database.read(destinations.listed)}
        self.ids = {known.name: known.id for known in self.known.values()}
        for name, _, _ in DESTINATIONS:
            there = self.relaying.there(name)
            there.fault, there.after = self.faults[name].before, self.faults[name].after
        self.adapters = {number: opening.adapter(self.relaying.runtime, known) for number, known in self.known.items()}

    def page(self, action: str, who: str, emails: Sequence[str]) -> None:
        self.relaying.relay.clock.forward(1)
        given = dict(zip(who, emails, strict=False))
        people = [member(one, **({"email": given[one]} if one in given else {})) for one in who]
        read = page.parse(json.dumps(body(action, people, session=str(next(self.sessions)))).encode())
        self.relaying.database.write(lambda db: receive(db, read, RULES, 1, self.relaying.now))
        if action != "remove_members":
            self.emails |= given
        self._follow(action, set(who))

    def _follow(self, action: str, who: set[str]) -> None:
        wanted = {"members": who, "add_members": self.members | who, "remove_members": self.members - who}[action]
        for one in sorted(wanted - self.members):
            self.entries[one] += 1
            self.log.append(("entered", one, self.entries[one]))
        self.log += [("left", one, self.entries[one]) for one in sorted(self.members - wanted)]
        self.members = wanted

    def subscribe(self) -> None:
        database, now = self.relaying.database, self.relaying.now
        for name, _, more in DESTINATIONS:
            draft = NewSubscription(name, "1", "7", guard_percent=0, **more)
            database.write(lambda db, draft=draft: subscriptions.add(db, draft, now))
        self.subscribed = self._standing()
        present = [("entered", one, self.entries[one]) for one in sorted(self.members)]
        self.expected = {name: present if known.start == "present" else [] for name, known in self.subscribed.items()}
        self.began = len(self.log)

    def _standing(self) -> dict[str, Subscription]:
        return {known.destination: known for known in self.relaying.database.read(subscriptions.listed)}

    def plan(self) -> None:
        self.relaying.plan()

    def work(self, forward: int) -> None:
        """Time passes, then all is planned and sent: in turns of several calls at once, as a worker's."""
        self.relaying.relay.clock.forward(forward)
        self.plan()
        self.relaying.recover()
        while sum(self._turns(number) for number in self.relaying.due()):
            pass

    def _turns(self, number: int) -> int:
        done: list[tuple[Call, Answer]] = []
        settled = 0
        while True:
            claimed = self._claim(number, done)
            settled += claimed.settled
            if not claimed.calls:
                return settled
            told = [change.identity for call in claimed.calls for change in call.changes]
            assert len(set(told)) == len(told), "two of a lane are under way"
            done = [(call, sender.make(self.adapters[number], call)) for call in claimed.calls]

    def _claim(self, number: int, done: list[tuple[Call, Answer]]) -> Claimed:
        """Write what calls have come to, and claim anew, in one transaction."""
        runtime = self.relaying.runtime

        def turn(db: Connection) -> Claimed:
            halves = finishing.finish(db, runtime, number, done) if done else []
            claimed = claiming.claim(db, runtime, number, AT_ONCE)
            claimed.calls = halves + claimed.calls
            return claimed

        return self.relaying.database.write(turn)

    def go_wrong(self, name: str, turns: list[str]) -> None:
        self.faults[name].turns += turns

    def kill(self, name: str, called: bool) -> None:
        """A worker claims, calls or not, and is never heard of again."""
        self.plan()
        for call in self._claim(self.ids[name], []).calls if called else []:
            sender.make(self.adapters[self.ids[name]], call)

    def pause(self, name: str, paused: bool) -> None:
        known, now = self.known[self.ids[name]], self.relaying.now
        if paused:
            self.relaying.database.write(lambda db: destinations.pause(db, known, "by hand", now))
        else:
            self.relaying.database.write(lambda db: destinations.resume(db, known, now))

    def erase(self, one: str) -> None:
        """Somebody is forgotten everywhere, and never told of again."""
        if self.entries[one]:
            eraser(self.relaying.runtime).erase(DataSubject("1", one), "tests")
            self.erased.add(one)

    def again(self, name: str) -> None:
        for state in ("dead", "uncertain"):
            replay.replay(self.relaying.database, self.subscribed[name], state, None, self.relaying.now)

    def end(self) -> None:
        """Everything is repaired, and time passes."""
        for name, faults in self.faults.items():
            faults.turns.clear()
            self.pause(name, paused=False)
        for _ in range(4):
            self.work(10 * MINUTE)
            if not self._is_under_way():
                break
        for name in ("set", "table"):
            self.again(name)
        self.work(MINUTE)
        self.work(MINUTE)

    def _is_under_way(self) -> bool:
        return any(known.counts["waiting"] or known.counts["sending"] for known in self._standing().values())

    def check(self) -> None:
        there = {name: self.relaying.there(name) for name in self.subscribed}
        wanted = self.members - self.erased
        assert there["table"].members == wanted
        assert there["set"].members == {self.emails[one].lower() for one in wanted if one in self.emails}
        told = self._told()
        for name in ("hook", "chat"):
            self._check_stream(name, [one[:3] for one in there[name].heard], told)
        assert all(number == 1 for number in there["chat"].seen.values())
        for name, known in self._standing().items():
            counts = {state: number for state, number in known.counts.items() if number}
            assert counts == Counter(row["state"] for row in told if row["subscription_id"] == known.id)
            assert not {"waiting", "sending"} & counts.keys(), (name, counts)

    def _told(self) -> list[dict[str, Any]]:
        return self.relaying.relay.rows(
            """SELECT m.subscription_id, m.state, m.kind, p.distinct_id, m.entry_number
            FROM message m JOIN person p ON p.id = m.person_id"""
        )

    def _check_stream(self, name: str, heard: list[tuple[str, str, int]], told: list[dict[str, Any]]) -> None:
        expected = self.expected[name] + self.log[self.began :]
        expected = [change for change in expected if change[1] not in self.erased]
        heard = [change for change in heard if change[1] not in self.erased]
        doubtful = Counter(
            (row["kind"], row["distinct_id"], row["entry_number"])
            for row in told
            if row["subscription_id"] == self.subscribed[name].id and row["state"] == "uncertain"
        )
        assert Counter(heard) <= Counter(expected)
        assert doubtful >= Counter(expected) - Counter(heard)
        for one in PEOPLE:
            order = [change for change in expected if change[1] == one]
            assert [change for change in heard if change[1] == one] == [change for change in order if change in heard]


who = st.frozensets(st.sampled_from(PEOPLE), max_size=4).map(lambda found: "".join(sorted(found)))
emails = st.lists(st.sampled_from(EMAILS), max_size=4)
names = st.sampled_from([name for name, _, _ in DESTINATIONS])
turns = st.lists(
    st.sampled_from(["well", "unavailable", "throttled", "lost before", "lost after", "in part"]), max_size=6
)
steps: Any = st.one_of(
    st.tuples(st.just("page"), st.sampled_from(["members", "add_members", "remove_members"]), who, emails),
    st.tuples(st.just("page"), st.sampled_from(["members", "add_members", "remove_members"]), who, emails),
    st.tuples(st.just("work"), st.sampled_from([0, SECOND, MINUTE, 20 * MINUTE, 2 * HOUR])),
    st.tuples(st.just("work"), st.sampled_from([0, SECOND, MINUTE])),
    st.tuples(st.just("plan")),
    st.tuples(st.just("go_wrong"), names, turns),
    st.tuples(st.just("kill"), names, st.booleans()),
    st.tuples(st.just("pause"), names, st.booleans()),
    st.tuples(st.just("erase"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("again"), st.sampled_from(["set", "table"])),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=st.lists(st.tuples(who, emails), max_size=2), after=st.lists(steps, min_size=3, max_size=14))
def test_whatever_happens_far_ends_end_as_they_should(
    relaying: Relaying, before: list[tuple[str, list[str]]], after: list[Any]
) -> None:
    if not relaying.database.read(destinations.listed):
        for name, kind, _ in DESTINATIONS:
            relaying.destination(name, kind, retry_seconds=LONG)
    relaying.unkept(lambda: play(Play(relaying), before, after))


def play(one: Play, before: list[tuple[str, list[str]]], after: list[Any]) -> None:
    one.page("members", "ab", [])
    for people, addresses in before:
        one.page("members", people, addresses)
    one.subscribe()
    for kind, *what in after:
        getattr(one, kind)(*what)
    one.end()
    one.check()
