"""Bar: the server is killed again and again in the middle of an export, and nothing is lost or half done (S10)."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Timer

import pytest

from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.sender import Body, Sender, export, sender_of
from tests.failing.server import Server
from tests.relay import member

SEED = int(os.environ.get("KILL_SEED", "7"))
PAGES, SIZE, KILLS = 200, 60, 20  # at least so many
LONG_OUTAGES = {6, 13}  # kills after which the server stays away until the sender has given up
LONGEST_DELAY = 0.02  # seconds; a page takes about half of that

before = [f"p{number:05}" for number in range(3000, 3000 + PAGES * SIZE)]
after = [f"p{number:05}" for number in range(PAGES * SIZE)]


@dataclass
class Killer:
    """Kills the server at random moments while pages pass through `watch`, and brings it back while the sender
    waits."""

    server: Server
    books: Books
    dice: random.Random
    kills: int = 0
    posted: int = 0
    timer: Timer | None = None
    moments: list[int] = field(default_factory=list)  # after how many pages it strikes again, the next one first
    answered: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.moments = sorted(self.dice.sample(range(1, PAGES), KILLS - 1))

    def watch(self, pages: Iterator[Body]) -> Iterator[Body]:
        """The same pages; some wind up a kill as they pass, to strike somewhere in them or in their next."""
        for page in pages:
            self.posted += 1
            self.wind_up(is_last=number_of(page) == PAGES)
            yield page
            self.answered.setdefault(page["parameters"]["mixpanel_session_id"], set()).add(number_of(page))

    def wind_up(self, *, is_last: bool) -> None:
        """Set off the next kill if it is due; every last page is struck besides, because it sweeps."""
        is_due = bool(self.moments) and self.posted >= self.moments[0]
        if not is_due and not is_last:
            return
        self.strike_is_over()
        if self.server.is_alive:
            del self.moments[:is_due]
            self.timer = Timer(self.dice.uniform(0, LONGEST_DELAY), self.server.kill)
            self.timer.start()

    def strike_is_over(self) -> None:
        """Wait for the kill that is wound up."""
        if self.timer is not None:
            self.timer.join()

    def revive(self) -> None:
        """Bring a dead server back; what it has left behind is looked at before it can repair anything."""
        if self.server.is_alive:
            return
        self.kills += 1
        self.server.start()
        self.books.assert_balanced()
        for session, pages in self.answered.items():
            assert self.books.page_count(session) >= len(pages), "a page that was answered is lost"
        self.server.wait_ready()

    def pause(self, _seconds: float) -> None:
        """Between two tries: in a long outage nothing changes until the sender gives up."""
        self.strike_is_over()
        if self.kills + 1 not in LONG_OUTAGES:
            self.revive()


def number_of(page: Body) -> int:
    number: int = page["parameters"]["page_info"]["page_count"]
    return number


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED])  # so that its name says it
def test_s10_a_server_that_is_killed_twenty_times_in_an_export_loses_nothing_and_half_does_nothing(
    seed: int, database_url: str, make_server: MakeServer
) -> None:
    server = make_server(database_url, "crm")
    books = Books(database_url)
    crm = sender_of(server, "crm")
    crm.sync(lambda _cycle: export("members", before, 1000, session="earlier"))
    killer = Killer(server, books, random.Random(seed))
    crm.pause, crm.next_cycle = killer.pause, killer.revive

    cycles = crm.sync(lambda cycle: killer.watch(whole_cohort(cycle)))
    killer.strike_is_over()
    killer.revive()

    assert killer.kills >= KILLS
    assert cycles == len(LONG_OUTAGES) + 1
    assert_exact(books, crm)


def whole_cohort(cycle: int) -> Iterator[Body]:
    """The export as each cycle sends it: a restart may keep the session id or bring a new one."""
    members = [member(distinct_id, email=f"{distinct_id}@example.com") for distinct_id in after]
    return export("members", members, SIZE, session="second" if cycle < 3 else "third")


def assert_exact(books: Books, crm: Sender) -> None:
    assert crm.statuses == {0, 200}
    assert books.members() == set(after)
    books.assert_balanced()
    _earlier, second, third = books.sessions()
    came, went = len(set(after) - set(before)), len(set(before) - set(after))
    assert (second["status"], second["left_count"]) == ("superseded", 0)
    assert (third["status"], third["pages_received"], third["total_pages"]) == ("complete", PAGES, PAGES)
    assert (third["received"], third["left_count"]) == (len(after), went)
    assert second["entered"] + third["entered"] == came
    assert third["unchanged"] == len(after) - third["entered"]
