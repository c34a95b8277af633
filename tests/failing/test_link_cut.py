"""Bar: a database whose link is cut, or that takes calls and says nothing, is given up in time."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.failing.account import assert_tells_of_the_outage
from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.company import database_on
from tests.failing.conftest import MakeServer
from tests.failing.hosts import network
from tests.failing.sender import sender_of
from tests.failing.server import wait_until
from tests.failing.test_database_away import (
    assert_ends_exact,
    assert_refused_in_time,
    pages,
    readiness,
    sender_in_the_middle,
)

pytestmark = pytest.mark.slow

CALLERS = 4  # more than there are connections to the database: they wait for one another, too


@dataclass(frozen=True)
class Silent:
    """A database at `url` that can be made to say nothing, without a goodbye, and to speak again."""

    url: str
    hush: Callable[[], None]
    mend: Callable[[], None]


@pytest.fixture(params=["cut", "frozen"])
def silent(request: pytest.FixtureRequest) -> Iterator[Silent]:
    if request.param == "frozen":
        cluster: Cluster = request.getfixturevalue("cluster")
        hush, mend = (partial(tell, cluster, number) for number in (signal.SIGSTOP, signal.SIGCONT))
        yield Silent(cluster.new_database(), hush, mend)
        mend()
        return
    folder = Path(tempfile.mkdtemp(prefix="cohort-relay-cut-"))
    folder.chmod(0o755)
    try:
        with network() as net:
            host = net.add("db")
            database = database_on(host, folder)
            database.make()
            net.remember(host)
            yield Silent(database.new_database().partition("?")[0], host.unplug, host.plug_in)
    finally:
        shutil.rmtree(folder)


def tell(cluster: Cluster, number: int) -> None:
    """All of it: the system still takes connections for it, and whatever is sent."""
    head = psutil.Process(int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0]))
    for process in (head, *head.children()):
        os.kill(process.pid, number)


def test_s10_every_caller_hears_503_in_time_of_a_database_that_has_gone_silent(
    silent: Silent, make_server: MakeServer
) -> None:
    server = make_server(silent.url, "crm", DATABASE_POOL_SIZE="2")
    books, crm = Books(silent.url), sender_in_the_middle(server)

    silent.hush()
    with ThreadPoolExecutor(CALLERS) as pool:
        replies = list(pool.map(lambda _number: sender_of(server, "crm").post(pages[4]), range(CALLERS)))
    for reply in replies:
        assert_refused_in_time(reply, action=None)
    assert readiness(server) == 503
    silent.mend()
    wait_until(lambda: readiness(server) == 200, 20, "the return to the database")

    assert_ends_exact(crm, books)
    assert books.failures("database_unavailable") == CALLERS
    assert_tells_of_the_outage(server, CALLERS)
