"""How many connections and slow callers a process of the web server takes, with smaller numbers than it is run with."""

import socket
import sys
from contextlib import ExitStack

import requests

from server import pool
from tests.failing.conftest import MakeServer
from tests.failing.server import Server, wait_until
from tests.failing.slow import slow_clients

START = """
import os, socket, sys, tempfile
from config.settings import load
from server import pool
pool.{name} = {number}
os.environ[pool.FOLDER] = tempfile.mkdtemp(dir=os.environ["INSTANCE_PATH"])
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listening.set_inheritable(True)
pool.serve(load(), listening.fileno())
"""


def command(name: str, number: int) -> tuple[str, ...]:
    return sys.executable, "-c", START.format(name=name, number=number), "{port}"


def answers(server: Server) -> bool:
    try:
        return requests.get(f"{server.url}/healthz", timeout=2, headers={"Connection": "close"}).ok
    except requests.RequestException:
        return False


def test_a_process_has_so_many_connections_open_and_the_next_one_waits(file_url: str, make_server: MakeServer) -> None:
    assert pool.CONNECTIONS == 8192
    server = make_server(file_url, "crm", command=command("CONNECTIONS", 5), SLOW_CLIENT_SECONDS="60")
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(5)]
        assert not answers(server)
        idle[0].close()
        assert answers(server)


def test_so_many_slow_callers_have_a_thread_each_and_the_next_call_waits(
    file_url: str, make_server: MakeServer
) -> None:
    assert pool.WAITERS == 256
    small = {"THREADS": "1", "SLOW_CLIENT_SECONDS": "60"}
    server = make_server(file_url, "crm", command=command("WAITERS", 2), **small)
    with slow_clients(server, "", 2):
        assert answers(server)
    with slow_clients(server, "", 3) as clients:
        wait_until(lambda: not answers(server), 20, "the wait for a thread")
        clients[0].line.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: answers(server), 20, "a thread")
