"""Everything works through a transaction pooler, which lends a server's session to each transaction (PgBouncer)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from app import create_app
from models.database import Database, DatabaseUnavailable
from models.maintenance import schema
from tests import servers
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.pgbouncer import pgbouncer
from tests.failing.sender import export, sender_of

IGNORES_OPTIONS = "ignore_startup_parameters = options,extra_float_digits"
POOLERS = {"refuses options": "", "ignores options": IGNORES_OPTIONS}
LIMITS = """SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),
    current_setting('idle_in_transaction_session_timeout')"""


@pytest.fixture
def direct() -> Iterator[str]:
    with servers.postgresql_database() as url:
        yield url


@pytest.fixture(params=POOLERS)
def pooled(direct: str, request: pytest.FixtureRequest) -> Iterator[str]:
    with pgbouncer(direct, more=POOLERS[request.param]) as url:
        yield url


def database_at(url: str, folder: Path, **changed: Any) -> Database:
    found: Database = create_app(settings_for(folder, database_url=url, **changed)).extensions["runtime"].database
    return found


@pytest.fixture
def database(pooled: str, tmp_path: Path) -> Iterator[Database]:
    found = database_at(pooled, tmp_path)
    yield found
    found.dispose()


def limits(db: Connection) -> tuple[Any, ...]:
    return tuple(db.execute(text(LIMITS)).one())


def test_a_pooler_is_found_and_each_transaction_has_its_time_limits(database: Database) -> None:
    assert database.read(limits) == ("4s", "1min", "1min")
    assert database.is_pooled
    assert database.write(limits) == ("4s", "1min", "1min")
    assert database.read(limits, one_statement=True) == ("4s", "1min", "1min")


def test_without_a_pooler_none_is_found_and_the_limits_are_the_sessions(direct: str, tmp_path: Path) -> None:
    database = database_at(direct, tmp_path)
    assert database.read(limits, one_statement=True) == ("4s", "1min", "1min")
    assert not database.is_pooled
    database.dispose()


def test_an_address_that_names_its_pooler_is_believed(direct: str, tmp_path: Path) -> None:
    database = database_at(f"{direct}?pgbouncer=true", tmp_path)
    assert database.is_pooled
    assert database.read(limits) == ("4s", "1min", "1min")
    database.dispose()


def test_options_of_the_address_are_kept_beside_ours(direct: str, tmp_path: Path) -> None:
    database = database_at(f"{direct}?options=-c%20search_path%3Dpg_catalog%20-c%20lock_timeout%3D7s", tmp_path)
    shown = database.read(lambda db: (db.exec_driver_sql("SHOW search_path").scalar_one(), *limits(db)))
    assert shown == ("pg_catalog", "7s", "1min", "1min")
    assert not database.is_pooled
    database.dispose()


OUR_LOCKS = """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database()"""  # other tests share the server, not the database


def test_nothing_of_one_transaction_is_left_to_the_next_user_of_its_session(pooled: str, tmp_path: Path) -> None:
    database = database_at(pooled, tmp_path)
    database.alter(schema.upgrade)
    database.write(limits)
    with psycopg.connect(pooled, prepare_threshold=None) as other:
        found = other.execute(LIMITS).fetchone()
        locks = other.execute(OUR_LOCKS).fetchone()
        prepared = other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert (found, locks, prepared) == (("0", "0", "0"), (0,), (0,))
    database.dispose()


def test_a_statement_that_takes_too_long_is_given_up_through_a_pooler_too(pooled: str, tmp_path: Path) -> None:
    database = database_at(pooled, tmp_path, database_statement_seconds=1)
    with pytest.raises(DatabaseUnavailable, match="57014"):
        database.read(lambda db: db.execute(text("SELECT pg_sleep(20)")))
    database.dispose()


def test_the_tables_are_made_and_one_process_at_a_time_changes_them(database: Database) -> None:
    database.alter(schema.upgrade)
    assert database.read(schema.stored_revision) == schema.newest_revision()
    order: list[str] = []
    began, may_end = threading.Event(), threading.Event()

    def first(_db: Connection) -> None:
        began.set()
        may_end.wait(20)
        order.append("first")

    one = threading.Thread(target=database.alter, args=(first,))
    one.start()
    assert began.wait(20)
    two = threading.Thread(target=database.alter, args=(lambda _db: order.append("second"),))
    two.start()
    two.join(0.5)
    assert two.is_alive()
    may_end.set()
    for thread in (one, two):
        thread.join(20)
    assert order == ["first", "second"]


def test_a_statement_that_runs_for_ever_is_prepared_nowhere(database: Database) -> None:
    """The driver prepares what it has sent five times; a pooler's next session would not know it."""

    def ask(number: int) -> int:
        found: int = database.read(lambda db: db.execute(text("SELECT 1 + :n"), {"n": number}).scalar_one())
        return found

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, range(200))) == list(range(1, 201))


@pytest.mark.slow
def test_exports_of_two_cohorts_end_exact_through_a_pooler(pooled: str, direct: str, make_server: MakeServer) -> None:
    server, books = make_server(pooled, "crm"), Books(direct)
    before, after = [f"p{n}" for n in range(1500)], [f"p{n}" for n in range(500, 2500)]

    def send(cohort: str) -> set[int]:
        sender = sender_of(server, "crm")
        for session, members in (("first", before), ("second", after)):
            for page in export("members", members, 100, session=session, cohort=cohort):
                sender.deliver(page)
        return sender.statuses

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, ["7", "8"])) == [{200}, {200}]
    for cohort in ("7", "8"):
        assert books.members(cohort) == set(after)
        books.assert_balanced(cohort)
