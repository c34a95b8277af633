"""A server that is told to stop answers the page that is in work, refuses what comes later, and leaves nothing
behind."""

import http.client
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.conftest import MakeServer
from tests.failing.locking import locked_cohort
from tests.failing.sender import Body, Sender, export, sender_of
from tests.failing.server import FLASK_SERVE, GRANIAN, Server, living, wait_until, words
from tests.relay import basic, body

STOPS_WITHIN = 10  # seconds
before = [f"p{number}" for number in range(50)]
after = [f"p{number}" for number in range(25, 75)]

LOCK_WAITS = "SELECT count(*) AS waits FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name"
LAST_USE = "SELECT last_used_at FROM connection_password"


@pytest.mark.parametrize("command", [GRANIAN, FLASK_SERVE], ids=["web", "serve"])
def test_s10_a_page_that_waits_in_its_transaction_is_answered_after_sigterm(
    command: tuple[str, ...], cluster: Cluster, make_server: MakeServer
) -> None:
    url = cluster.new_database()
    server, books = make_server(url, "crm", command=command), Books(url)
    crm = sender_of(server, "crm")
    crm.deliver(body("members", before))

    with ThreadPoolExecutor(2) as pool:
        with locked_cohort(url):
            reply = pool.submit(crm.post, body("members", after, session="s2"))
            wait_until(lambda: books.rows(LOCK_WAITS, name=url.rpartition("/")[2])[0]["waits"], 10, "the wait")
            stopped = pool.submit(server.stop)
        assert reply.result().status == 200
        assert stopped.result(STOPS_WITHIN) == 0

    assert books.members() == set(after)
    books.assert_balanced()


def test_s10_a_page_whose_body_is_still_coming_is_answered_after_sigterm(
    file_url: str, make_server: MakeServer
) -> None:
    server, books = make_server(file_url, "crm"), Books(file_url)
    data = json.dumps(body("members", after)).encode()
    headers = basic("crm", server.passwords["crm"]) | {"Content-Length": str(len(data))}

    with ThreadPoolExecutor(1) as pool, closing(http.client.HTTPConnection("127.0.0.1", server.port)) as line:
        line.request("POST", "/webhooks/mixpanel/crm", data[:100], headers)
        wait_until(lambda: books.rows(LAST_USE)[0]["last_used_at"], 10, "the guard's look at the call")
        stopped = pool.submit(server.stop)
        line.send(data[100:])
        assert json.loads(line.getresponse().read()) == {"action": "members", "status": "success"}
        assert stopped.result(STOPS_WITHIN) == 0

    assert books.members() == set(after)
    books.assert_balanced()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_the_web_server_and_the_worker_and_leaves_no_process_behind(
    number: signal.Signals, file_url: str, make_server: MakeServer
) -> None:
    server = make_server(file_url, command=FLASK_SERVE)
    wait_until(lambda: is_complete(server), 60, "the start of web and worker")
    family = server.family()

    assert server.stop(number) == 0

    wait_until(lambda: not living(family), 1, "everybody's end")
    assert not server.answers()


def test_serve_that_is_killed_takes_everybody_with_it(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, command=FLASK_SERVE)
    wait_until(lambda: is_complete(server), 60, "the start of web and worker")
    family = server.family()
    assert server.process is not None

    server.process.kill()
    server.process.wait()

    wait_until(lambda: not living(family), 20, "everybody's end")
    assert not server.answers()


def is_complete(server: Server) -> bool:
    """Whether the web server and the worker both run."""
    return {"serve-pool", "work"} <= {word for process in server.family() for word in words(process)}


def test_s10_pages_that_come_while_stopping_hear_503_or_nothing_and_are_whole_or_absent(
    file_url: str, make_server: MakeServer
) -> None:
    names = ["crm-1", "crm-2", "crm-3", "crm-4"]
    server, books = make_server(file_url, *names, command=FLASK_SERVE), Books(file_url)
    senders = [sender_of(server, name) for name in names]

    with ThreadPoolExecutor(len(names)) as pool:
        sent = [pool.submit(send_until_cut, sender) for sender in senders]
        wait_until(lambda: all(len(sender.replies) > 5 for sender in senders), 30, "the exports' middle")
        assert server.stop() == 0
        answered = [done.result() for done in sent]

    for sender, pages in zip(senders, answered, strict=True):
        assert sender.statuses <= {200, 503, 0}
        assert books.page_count(sender.username) == pages
        books.assert_balanced(sender.username)


def send_until_cut(sender: Sender) -> int:
    """Post pages, each until it is accepted, until nobody answers; returns how many were accepted."""
    for accepted, page in enumerate(endless_export(sender)):
        while (reply := sender.post(page)).status != 200:
            if reply.status == 0:
                return accepted
            assert reply.json["status"] == "failure"
            assert reply.json["error"]["code"] == 503
            assert reply.retry_after
    raise AssertionError("unreachable")


def endless_export(sender: Sender) -> Iterator[Body]:
    people = [f"p{number:06}" for number in range(200_000)]
    return export("members", people, 20, session=sender.username, cohort=sender.username)
