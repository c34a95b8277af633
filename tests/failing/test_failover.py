"""A primary is killed in the middle of an export and its synchronous standby promoted: nothing answered is lost."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Timer

import psycopg
import pytest

from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.sender import Body, export, sender_of
from tests.failing.standby import Pair, primary_and_standby
from tests.failing.test_database_away import assert_refused_in_time, readiness
from tests.relay import member

PAGES, SIZE = 60, 50
before = [f"p{number:05}" for number in range(1000, 1000 + PAGES * SIZE)]
after = [f"p{number:05}" for number in range(PAGES * SIZE)]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with primary_and_standby() as found:
        yield found


@dataclass
class Failover:
    """Kills the primary while one of the pages is under way; between two tries of the sender the standby takes over."""

    pair: Pair
    strikes_at: int
    timer: Timer | None = None
    promoted: bool = False
    answered: list[int] = field(default_factory=list)

    def watch(self, pages: Iterator[Body]) -> Iterator[Body]:
        for number, page in enumerate(pages, 1):
            if number == self.strikes_at and self.timer is None:
                self.timer = Timer(random.Random(number).uniform(0, 0.01), self.pair.kill_primary)
                self.timer.start()
            yield page
            self.answered.append(number)

    def take_over(self, _seconds: float = 0) -> None:
        assert self.timer is not None, "a call failed before anything was broken"
        self.timer.join()
        if not self.promoted:
            self.pair.promote()
            self.promoted = True


@pytest.mark.slow
@pytest.mark.parametrize("strikes_at", [7, PAGES])
def test_s10_an_export_ends_exact_over_a_failover_without_a_restart(
    strikes_at: int, pair: Pair, make_server: MakeServer
) -> None:
    name = pair.new_database()
    server = make_server(pair.url(name), "crm")
    crm = sender_of(server, "crm")
    for page in export("members", before, 1000, session="first"):
        crm.deliver(page)
    failover = Failover(pair, strikes_at)
    crm.pause = crm.next_cycle = failover.take_over

    members = [member(distinct_id, email=f"{distinct_id}@example.com") for distinct_id in after]
    crm.sync(lambda _cycle: failover.watch(export("members", members, SIZE, session="second")))
    failover.take_over()  # where the last page was answered before the primary was gone

    books = Books(pair.standby.url(name))
    assert crm.statuses <= {0, 200, 503}
    assert books.members() == set(after)
    books.assert_balanced()
    assert books.sessions()[-1]["pages_received"] == PAGES
    for page in export("remove_members", after[:100], 100, session="third"):
        crm.deliver(page)
    assert books.members() == set(after[100:])


@pytest.mark.slow
def test_while_nobody_takes_writes_mixpanel_hears_503_in_time(pair: Pair, make_server: MakeServer) -> None:
    server = make_server(pair.url(pair.new_database()), "crm")
    crm = sender_of(server, "crm")
    (page,) = export("members", before[:100], 100, session="first")
    crm.deliver(page)
    pair.kill_primary()
    (next_page,) = export("members", before[:50], 100, session="second")
    assert_refused_in_time(crm.post(next_page), action=None)
    assert readiness(server) == 503
    pair.promote()
    crm.deliver(next_page)
    assert readiness(server) == 200


@pytest.mark.slow
def test_a_server_that_takes_no_writes_any_more_is_left_for_the_one_that_does(
    pair: Pair, make_server: MakeServer
) -> None:
    name = pair.new_database()
    server, books = make_server(pair.url(name), "crm"), Books(pair.standby.url(name))
    crm = sender_of(server, "crm")
    (page,) = export("members", before[:100], 100, session="first")
    crm.deliver(page)
    pair.promote()
    with psycopg.connect(pair.primary.url(), autocommit=True) as db:
        db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        db.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        db.execute("SELECT pg_reload_conf()")
    (next_page,) = export("members", before[:50], 100, session="second")
    crm.deliver(next_page)
    assert books.members() == set(before[:50])
    books.assert_balanced()
