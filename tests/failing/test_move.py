"""Bar: the move to PostgreSQL under a running relay loses no page, also where its process is killed."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import psycopg
import pytest

from app import create_app
from config.settings import load
from models.maintenance import schema
from tests import servers
from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.sender import export, sender_of
from tests.failing.server import BIN, ROOT, Server, wait_until
from tests.relay import body

PEOPLE = 60_000
members = [f"p{number}" for number in range(100)]


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def target() -> Iterator[str]:
    with servers.postgresql_database() as url:
        yield url


@pytest.fixture
def server(database_url: str, target: str, make_server: MakeServer) -> Server:
    """The relay on SQLite, and `target` with its tables."""
    server = make_server(database_url, "crm")
    app = create_app(load(server.environment | {"DATABASE_URL": target}))
    app.extensions["runtime"].database.alter(schema.upgrade)
    app.extensions["runtime"].database.dispose()
    return server


def start_move(server: Server, target: str) -> "subprocess.Popen[str]":
    """`flask migrate-data`, as an operator runs it beside the relay."""
    command = [BIN / "flask", "migrate-data", "--to", target]
    return subprocess.Popen(command, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True)


def assert_moved(moving: "subprocess.Popen[str]") -> None:
    said, _ = moving.communicate(timeout=60)
    assert moving.returncode == 0, said


def test_pages_that_arrive_during_the_move_are_all_in_postgresql_afterwards(server: Server, target: str) -> None:
    crm = sender_of(server, "crm")
    is_moved = Event()
    crm.pause = lambda _seconds: is_moved.wait(120)

    def send() -> int:
        """One diff after another until the move is over; returns how many."""
        for number in count(1):
            crm.deliver(body("add_members", [f"p{number}"], session=f"s{number}"))
            if is_moved.is_set():
                return number
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send)
        wait_until(lambda: crm.replies, 60, "the first page")
        assert_moved(start_move(server, target))
        wait_until(lambda: crm.replies[-1].status == 503, 60, "a page that SQLite refuses")
        server.stop()
        server.database_url = target
        server.start()
        server.wait_ready()
        is_moved.set()
        everybody = {f"p{number}" for number in range(1, sent.result(60) + 1)}
    assert crm.statuses == {200, 503}
    books = Books(target)
    assert books.members() == everybody
    books.assert_balanced()


_MANY = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO person (project_id, distinct_id, named_fields, properties, created_at, updated_at)
    SELECT '2', 'd' || i, 0, '{}', 1, 1 FROM n"""


def test_a_move_that_is_killed_while_it_copies_leaves_sqlite_open_and_postgresql_empty(
    server: Server, target: str
) -> None:
    app = create_app(load(server.environment))
    app.extensions["runtime"].database.write(lambda db: db.exec_driver_sql(_MANY, (PEOPLE,)))
    app.extensions["runtime"].database.dispose()
    with psycopg.connect(target, autocommit=True) as watcher:

        def copying() -> bool:
            return watcher.execute(_COPYING).fetchone() is not None

        moving = start_move(server, target)
        wait_until(lambda: copying() or moving.poll() is not None, 60, "the copy of people")
        moving.kill()
        assert moving.wait() == -9
        wait_until(lambda: not copying(), 10, "the end of its transaction")
        assert watcher.execute("SELECT count(*) FROM person").fetchone() == (0,)
    crm = sender_of(server, "crm")
    for page in export("members", members, 100, session="s1"):
        crm.deliver(page)
    assert_moved(start_move(server, target))
    assert Books(target).members() == set(members)


_COPYING = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'COPY "person"%' AND state = 'active'"""
