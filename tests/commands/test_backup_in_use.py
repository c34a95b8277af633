"""Backups of a relay at work by `flask backup`, SQLite's and PostgreSQL's."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from app import create_app
from models.maintenance import schema
from tests import servers
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.failing.sender import Sender, export, sender_of
from tests.failing.server import BIN, ROOT, Server, wait_until
from tests.relay import Relay, TestClock

pytestmark = pytest.mark.slow

PAGE = 20


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def at_work(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """The real server on SQLite."""
    server = Server(tmp_path, database_url)
    server.prepare("crm")
    server.start()
    server.wait_ready()
    yield server
    server.close()


@pytest.fixture
def crm(at_work: Server) -> Iterator[Sender]:
    """A sender whose exports do not end before the test does: each refresh moves a few in and a few out."""
    sender, is_over = sender_of(at_work, "crm"), Event()

    def send() -> None:
        for number in count():
            people = [f"p{one}" for one in range(number, number + 5 * PAGE)]
            for page in export("members", people, PAGE, session=f"s{number}"):
                if is_over.is_set():
                    return
                sender.deliver(page)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        wait_until(lambda: len(sender.replies) > PAGE, 60, "the first exports")
        yield sender
        is_over.set()
        sending.result(60)


def flask(server: Server, *words: str | Path) -> None:
    subprocess.run([BIN / "flask", *words], cwd=ROOT, env=server.environment, capture_output=True, check=True)


def pages_in(books: Books) -> int:
    return int(books.rows("SELECT count(*) AS pages FROM sync_page")[0]["pages"])


def test_a_backup_in_the_middle_of_an_export_holds_all_that_was_answered_and_its_books_balance(
    at_work: Server, crm: Sender, tmp_path: Path
) -> None:
    for number in range(3):
        answered = len(crm.replies)
        flask(at_work, "backup", tmp_path / f"copy{number}.db")
        copy = Books(f"sqlite:///{tmp_path}/copy{number}.db")
        assert pages_in(copy) >= answered
        copy.assert_balanced()
    assert crm.statuses == {200}


def test_a_restore_under_a_running_relay_leaves_balanced_books_and_the_next_refresh_is_exact(
    at_work: Server, crm: Sender, tmp_path: Path
) -> None:
    flask(at_work, "backup", tmp_path / "copy.db")
    flask(at_work, "restore", tmp_path / "copy.db", "--yes")
    sent = len(crm.replies)
    wait_until(lambda: len(crm.replies) > sent + 2 * PAGE, 60, "pages after the restore")
    books = Books(at_work.database_url)
    books.assert_balanced()
    complete = [one["mixpanel_session_id"] for one in books.sessions() if one["status"] == "complete"]
    kept = [one["mixpanel_session_id"] for one in Books(f"sqlite:///{tmp_path}/copy.db").sessions()]
    assert set(complete) - set(kept), "no refresh became complete after the restore"
    assert crm.statuses <= {200, 503}


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Relay]:
    """A relay on a PostgreSQL database of its own."""
    for program in ("pg_dump", "pg_restore"):
        if shutil.which(program) is None:
            servers.missing(program)
    with servers.postgresql_database() as url:
        app = create_app(settings_for(tmp_path, database_url=url))
        app.extensions["runtime"].database.alter(schema.upgrade)
        relay = Relay(app, TestClock())
        yield relay
        relay.database.dispose()


def everything_said(relay: Relay) -> list[object]:
    paths = ("/cohorts", "/projects/1/cohorts/7/members", "/projects/1/cohorts/7/changes", "/people/1/ada", "/sessions")
    return [json.loads(relay.api(path).text) for path in paths]


def test_on_postgresql_too_a_restore_brings_back_a_relay_that_answers_the_same(
    on_postgresql: Relay, tmp_path: Path
) -> None:
    relay, file = on_postgresql, tmp_path / "it's a backup.dump"
    relay.refresh({"ada", "bob"})
    before = everything_said(relay)
    terminal = terminal_of(relay.app)
    assert terminal("backup", file).exit_code == 0
    relay.refresh({"cid"}, session="s2")
    relay.remove({"cid"}, session="s3")
    assert everything_said(relay) != before

    restored = terminal("restore", file, "--yes")
    assert restored.exit_code == 0, restored.output
    assert everything_said(relay) == before
    relay.add({"dan"}, session="s4")  # with the same password, and numbers that go on
    assert relay.members() == {"ada", "bob", "dan"}
