"""Bar: eight connections post at full speed over shared people, and none of them gets in another's way."""

import random
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.conftest import MakeServer
from tests.failing.sender import Body, Sender, export, sender_of
from tests.relay import member

NAMES = [f"connection-{number}" for number in range(1, 9)]
ROUNDS, SIZE = 20, 150
EVERYBODY = [f"p{number:04}" for number in range(1200)]
SHARED = "shared"  # the cohort that the first two connections both carry
SHARED_MEMBERS = frozenset(EVERYBODY[::3])


@dataclass
class Mixpanel:
    """One connection's cohorts as Mixpanel has them: what it exports, and what must be there afterwards."""

    name: str
    dice: random.Random
    cohorts: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)  # what this connection last said of each person
    sessions: int = 0

    def exports(self) -> Iterator[Body]:
        """Refreshes and diffs of two cohorts of its own in mixed order; of the first two, the shared cohort too."""
        for _ in range(ROUNDS):
            yield from self.own_export()
            if self.name in NAMES[:2]:
                yield from self.shared_exports()

    def own_export(self) -> Iterator[Body]:
        cohort = f"{self.name}-{self.dice.choice('ab')}"
        action = self.dice.choice(["members", "add_members", "remove_members"])
        named = set(self.dice.sample(EVERYBODY, self.dice.randint(0, 600)))
        members = self.cohorts.setdefault(cohort, set())
        self.cohorts[cohort] = {"members": named, "add_members": members | named}.get(action, members - named)
        note = self.sessions + 1
        if action != "remove_members":  # touches no profile
            self.notes |= dict.fromkeys(named, note)
        return self.export(action, named, cohort, **{self.name: note})

    def shared_exports(self) -> Iterator[Body]:
        """What two connections say of one cohort agrees, in whatever order it comes."""
        some = frozenset(self.dice.sample(EVERYBODY, 300))
        yield from self.export("members", SHARED_MEMBERS, SHARED)
        yield from self.export("add_members", some & SHARED_MEMBERS, SHARED)
        yield from self.export("remove_members", some - SHARED_MEMBERS, SHARED)

    def export(self, action: str, named: Set[str], cohort: str, **note: int) -> Iterator[Body]:
        """One export, in an order of its own (so that writers meet crosswise) and with changed profiles."""
        self.sessions += 1
        order = self.dice.sample(sorted(named), len(named))
        members = [member(one, email=f"{one}@{self.name}", plan=self.dice.random(), **note) for one in order]
        return export(action, members, SIZE, session=f"{self.name}-{self.sessions}", cohort=cohort)


def post_all(sender: Sender, mixpanel: Mixpanel) -> None:
    for page in mixpanel.exports():
        sender.post(page)


@pytest.fixture
def url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of the test's own; a PostgreSQL in whose log a deadlock stands fails the test."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path}/cohort-relay.db"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    yield cluster.new_database()
    assert "ready to accept connections" in cluster.log
    assert "deadlock" not in cluster.log


@pytest.mark.slow
def test_eight_connections_at_full_speed_are_all_answered_200_and_get_the_right_sets(
    make_server: MakeServer, url: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("REMOVAL_GUARD_PERCENT=0\n")  # these cohorts leap; nothing may be held here
    server, books = make_server(url, *NAMES), Books(url)
    senders = [sender_of(server, name) for name in NAMES]
    mixpanels = [Mixpanel(name, random.Random(name)) for name in NAMES]

    with ThreadPoolExecutor(len(NAMES)) as pool:
        list(pool.map(post_all, senders, mixpanels))

    assert {status for sender in senders for status in sender.statuses} == {200}
    for mixpanel in mixpanels:
        for cohort, members in mixpanel.cohorts.items():
            assert books.members(cohort) == members
            books.assert_balanced(cohort)
    assert books.members(SHARED) == SHARED_MEMBERS
    books.assert_balanced(SHARED)
    assert_notes_kept(books, mixpanels)


def assert_notes_kept(books: Books, mixpanels: list[Mixpanel]) -> None:
    """No connection's write to a profile was lost under another's (S3)."""
    stored = books.properties()
    for mixpanel in mixpanels:
        for distinct_id, note in mixpanel.notes.items():
            assert stored[distinct_id][mixpanel.name] == note
