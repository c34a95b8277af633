"""The table in a company's own database, on PostgreSQL, MariaDB and SQLite: exactly the cohort, exactly once."""

import json
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text

from destinations.contract import Erasing, Feed, Readable
from destinations.transport import WrongAddress
from destinations.types.sql import SQL, SqlAdapter
from tests import servers
from tests.destinations.far_end import FEED, NOW, change, opened
from tests.destinations.histories import History, calls, histories
from tests.outbound.talking_server import talking_server

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def sqlite_database(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'their.db'}"


@pytest.fixture(params=["sqlite", "postgresql", "mysql"], scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    made: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: sqlite_database(tmp_path_factory.mktemp("their")),
        "postgresql": servers.postgresql_database,
        "mysql": servers.mysql_database,
    }
    with made[request.param]() as found:
        yield found


def adapter(url: str, *, private: bool = True, password: str = "", **more: Any) -> SqlAdapter:
    secrets = {"password": [password]} if password else {}
    made = opened({"url": url, "table": "cohort_membership", "timeout_seconds": 5} | more, secrets, private=private)
    found = SQL.open(made)
    assert isinstance(found, SqlAdapter)
    return found


def new_feed() -> Feed:
    """A cohort of its own in the same database."""
    return replace(FEED, cohort_id=uuid.uuid4().hex)


def engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:"))


def rows(url: str, feed: Feed, table: str = "cohort_membership") -> list[dict[str, Any]]:
    with closing_engine(url) as db:
        found = db.execute(
            text(f"SELECT * FROM {table} WHERE cohort_id = :id AND identity <> '' ORDER BY identity"),
            {"id": feed.cohort_id},
        )
        return [dict(row) for row in found.mappings()]


def run(url: str, statement: str, **values: Any) -> None:
    with closing_engine(url) as db:
        db.execute(text(statement), values)
        db.commit()


@contextmanager
def closing_engine(url: str) -> Iterator[Any]:
    made = engine(url)
    try:
        with made.connect() as db:
            yield db
    finally:
        made.dispose()


def test_a_row_is_written_on_entry_and_gone_on_exit(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        entered = change(1, "ada", entry_number=2, at=1_777_629_600_123, fields={"plan": "pro", "n": 3, "x": None})
        assert table.send(feed, [entered]).verdicts[1].outcome == "applied"
        (row,) = rows(url, feed)
        assert (row["project_id"], row["distinct_id"], row["entry_number"]) == ("1234567", "ada", 2)
        fields = json.loads(row["fields"]) if isinstance(row["fields"], str) else row["fields"]
        assert fields == {"plan": "pro", "n": 3, "x": None}
        assert table.send(feed, [change(2, "ada", "left", entry_number=2)]).verdicts[2].outcome == "applied"
        assert rows(url, feed) == []


def test_times_are_utc_in_milliseconds(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        table.send(feed, [change(1, "ada", at=1_777_629_600_123)])
    (row,) = rows(url, feed)
    for name, wanted in (("entered_at", 1_777_629_600_123), ("updated_at", NOW)):
        found = row[name]
        moment = datetime.fromisoformat(found) if isinstance(found, str) else found
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        assert round(moment.timestamp() * 1000) == wanted


@FEW
@given(data=st.data(), history=histories())
def test_the_table_is_the_cohort_whatever_the_order_and_however_often(
    url: str, data: st.DataObject, history: History
) -> None:
    feed, order = new_feed(), data.draw(calls(history.changes))
    with closing(adapter(url)) as table:
        table.send(new_feed(), [change(1, "ada")])  # the table is there, whichever test is the first
        for call in order:
            outcome = table.send(feed, call)
            assert {verdict.outcome for verdict in outcome.verdicts.values()} == {"applied"}, outcome
        assert {row["identity"]: row["entry_number"] for row in rows(url, feed)} == history.truth
        assert isinstance(table, Readable)
        assert sorted(table.members(feed)) == sorted(history.truth)


def test_a_repeat_changes_nothing_at_all(url: str) -> None:
    """Also not when a row was written last."""
    feed, later = new_feed(), opened({"url": url, "timeout_seconds": 5})
    with closing(adapter(url)) as table, closing(SqlAdapter(replace(later, clock=lambda: NOW + 60_000))) as repeated:
        table.send(feed, [change(1, "ada"), change(2, "bob")])
        before = rows(url, feed), rows(url, feed, "cohort_relay_position")
        repeated.send(feed, [change(1, "ada"), change(2, "bob")])
        assert rows(url, feed) == before[0]
        assert [row["position"] for row in rows(url, feed, "cohort_relay_position")] == [1, 2]


def test_the_cohorts_own_position_is_the_furthest_one(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        for number in (7, 3):
            table.send(feed, [change(number, f"person-{number}")])
    with closing_engine(url) as db:
        own = "SELECT position FROM cohort_relay_position WHERE cohort_id = :id AND identity = ''"
        assert db.execute(text(own), {"id": feed.cohort_id}).scalars().all() == [7]


def test_rows_that_others_put_there_are_left_alone(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        table.send(feed, [change(1, "ada")])
        run(
            url,
            "INSERT INTO cohort_membership SELECT project_id, cohort_id, 'theirs', distinct_id, entry_number,"
            " entered_at, fields, updated_at FROM cohort_membership WHERE cohort_id = :id",
            id=feed.cohort_id,
        )
        outcome = table.send(feed, [change(2, "theirs", "left"), change(3, "ada", "left")])
        assert outcome.verdicts[2].reason == "not_ours"
        assert [row["identity"] for row in rows(url, feed)] == ["theirs"]


def test_a_row_that_was_removed_by_hand_is_seen_and_put_back(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        table.send(feed, [change(4, "ada")])
        run(url, "DELETE FROM cohort_membership WHERE cohort_id = :id", id=feed.cohort_id)
        assert list(table.members(feed)) == []
        table.send(feed, [change(9, "ada", position=0)])
        assert list(table.members(feed)) == ["ada"]
        table.send(feed, [change(10, "ada", "left")])
        assert list(table.members(feed)) == []


def test_erasing_leaves_nothing_of_the_identity(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        assert isinstance(table, Erasing)
        table.send(feed, [change(1, "ada"), change(2, "bob")])
        assert table.erase(feed, change(3, "ada", "erased", position=0)).verdicts[3].outcome == "applied"
        for name in ("cohort_membership", "cohort_relay_position"):
            assert [row["identity"] for row in rows(url, feed, name)] == ["bob"]


def test_members_are_read_page_by_page_to_the_last(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url)) as table:
        people = [change(number, f"p-{number:04}") for number in range(1, 2002)]
        for first in range(0, len(people), 500):
            table.send(feed, people[first : first + 500])
        assert list(table.members(feed)) == [person.identity for person in people]


def test_what_does_not_fit_is_rejected_by_itself(url: str) -> None:
    feed = new_feed()
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"in": deep}
    with closing(adapter(url)) as table:
        unfit = [change(1, "x" * 256), change(2, "a\0b"), change(3, "deep", fields=deep)]
        outcome = table.send(feed, [*unfit, change(4, "ada")])
        assert {number: verdict.outcome for number, verdict in outcome.verdicts.items()} == {
            **dict.fromkeys((1, 2, 3), "rejected"),
            4: "applied",
        }
        assert [row["identity"] for row in rows(url, feed)] == ["ada"]


def test_calls_at_once_to_one_cohort_end_as_one_after_the_other(url: str) -> None:
    feed = new_feed()
    people = [f"p-{number}" for number in range(20)]
    rounds = [
        [change(100 * step + place, name, kind, entry_number=step) for place, name in enumerate(people, 1)]
        for step, kind in ((1, "entered"), (2, "left"), (3, "entered"))
    ]

    def work(batch: list[Any]) -> None:
        with closing(adapter(url)) as table:
            while table.send(feed, batch).refusal is not None:
                pass

    threads = [threading.Thread(target=work, args=(batch,)) for batch in (*rounds, *rounds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(row["identity"] for row in rows(url, feed)) == sorted(people)
    assert {row["entry_number"] for row in rows(url, feed)} == {3}


def test_a_call_that_waits_too_long_changes_nothing_and_is_tried_again(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url, timeout_seconds=1)) as table:
        table.send(feed, [change(1, "ada")])
        with closing_engine(url) as db:
            db.execute(
                text("UPDATE cohort_relay_position SET kind = kind WHERE cohort_id = :id"), {"id": feed.cohort_id}
            )
            refusal = table.send(feed, [change(2, "ada", "left"), change(3, "bob")]).refusal
            db.rollback()
        assert refusal is not None
        assert refusal.kind == "unavailable"
        assert [row["identity"] for row in rows(url, feed)] == ["ada"]
        assert table.send(feed, [change(2, "ada", "left"), change(3, "bob")]).refusal is None
        assert [row["identity"] for row in rows(url, feed)] == ["bob"]


def test_a_table_that_is_dropped_meanwhile_is_made_again(url: str) -> None:
    feed = new_feed()
    with closing(adapter(url, table="dropped")) as table:
        table.send(feed, [change(1, "ada")])
        run(url, "DROP TABLE dropped")
        assert table.send(feed, [change(2, "bob")]).refusal is not None
        assert table.send(feed, [change(2, "bob")]).refusal is None
        assert list(table.members(feed)) == ["bob"]


def test_a_check_makes_nothing_and_says_what_it_found(url: str) -> None:
    name = f"t_{uuid.uuid4().hex}"
    with closing(adapter(url, table=name)) as table:
        check = table.check()
        assert (check.ok, "made with the first change" in check.told) == (True, True)
        table.send(new_feed(), [change()])
        assert "is there" in table.check().told
    run(url, f"CREATE TABLE other_{name[:20]} (identity INT)")
    with closing(adapter(url, table=f"other_{name[:20]}")) as table:
        check = table.check()
        assert not check.ok
        assert "distinct_id" in check.told


def test_an_old_connection_is_made_anew(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a file has no connections that a server ends")
    feed = new_feed()
    with closing(adapter(url)) as table:
        table.send(feed, [change(1, "ada")])
        table._engine.raw_connection().driver_connection.close()
        assert table.send(feed, [change(2, "bob")]).refusal is None


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_private_and_metadata_addresses_are_refused_before_anything_is_said(scheme: str) -> None:
    with servers_socket() as (port, came):
        for host, private in (("127.0.0.1", False), ("localhost", False), ("169.254.169.254", True)):
            with closing(
                adapter(f"{scheme}://u@{host}:{port}/d", private=private, password="planted-pw-7731")
            ) as table:
                refusal = table.send(FEED, [change()]).refusal
                assert refusal is not None
                assert (refusal.kind, refusal.reason) == ("gone", "address_refused")
                assert not table.check().ok
        assert came == []


@contextmanager
def servers_socket() -> Iterator[tuple[int, list[object]]]:
    """A port, and who came to it."""
    came: list[object] = []
    with talking_server(lambda connection: came.append(connection.recv(100))) as port:
        yield port, came


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_or_says_nothing_is_tried_again(scheme: str) -> None:
    def hang(connection: Any) -> None:
        connection.recv(1000)
        connection.settimeout(10)
        connection.recv(1000)

    with talking_server(hang) as port:
        for place in (1, port):
            with closing(adapter(f"{scheme}://u@127.0.0.1:{place}/d", timeout_seconds=1)) as table:
                refusal = table.send(FEED, [change()]).refusal
                assert refusal is not None
                assert refusal.kind == "unavailable"


def test_wrong_credentials_and_a_missing_database_wait_for_a_person_on_mysql() -> None:
    with servers.mysql_database() as url:
        wrong = url.replace("root@", "nobody@")
        refused = adapter(wrong, password="planted-pw-7731").send(FEED, [change()]).refusal
        assert refused is not None
        assert refused.kind == "credentials"
        assert "planted" not in str(refused)
        gone = adapter(f"{url}_not_there").send(FEED, [change()]).refusal
        assert gone is not None
        assert gone.kind == "gone"


def test_a_missing_database_waits_for_a_person_on_postgresql() -> None:
    with servers.postgresql_database() as url:
        gone = adapter(f"{url}_not_there").send(FEED, [change()]).refusal
        assert gone is not None
        assert gone.kind == "gone"


@pytest.mark.parametrize(
    "wrong",
    [
        *("oracle://h/d", "postgresql://h", "postgresql:///d", "mysql://h/a/b", "sqlite:///relative.db", "sqlite://"),
        *("postgresql://u:pw@h/d", "postgresql://h/d?service=x", "mysql://h/d?read_default_file=/etc/passwd"),
        *("postgresql://h/d?sslmode=odd", "sqlite:////x.db?mode=ro", "postgresql://h:x/d", "postgresql://h/d#x", "x"),
    ],
)
def test_what_is_no_address_of_a_database_is_refused(wrong: str) -> None:
    with pytest.raises(WrongAddress) as refused:
        adapter(wrong)
    assert "pw@" not in str(refused.value)


@pytest.mark.parametrize("table", ["a b", "a;drop", 'x"', "a.b.c", "cohort_relay_position", "x.cohort_relay_position"])
def test_what_is_no_name_of_a_table_is_refused(table: str) -> None:
    with pytest.raises(WrongAddress):
        adapter("sqlite:////tmp/x.db", table=table)


def test_the_relays_own_database_is_no_destination(tmp_path: Path, sqlite_template: Path) -> None:
    relay_file = Path(shutil.copy(sqlite_template, tmp_path))
    with closing(adapter(f"sqlite:///{relay_file}")) as table:
        assert not table.check().ok
        refusal = table.send(FEED, [change()]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("gone", "own_database")
    with closing(sqlite3.connect(relay_file)) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'cohort_relay%'").fetchone() == (0,)


def test_a_file_that_is_not_there_yet_is_not_made_by_a_check(tmp_path: Path) -> None:
    assert adapter(f"sqlite:///{tmp_path}/new.db").check().ok
    assert not adapter(f"sqlite:///{tmp_path}/nowhere/new.db").check().ok
    assert list(tmp_path.iterdir()) == []


def test_a_preview_shows_the_rows_and_no_secret(tmp_path: Path) -> None:
    table = adapter(f"sqlite:///{tmp_path}/new.db", password="planted-pw-7731")
    shown = table.preview(FEED, [change(1, "ada", fields={"plan": "pro"}), change(2, "bob", "left")])
    assert [json.loads(line).keys() & {"put", "delete"} for line in shown.splitlines()] == [{"put"}, {"delete"}]
    assert "planted" not in shown
