"""Bar: while the database is away or locked Mixpanel hears 503 in time, and afterwards the export ends exact."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.failing.account import assert_tells_of_the_outage
from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.conftest import MakeServer
from tests.failing.locking import locked_cohort, locked_file
from tests.failing.sender import Body, Reply, Sender, export, sender_of
from tests.failing.server import Server, wait_until
from tests.failing.worker import workers
from tests.relay import body

WITHIN = 10  # seconds
before = [f"p{number:04}" for number in range(400)]
after = [f"p{number:04}" for number in range(200, 1000)]
pages = list(export("members", after, 100, session="second"))


def readiness(server: Server) -> int:
    return requests.get(f"{server.url}/readyz", timeout=WITHIN).status_code


def sender_in_the_middle(server: Server) -> Sender:
    """A sender that has sent the first half of an export."""
    crm = sender_of(server, "crm")
    for page in [*export("members", before, 100, session="first"), *pages[:4]]:
        crm.deliver(page)
    return crm


def assert_refused_in_time(reply: Reply, action: str | None = "members") -> None:
    """503 with the envelope; `action` is null where the call was refused before its body was read."""
    assert reply.status == 503
    assert reply.json.keys() == {"action", "status", "error"}
    assert (reply.json["action"], reply.json["status"]) == (action, "failure")
    assert reply.json["error"]["code"] == 503
    assert 0 < len(reply.json["error"]["message"]) <= 300
    assert int(reply.retry_after or 0) > 0
    assert reply.seconds < WITHIN


def assert_ends_exact(crm: Sender, books: Books) -> None:
    """The rest of the export arrives, and nobody can tell that there was an interruption."""
    for page in pages[4:]:
        crm.deliver(page)
    assert books.members() == set(after)
    books.assert_balanced()
    newest = books.sessions()[-1]
    assert (newest["status"], newest["received"], newest["entered"], newest["left_count"]) == (
        "complete",
        800,
        600,
        200,
    )


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_s10_an_export_goes_on_after_postgresql_was_stopped_in_its_middle(
    mode: str, cluster: Cluster, make_server: MakeServer
) -> None:
    url = cluster.new_database()
    server, books = make_server(url, "crm"), Books(url)
    crm = sender_in_the_middle(server)

    cluster.stop(mode)
    assert_refused_in_time(crm.post(pages[4]), action=None)
    assert_refused_in_time(crm.post(pages[4]), action=None)
    assert readiness(server) == 503
    cluster.start()

    assert_ends_exact(crm, books)
    assert readiness(server) == 200
    assert books.failures("database_unavailable") == 2
    assert_tells_of_the_outage(server, refused=2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_s10_a_restart_of_postgresql_in_the_middle_of_four_exports_costs_a_few_retries_and_the_worker_goes_on(
    mode: str, cluster: Cluster, make_server: MakeServer, tmp_path: Path
) -> None:
    url, names = cluster.new_database(), [f"crm-{number}" for number in range(4)]
    server, books = make_server(url, *names, SETTLE_SECONDS="1"), Books(url)
    senders = [sender_of(server, name) for name in names]
    for sender in senders:
        sender.pause = lambda _seconds: wait_until(lambda: cluster.is_serving, 60, "the restart")

    with workers(url, tmp_path) as make_worker, ThreadPoolExecutor(len(names)) as pool:
        worker = make_worker(settle_seconds=1)
        assert_worker_works(senders[0], books, "before")
        sent = [pool.submit(sender.sync, lambda _cycle, one=sender: long_export(one)) for sender in senders]
        wait_until(lambda: all(len(sender.replies) > 5 for sender in senders), 60, "the exports' middle")
        cluster.stop(mode)
        cluster.start()
        assert [done.result() for done in sent] == [1] * len(names)
        assert_worker_works(senders[0], books, "after")
        assert worker.is_alive

    refused = [reply for sender in senders for reply in sender.replies if reply.status != 200]
    assert refused
    for reply in refused:
        assert_refused_in_time(reply, reply.json["action"])
    for name in names:
        assert books.members(name) == set(long_cohort)
        books.assert_balanced(name)
    assert_tells_of_the_outage(server, len(refused))


def assert_worker_works(sender: Sender, books: Books, cohort: str) -> None:
    """An export that only a worker can end comes to its end."""
    sender.deliver(body("members", before, page=None, session=cohort, cohort=cohort))
    wait_until(lambda: books.sessions(cohort)[-1]["status"] == "complete", 90, "the worker's round")
    assert books.members(cohort) == set(before)


def test_s10_eight_connections_hear_503_in_time_and_end_exact_when_postgresql_stops_under_them(
    cluster: Cluster, make_server: MakeServer
) -> None:
    url, names = cluster.new_database(), [f"crm-{number}" for number in range(8)]
    server, books = make_server(url, *names), Books(url)
    senders = [sender_of(server, name) for name in names]

    with ThreadPoolExecutor(len(names)) as pool:
        sent = [pool.submit(send_until_refused, sender) for sender in senders]
        wait_until(lambda: all(len(sender.replies) > 5 for sender in senders), 60, "the exports' middle")
        cluster.stop("immediate")
        answered = [done.result() for done in sent]
        cluster.start()
        kept = [books.page_count(name) for name in names]
        list(pool.map(lambda sender: sender.sync(lambda _cycle: long_export(sender)), senders))

    assert all(there >= heard for there, heard in zip(kept, answered, strict=True))
    refused = [reply for sender in senders for reply in sender.replies if reply.status != 200]
    for reply in refused:
        assert_refused_in_time(reply, reply.json["action"])
    for name in names:
        assert books.members(name) == set(long_cohort)
        books.assert_balanced(name)
    assert books.failures("database_unavailable") == len(refused) >= len(names)


long_cohort = [f"p{number:04}" for number in range(4000)]


def long_export(sender: Sender) -> Iterator[Body]:
    """200 pages, so that the database can stop before the end."""
    return export("members", long_cohort, 20, session=sender.username, cohort=sender.username)


def send_until_refused(sender: Sender) -> int:
    """Returns how many pages were answered before."""
    for number, page in enumerate(long_export(sender)):
        if sender.post(page).status != 200:
            return number
    raise AssertionError("the export ended before the database did")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "cohort-relay.db"


def test_s10_an_export_goes_on_after_another_process_locked_the_sqlite_file(
    sqlite_file: Path, make_server: MakeServer
) -> None:
    server, books = make_server(f"sqlite:///{sqlite_file}", "crm"), Books(f"sqlite:///{sqlite_file}")
    crm = sender_in_the_middle(server)

    with locked_file(sqlite_file):
        assert_refused_in_time(crm.post(pages[4]))

    assert_ends_exact(crm, books)
    assert books.failures("database_unavailable") == 1


def test_every_one_of_eight_callers_hears_503_in_time_while_the_sqlite_file_is_locked(
    sqlite_file: Path, make_server: MakeServer
) -> None:
    names = [f"crm-{number}" for number in range(8)]
    server, books = make_server(f"sqlite:///{sqlite_file}", *names), Books(f"sqlite:///{sqlite_file}")

    with locked_file(sqlite_file), ThreadPoolExecutor(len(names)) as pool:
        replies = list(pool.map(lambda name: sender_of(server, name).post(pages[0]), names))

    assert [round(reply.seconds, 1) for reply in replies if reply.seconds >= WITHIN] == []
    for reply in replies:
        assert_refused_in_time(reply)
    assert sender_of(server, names[0]).post(pages[0]).status == 200
    assert books.failures("database_unavailable") == len(names)


def test_a_page_of_a_cohort_that_another_session_has_locked_in_postgresql_hears_503_in_time(
    cluster: Cluster, make_server: MakeServer
) -> None:
    url = cluster.new_database()
    server, books = make_server(url, "crm"), Books(url)
    crm = sender_in_the_middle(server)

    with locked_cohort(url):
        assert_refused_in_time(crm.post(pages[4]))

    assert_ends_exact(crm, books)
    assert books.failures("database_unavailable") == 1
