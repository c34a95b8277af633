"""Several processes that answer requests: one that dies is replaced, and new code and settings come without a pause."""

import contextlib
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.conftest import MakeServer
from tests.failing.locking import locked_cohort
from tests.failing.sender import Body, Sender, export, sender_of
from tests.failing.server import FLASK_SERVE, ROOT, Server, living, wait_until, words
from tests.relay import body

before = [f"p{number}" for number in range(50)]
after = [f"p{number}" for number in range(25, 75)]
PAGES, SIZE = 60, 10
EVERYBODY = [f"p{number}" for number in range(PAGES * SIZE)]

WHO_WAITS = "SELECT client_port FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
COUNTED = re.compile(r'^cohort_relay_webhook_replies_total\{status="200"\} (\S+)$', re.MULTILINE)


def pool(server: Server) -> list[psutil.Process]:
    """The processes that answer requests."""
    assert server.process is not None
    found = []
    for one in living(server.family()):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "serve-pool" in words(one) and one.ppid() != server.process.pid:
                found.append(one)
    return found


def test_a_process_killed_in_the_middle_of_a_page_is_replaced_and_the_page_is_sent_again(
    cluster: Cluster, make_server: MakeServer
) -> None:
    url = cluster.new_database()
    server, books = make_server(url, "crm", "ads", command=FLASK_SERVE, PROCESSES="2"), Books(url)
    crm, ads = sender_of(server, "crm"), sender_of(server, "ads")
    crm.deliver(body("members", before))
    wait_until(lambda: len(pool(server)) == 2, 30, "the start of two processes")

    with ThreadPoolExecutor(1) as threads:
        with locked_cohort(url):
            reply = threads.submit(crm.post, body("members", after, session="s2"))
            victim = process_that_waits(server, url)
            victim.kill()
            assert reply.result().status == 0
            ads.deliver(body("members", before, cohort="8"))  # the other one answers
        crm.deliver(body("members", after, session="s2"))

    wait_until(lambda: len(set(pool(server)) - {victim}) == 2, 30, "the replacement")
    assert server.is_alive
    assert crm.statuses == {0, 200}
    assert ads.statuses == {200}
    assert books.members() == set(after)
    books.assert_balanced()
    books.assert_balanced("8")


def test_a_process_that_has_lost_its_descriptors_is_replaced(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, "crm", command=FLASK_SERVE)
    (victim,) = pool(server)
    _soft, hard = resource.prlimit(victim.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(victim.pid, resource.RLIMIT_NOFILE, (3, hard))

    wait_until(lambda: set(pool(server)) - {victim}, 60, "the replacement")
    server.wait_ready()
    sender_of(server, "crm").deliver(body("members", before))
    assert server.is_alive


def process_that_waits(server: Server, url: str) -> psutil.Process:
    """The process whose session in PostgreSQL waits for a lock."""
    found: list[psutil.Process] = []

    def look() -> bool:
        with psycopg.connect(url) as db:
            ports = {row[0] for row in db.execute(WHO_WAITS)}
        found[:] = [one for one in pool(server) if ports & {line.laddr.port for line in one.net_connections()}]
        return bool(found)

    wait_until(look, 20, "the page's wait")
    return found[0]


def test_whichever_process_is_asked_metrics_count_all_of_them(cluster: Cluster, make_server: MakeServer) -> None:
    server = make_server(cluster.new_database(), "crm", command=FLASK_SERVE, PROCESSES="2")
    crm = sender_of(server, "crm")
    wait_until(lambda: len(pool(server)) == 2, 30, "the start of two processes")

    with ThreadPoolExecutor(4) as threads:  # each page on a connection of its own, so that both processes get some
        list(threads.map(lambda page: one_page(server, page), export("add_members", EVERYBODY, SIZE)))
    for _ in range(10):
        assert counted(server) == PAGES
    victim = pool(server)[0]
    victim.kill()
    wait_until(lambda: len(set(pool(server)) - {victim}) == 2, 30, "the replacement")
    crm.deliver(body("add_members", before, session="s2"))

    assert counted(server) == PAGES + 1, "what the dead process did is not forgotten"


def one_page(server: Server, page: Body) -> None:
    sender_of(server, "crm").deliver(page)


def counted(server: Server) -> float:
    (found,) = COUNTED.findall(requests.get(f"{server.url}/metrics", timeout=20).text)
    return float(found)


def test_two_processes_on_sqlite_are_refused_with_the_settings_name_and_the_reason(
    file_url: str, tmp_path: Path
) -> None:
    server = Server(tmp_path, file_url, more={"PROCESSES": "2"})
    done = subprocess.run(
        FLASK_SERVE, env=server.environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "PROCESSES (from environment) is 2, but SQLite takes one writing process." in done.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_reload_in_the_middle_of_exports_puts_new_settings_in_place_and_loses_no_page(
    processes: str, cluster: Cluster, make_server: MakeServer, tmp_path: Path
) -> None:
    url, names = cluster.new_database(), ["crm-1", "crm-2", "crm-3"]
    server = make_server(url, *names, command=FLASK_SERVE, PROCESSES=processes)
    books, senders = Books(url), [sender_of(server, name) for name in names]
    wait_until(lambda: len(pool(server)) == int(processes), 30, "the start")
    old = set(pool(server))

    (tmp_path / ".env").write_text("WEBHOOK_RATE_LIMIT=1 per hour\nMAX_BODY_MB=1\n")
    with ThreadPoolExecutor(len(names)) as threads:
        sent = [threads.submit(send_until_reloaded, sender, server) for sender in senders]
        wait_until(lambda: all(len(sender.replies) > 5 for sender in senders), 30, "the exports' middle")
        tell(server, signal.SIGHUP)
        members = [done.result() for done in sent]

    assert not old & set(pool(server))
    assert senders[0].post(body("members", before, session="s9")).status in {200, 429}
    assert senders[0].post(body("members", before, session="s9")).status == 429, "the new setting"
    for sender, people in zip(senders, members, strict=True):
        assert sender.statuses <= {0, 200, 429}
        assert books.members(sender.username) == set(people)
        books.assert_balanced(sender.username)


def send_until_reloaded(sender: Sender, server: Server) -> list[str]:
    """Diffs of 20 people, until the new processes answer; returns who was sent and accepted."""
    people: list[str] = []
    for page in diffs(sender.username):
        while (reply := sender.post(page)).status == 0:
            pass
        if reply.status == 200:
            people += [one["mixpanel_distinct_id"] for one in page["parameters"]["members"]]
        if "Reloaded" in server.log:
            return people
    raise AssertionError("unreachable")


def diffs(cohort: str) -> Iterator[Body]:
    for number in range(100_000):
        named = [f"p{number}-{index}" for index in range(20)]
        yield body("add_members", named, session=f"s{number}", cohort=cohort)


def tell(server: Server, number: int) -> None:
    assert server.process is not None
    server.process.send_signal(number)


def test_a_reload_with_a_wrong_setting_says_so_and_leaves_the_old_processes_in_place(
    file_url: str, make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(file_url, "crm", command=FLASK_SERVE)
    crm, old = sender_of(server, "crm"), set(pool(server))
    (tmp_path / ".env").write_text("THREADS=many\n")

    tell(server, signal.SIGHUP)

    wait_until(lambda: "The reload failed" in server.log, 30, "the account of it")
    assert "THREADS (from .env): 'many' is not a whole number from 1 to 256." in server.log
    assert set(pool(server)) == old
    crm.deliver(body("members", before))
