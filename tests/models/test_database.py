"""The one place that begins and commits."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from app import create_app
from models.database import Database, DatabaseUnavailable
from tests.conftest import settings_for
from tests.relay import Relay

ADD = text("INSERT INTO connection (name, enabled, created_at) VALUES (:name, true, 0)")


def add(database: Database, name: str) -> None:
    database.write(lambda db: db.execute(ADD, {"name": name}))


def names(relay: Relay) -> list[str]:
    return [row["name"] for row in relay.rows("SELECT name FROM connection WHERE name <> 'crm' ORDER BY name")]


def test_what_was_written_is_committed_when_write_returns(relay: Relay) -> None:
    add(relay.database, "a")
    assert names(relay) == ["a"]


def test_a_failure_rolls_everything_back_and_is_raised(relay: Relay) -> None:
    def work(db: Connection) -> None:
        db.execute(ADD, {"name": "a"})
        raise KeyError

    with pytest.raises(KeyError):
        relay.database.write(work)
    assert names(relay) == []


def test_an_error_of_the_work_is_not_taken_for_a_database_that_is_away(relay: Relay) -> None:
    add(relay.database, "a")
    with pytest.raises(IntegrityError):
        add(relay.database, "a")


def test_p29_an_error_of_the_database_does_not_repeat_the_values(relay: Relay) -> None:
    add(relay.database, "a")
    with pytest.raises(IntegrityError) as caught:
        relay.database.write(lambda db: db.execute(ADD, {"name": "a"}))
    assert "'a'" not in str(caught.value).split("[SQL")[1]


def test_many_writers_at_once_all_get_their_turn(relay: Relay) -> None:
    writers = [threading.Thread(target=add, args=(relay.database, f"w{number}")) for number in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(names(relay)) == 20


def test_two_writers_that_lock_each_other_out_are_both_tried_again(relay: Relay) -> None:
    for name in ("a", "b"):
        add(relay.database, name)
    both_hold_one, attempts = threading.Barrier(2, timeout=2), []

    def swap(first: str, second: str) -> None:
        def work(db: Connection) -> None:
            attempts.append(first)
            db.execute(text("UPDATE connection SET created_at = created_at + 1 WHERE name = :name"), {"name": first})
            meet(both_hold_one)
            db.execute(text("UPDATE connection SET created_at = created_at + 1 WHERE name = :name"), {"name": second})

        relay.database.write(work)

    writers = [threading.Thread(target=swap, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    touched = relay.rows("SELECT created_at FROM connection WHERE name IN ('a', 'b')")
    assert [row["created_at"] for row in touched] == [2, 2]
    if relay.database.dialect == "postgresql":  # on SQLite the second waits for the first and never meets it
        assert len(attempts) == 3


def meet(barrier: threading.Barrier) -> None:
    """Wait until the other one is here too, but not where only one can be."""
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        return


def test_readers_do_not_wait_for_a_writer(relay: Relay) -> None:
    def work(db: Connection) -> list[str]:
        db.execute(ADD, {"name": "unseen"})
        return names(relay)

    assert relay.database.write(work) == []


@pytest.mark.parametrize("address", ["sqlite:////nowhere/at/all.db", "postgresql://postgres@127.0.0.1:1/none"])
def test_a_database_out_of_reach_is_unavailable(tmp_path: Path, address: str) -> None:
    database = create_app(settings_for(tmp_path, database_url=address)).extensions["runtime"].database
    for work in (database.read, database.write):
        with pytest.raises(DatabaseUnavailable):
            work(lambda db: db.execute(text("SELECT 1")))


def test_sqlite_keeps_what_was_answered_through_a_power_cut(tmp_path: Path) -> None:
    database = create_app(settings_for(tmp_path)).extensions["runtime"].database

    def pragma(name: str) -> Any:
        return database.write(lambda db: db.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    database.dispose()


def test_one_process_at_a_time_changes_the_tables_and_the_others_wait(relay: Relay, tmp_path: Path) -> None:
    settings = relay.app.extensions["runtime"].settings
    other = create_app(settings).extensions["runtime"].database
    began, may_end, order = threading.Event(), threading.Event(), []

    def first(_db: Connection) -> None:
        began.set()
        may_end.wait(20)
        order.append("first")

    one = threading.Thread(target=relay.database.alter, args=(first,))
    one.start()
    assert began.wait(20)
    two = threading.Thread(target=other.alter, args=(lambda _db: order.append("second"),))
    two.start()
    two.join(0.5)
    assert two.is_alive()
    may_end.set()
    for thread in (one, two):
        thread.join(20)
    other.dispose()
    assert order == ["first", "second"]


def test_whoever_fails_at_changing_the_tables_leaves_the_way_free(relay: Relay) -> None:
    def fail(_db: Connection) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        relay.database.alter(fail)
    assert relay.database.alter(lambda _db: "free") == "free"
