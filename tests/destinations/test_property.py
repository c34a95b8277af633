"""Whatever happens in whatever order: sets end equal to the cohort, streams hear of everything once or say that they do
not know, lanes keep their order, and counts add up."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.clock import HOUR, MINUTE, SECOND
from destinations import claiming, destinations, opening, replay, sender, subscriptions
from destinations.contract import Answer, Change, Refusal, Verdict
from destinations.subscriptions import NewSubscription, Subscription
from erasure.erase import eraser
from erasure.records import DataSubject
from sync.apply.receive import receive
from sync.contract import page
from sync.rules import Rules
from tests.destinations.conftest import Relaying
from tests.relay import body, member

EXAMPLES = 300 if os.environ.get("CI") else 60
PEOPLE, EMAILS = "abcde", ("x@example.com", "X@example.com", "y@example.com", "z@example.com")
RULES = Rules(guard_percent=0)
LONG = "5, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60"
numbers = count(1)

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
        self.number = str(next(numbers))
        self.faults = {name: Faults() for name, _, _ in DESTINATIONS}
        for name, _, _ in DESTINATIONS:
            there = self.relaying.there(self.name(name))
            there.fault, there.after = self.faults[name].before, self.faults[name].after

    def name(self, name: str) -> str:
        return f"{name}{self.number}"

    def page(self, action: str, who: str, emails: Sequence[str]) -> None:
        self.relaying.relay.clock.forward(1)
        given = dict(zip(who, emails, strict=False))
        people = [member(one, **({"email": given[one]} if one in given else {})) for one in who]
        sent = body(action, people, session=str(next(numbers)), cohort=self.number, project=self.number)
        read = page.parse(json.dumps(sent).encode())
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
        for name, kind, more in DESTINATIONS:
            known = self.relaying.destination(self.name(name), kind, retry_seconds=LONG)
            draft = NewSubscription(known.name, self.number, self.number, guard_percent=0, **more)
            added = self.relaying.database.write(
                lambda db, draft=draft: subscriptions.add(db, draft, self.relaying.now)
            )
            self.subscribed[name] = self.relaying.subscription(added)
            present = [("entered", one, self.entries[one]) for one in sorted(self.members)]
            self.expected[name] = present if self.subscribed[name].start == "present" else []
        self.began = len(self.log)

    def work(self, forward: int) -> None:
        self.relaying.work(forward, [self.name(name) for name in self.subscribed])

    def kill(self, name: str, *, called: bool) -> None:
        """A worker claims, calls or not, and is never heard of again."""
        runtime, known = self.relaying.runtime, self.relaying.of(self.name(name))
        claimed = self.relaying.database.write(lambda db: claiming.claim(db, runtime, known.id, 1))
        for call in claimed.calls if called else []:
            sender.make(opening.adapter(runtime, known), call)

    def pause(self, name: str, paused: bool) -> None:
        known, now = self.relaying.of(self.name(name)), self.relaying.now
        if paused:
            self.relaying.database.write(lambda db: destinations.pause(db, known, "by hand", now))
        else:
            self.relaying.database.write(lambda db: destinations.resume(db, known, now))

    def erase(self, one: str) -> None:
        """Somebody is forgotten everywhere, and never told of again."""
        if self.entries[one]:
            eraser(self.relaying.runtime).erase(DataSubject(self.number, one), "tests")
            self.erased.add(one)

    def again(self, name: str) -> None:
        for state in ("dead", "uncertain"):
            replay.replay(self.relaying.database, self.subscribed[name], state, None, self.relaying.now)

    def end(self) -> None:
        """Everything is repaired, and time passes."""
        for faults in self.faults.values():
            faults.turns.clear()
        for name in self.subscribed:
            self.pause(name, paused=False)
        for _ in range(4):
            self.work(10 * MINUTE)
        for name in ("set", "table"):
            self.again(name)
        self.work(MINUTE)
        self.work(MINUTE)

    def check(self) -> None:
        there = {name: self.relaying.there(self.name(name)) for name in self.subscribed}
        wanted = self.members - self.erased
        assert there["table"].members == wanted
        assert there["set"].members == {self.emails[one].lower() for one in wanted if one in self.emails}
        for name in ("hook", "chat"):
            self._check_stream(name, [one[:3] for one in there[name].heard])
            assert all(number == 1 for number in there["chat"].seen.values())
        for name, known in self.subscribed.items():
            counts = self.relaying.counts(known)
            assert not {"waiting", "sending"} & counts.keys(), (name, counts)
            assert there[name].most_in_flight <= 1

    def _check_stream(self, name: str, heard: list[tuple[str, str, int]]) -> None:
        expected = self.expected[name] + self.log[self.began :]
        expected = [change for change in expected if change[1] not in self.erased]
        heard = [change for change in heard if change[1] not in self.erased]
        assert Counter(heard) <= Counter(expected)
        assert self._doubtful(name) >= Counter(expected) - Counter(heard)
        for one in PEOPLE:
            order = [change for change in expected if change[1] == one]
            assert [change for change in heard if change[1] == one] == [change for change in order if change in heard]

    def _doubtful(self, name: str) -> Counter[tuple[str, str, int]]:
        rows = self.relaying.relay.rows(
            """SELECT m.kind, p.distinct_id, m.entry_number FROM message m JOIN person p ON p.id = m.person_id
            WHERE m.subscription_id = :id AND m.state = 'uncertain'""",
            id=self.subscribed[name].id,
        )
        return Counter((row["kind"], row["distinct_id"], row["entry_number"]) for row in rows)


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
    st.tuples(st.just("faults"), names, turns),
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
    play = Play(relaying)
    play.page("members", "ab", [])
    for people, addresses in before:
        play.page("members", people, addresses)
    play.subscribe()
    for kind, *what in after:
        if kind == "page":
            play.page(*what)
        elif kind == "work":
            play.work(*what)
        elif kind == "plan":
            relaying.plan()
        elif kind == "faults":
            play.faults[what[0]].turns += what[1]
        elif kind == "kill":
            relaying.plan()
            play.kill(what[0], called=what[1])
        elif kind == "pause":
            play.pause(*what)
        elif kind == "erase":
            play.erase(*what)
        else:
            play.again(*what)
    play.end()
    play.check()
    relaying.empty()
