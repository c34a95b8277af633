"""Clients that are slow, or say nothing at all, hold up nobody but themselves."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
import requests

from app import create_app
from config.clock import now
from config.settings import load
from security import tokens
from server.caller_shares import OPEN
from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.sender import export, sender_of
from tests.failing.server import FLASK_SERVE, SECRET_KEY, Server, wait_until, words
from tests.failing.slow import slow_clients
from tests.relay import Browser, Relay, body, member

PEOPLE = [f"p{number}" for number in range(600)]
THREADS, SLOW = 2, 12
PATIENCE = 4  # seconds; who takes twice as long is cut off
ENDED_WITHIN = 60  # seconds; on a quiet machine it takes ten
IDLE = 1000


def test_more_slow_clients_than_threads_hold_up_no_export_and_are_ended(file_url: str, make_server: MakeServer) -> None:
    settings = {"THREADS": str(THREADS), "SLOW_CLIENT_SECONDS": str(PATIENCE)}
    server = make_server(file_url, "crm", "slow", command=FLASK_SERVE, **settings)
    crm, books = sender_of(server, "crm"), Books(file_url)

    with slow_clients(server, "slow", SLOW) as clients:
        wait_until(lambda: web_threads(server) >= SLOW, 30, "the slow clients' calls")
        crm.sync(lambda _cycle: export("members", PEOPLE, 60))
        assert [client.reply for client in clients] == [None] * SLOW, "the export was there before they were ended"
        wait_until(lambda: all(client.reply for client in clients), ENDED_WITHIN, "the end of the slow clients")

    for client in clients:
        assert client.reply is not None
        assert client.reply.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in client.reply
        assert b'"status":"failure"' in client.reply
    assert crm.statuses == {200}
    assert books.members() == set(PEOPLE)
    books.assert_balanced()
    wait_until(lambda: books.failures("cut_short") == SLOW, 10, "the last failure's row")
    assert "The body did not come whole" in dashboard(server).page("/failures")


def test_strangers_who_fill_in_the_sign_in_form_slowly_are_ended(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, "crm", command=FLASK_SERVE, THREADS="1", SLOW_CLIENT_SECONDS="2")
    with slow_clients(server, "", 3) as clients:
        wait_until(lambda: all(client.reply for client in clients), ENDED_WITHIN, "the end of the slow clients")
    assert {client.reply[:12] for client in clients if client.reply} == {b"HTTP/1.1 408"}
    sender_of(server, "crm").deliver(body("members", PEOPLE[:10]))


def test_strangers_with_half_forms_straight_at_the_app_hold_up_no_page(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, "crm", command=FLASK_SERVE, SLOW_CLIENT_SECONDS="60")
    with slow_clients(server, "", 290) as clients:
        wait_until(lambda: sum(1 for client in clients if client.reply) >= 290 - OPEN, 60, "the refusals")
        sender_of(server, "crm").deliver(body("members", PEOPLE[:10]))
        still_open = sum(1 for client in clients if client.reply is None)
    assert 0 < still_open <= OPEN
    assert {client.reply[:12] for client in clients if client.reply} == {b"HTTP/1.1 429"}


def test_a_reader_that_stops_reading_is_cut_and_its_place_comes_back(file_url: str, make_server: MakeServer) -> None:
    """Nor does it shield a silent half body while it stands there."""
    server = make_server(file_url, "crm", command=FLASK_SERVE, THREADS="2", SLOW_CLIENT_SECONDS="2")
    database = create_app(load(server.environment)).extensions["runtime"].database
    token = database.write(lambda db: tokens.add(db, SECRET_KEY, "r", "read", now()))
    wide = [member(f"p{number}", note="x" * 200_000) for number in range(100)]
    sender_of(server, "crm").deliver(body("members", wide))
    where, bearer = "/api/v1/projects/1/cohorts/7/members.ndjson", {"Authorization": f"Bearer {token}"}
    database.dispose()

    with ExitStack() as stack:
        line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        line.sendall(f"GET {where} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert line.recv(15) == b"HTTP/1.1 200 OK"
        (silent,) = stack.enter_context(slow_clients(server, "crm", 1))
        wait_until(lambda: silent.reply, ENDED_WITHIN, "the end of the half body")
        wait_until(lambda: requests.get(server.url + where, headers=bearer, timeout=60).ok, ENDED_WITHIN, "the place")


def web_threads(server: Server) -> int:
    """Threads of the web server's busiest process."""
    return max(one.num_threads() for one in server.family() if "serve-pool" in words(one))


def dashboard(server: Server) -> Browser:
    """An operator's browser at the server's data."""
    return Browser(Relay(create_app(load(server.environment)), now, name="onlooker"), "viewer")  # type: ignore[arg-type]


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may hold enough sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_idle_connections_hold_up_no_export(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, "crm", command=FLASK_SERVE, SLOW_CLIENT_SECONDS="60")
    crm, books = sender_of(server, "crm"), Books(file_url)

    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)) for _ in range(IDLE)
        ]
        for line in lines[::2]:
            line.sendall(b"POST /webhooks/mixpanel/crm HTTP/1.1\r\nHost: ")  # and no more
        wait_until(lambda: open_files(server) >= IDLE, 30, "a thousand accepted connections")
        crm.sync(lambda _cycle: export("members", PEOPLE, 20))
        assert open_files(server) >= IDLE, "they were open all the while"

    assert crm.statuses == {200}
    assert books.members() == set(PEOPLE)
    books.assert_balanced()


def open_files(server: Server) -> int:
    """Open files of the web server's process that has most."""
    return max(files_of(one) for one in server.family())


def files_of(process: psutil.Process) -> int:
    try:
        return process.num_fds()
    except psutil.NoSuchProcess:
        return 0


def test_a_connection_that_never_calls_is_closed(file_url: str, make_server: MakeServer) -> None:
    server = make_server(file_url, command=FLASK_SERVE, SLOW_CLIENT_SECONDS="1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=ENDED_WITHIN) as line:
        line.sendall(b"POST /webhooks/mixpanel/crm HTTP/1.1\r\nHost: ")
        while line.recv(1000):  # raises where nobody closes it
            pass
