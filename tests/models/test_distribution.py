"""What docs/scaling.md says of several nodes: which statements keep to one cohort or one bucket of people, which ask
every bucket, and which change at the move. A parser reads each statement of a day, and PostgreSQL plans it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import create_app
from destinations import registry
from models import distribution
from models.database import db
from sync.dialects import postgresql
from tests import servers
from tests.commands.conftest import terminal_of
from tests.conftest import empty, settings_for
from tests.destinations import sets_and_streams
from tests.destinations.conftest import Relaying
from tests.models import traffic
from tests.models.confinement import Statement
from tests.models.partitioned import PARTITIONS, Ran, partitioned_database, planned, recorded, touched
from tests.relay import Relay, TestClock
from tests.sync.test_retention import counted
from tests.test_architecture import MAY_IMPORT, ROOT, sources

pytestmark = pytest.mark.slow

Where = tuple[str, str]  # a file and a function
SCALING = (ROOT / "docs" / "scaling.md").read_text()
ROW = re.compile(r"^\| `([\w/]+\.py)` \| `(\w+)` \|", re.MULTILINE)
WRITTEN = re.compile(r"```sql\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"(?<![:\w]):(\w+)")
PLAYED = {
    "sweep_inline_members": 0,
    "sweep_step_members": 5,
    "removal_guard_percent": 50,
    "removal_guard_min_members": 10,
}


def section(heading: str) -> str:
    """What stands below a heading of docs/scaling.md, up to the next one."""
    return SCALING.partition(f"### {heading}\n")[2].partition("\n#")[0]


def relay_on(url: str, folder: Path) -> Relay:
    clock = TestClock()
    return Relay(create_app(settings_for(folder, database_url=url, **PLAYED), clock), clock)


@dataclass(frozen=True)
class Day:
    """A day on partitioned tables: the relay as it is in the evening, and what it has asked."""

    relay: Relay
    ran: list[Ran]

    @cached_property
    def by_function(self) -> dict[Where, list[tuple[Ran, Statement]]]:
        read = {one.sql: Statement(one.sql) for one in self.ran}
        found: dict[Where, list[tuple[Ran, Statement]]] = {}
        for one in self.ran:
            if read[one.sql].sources and not one.where[0].startswith("tests/"):
                found.setdefault(one.where, []).append((one, read[one.sql]))
        return found

    def those(self, attribute: str) -> set[Where]:
        return {where for where, ran in self.by_function.items() if any(getattr(one, attribute) for _, one in ran)}


@pytest.fixture(scope="module")
def day(postgresql_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    empty(postgresql_template)  # other tests have been there
    with partitioned_database(postgresql_template) as url:
        relay = relay_on(url, tmp_path_factory.mktemp("day"))
        with recorded(relay.database.reader, relay.database.writer) as ran, far_ends():
            traffic.day(Relaying(relay))
        yield Day(relay, ran)
        relay.database.dispose()


@contextmanager
def far_ends() -> Iterator[None]:
    """The destinations of the tests, which are in memory."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in sets_and_streams.TYPES:
            patch.setitem(registry.TYPES, kind.name, kind)
        yield
    sets_and_streams.FAR_ENDS.clear()


def test_every_key_has_the_column_but_the_one_that_the_move_prepares() -> None:
    assert distribution.lacking() == ["pk_person"]
    assert "ADD CONSTRAINT pk_person PRIMARY KEY" in distribution.PREPARE[-1]
    assert distribution.STAYS.keys() <= db.metadata.tables.keys() - distribution.DISTRIBUTED.keys()


def test_no_key_of_another_table_leads_across_nodes() -> None:
    for table in db.metadata.tables.values():
        for key in table.foreign_keys:
            assert {table.name, key.column.table.name}.isdisjoint(distribution.DISTRIBUTED), key


def test_a_day_on_prepared_and_partitioned_tables_is_exact(day: Day) -> None:
    for cohort in ("7", "8"):
        assert len(set(counted(day.relay, cohort))) == 1
    assert day.relay.members("8") == {"u00", "u02", "u03"}  # of four who stayed one was erased


def test_the_statements_that_ask_every_bucket_or_change_at_the_move_are_those_that_the_document_names(day: Day) -> None:
    changing = day.those("changes")
    assert changing == set(ROW.findall(section("Statements that change at the move")))
    assert day.those("spans") - changing == set(ROW.findall(section("Statements that ask every bucket")))
    assert {("sync/dialects/postgresql.py", "write_people"), ("sync/sweep/leavers.py", "leavers")} <= set(
        day.by_function
    ) - changing - day.those("spans")


def test_the_files_whose_statements_the_day_does_not_play_are_those_that_the_document_names(day: Day) -> None:
    written = {
        str(path.relative_to(ROOT)) for room in MAY_IMPORT for path in sources(room) if SQL.search(path.read_text())
    }
    unplayed = section("Statements that ask every bucket").partition("**Not played**")[2]
    assert written - {file for file, _ in day.by_function} - NO_STATEMENTS == set(
        re.findall(r"`([\w/]+\.py)`", unplayed)
    )


SQL = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE) (?:{'|'.join(distribution.DISTRIBUTED)})\b")
NO_STATEMENTS = {
    "destinations/probing.py",  # a docstring
    "models/maintenance/transfer.py",  # the move from SQLite, before this one
    "models/queries/trail.py",  # a part of others' statements
    "sync/dialects/sqlite.py",
}


def test_the_planner_goes_to_one_partition_for_each_statement_that_the_parser_finds_confined(day: Day) -> None:
    for where, ran in day.by_function.items():
        for sql, read in {one.sql: read for one, read in ran}.items():
            seen = {table for one, _ in ran if one.sql == sql for table in one.spanned}
            assert seen <= read.spans, f"{where}: {sql}"  # fewer where few rows lead to few buckets


def test_a_statement_that_names_no_column_is_found_out_both_ways(day: Day) -> None:
    with recorded(day.relay.database.reader) as ran:
        day.relay.rows(
            "SELECT count(*) FROM membership m JOIN person p ON p.id = m.person_id WHERE m.person_id > :n", n=0
        )
    assert ran[0].spanned == Statement(ran[0].sql).spans == {"membership", "person"}
    assert Statement(ran[0].sql).changes == {"reads people and cohorts at once"}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE person SET distinct_id = :alias WHERE distinct_id = :key", "moves a row"),
        ("SELECT id FROM person WHERE id = ANY (:ids) FOR UPDATE", "locks rows of every bucket"),
        (
            "SELECT (SELECT email FROM person p WHERE p.id = a.person_id) FROM message a",
            "asks for each row of elsewhere",
        ),
        ("SELECT 1 FROM message a LEFT JOIN person p ON p.id = a.person_id", "adds to rows of elsewhere"),
        (
            "SELECT 1 FROM json_each(:a) j, LATERAL (SELECT id FROM person WHERE id = j.value) p",
            "probes from row to row",
        ),
        (
            "WITH RECURSIVE t AS (SELECT number FROM membership_change UNION ALL SELECT number FROM t) SELECT 1 FROM t",
            "walks from row to row",
        ),
    ],
)
def test_what_an_engine_cannot_do_is_found_out(sql: str, reason: str) -> None:
    assert Statement(sql).changes == {reason}


def address(relay: Relay) -> str:
    return relay.database.writer.url.set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass(frozen=True)
class Page:
    """A page of cohort 8 that names two members and somebody new, on a database of its own connection."""

    relay: Relay
    there: psycopg.Connection[Any]

    @cached_property
    def values(self) -> dict[str, Any]:
        ids = [self.relay.person(name)["id"] for name in DIGESTS if name != "nobody"]
        stay = {"person_id": ids[0], "entered_at": 1, "left_at": 2, "entry_number": 1, "change_number": 99}
        stays = json.dumps([stay | {"entered": False, "previous": 1}])
        cohort = self.relay.cohort("8")["id"]
        return {"ids": ids, "stays": stays, "project_id": "1", "cohort_id": cohort, **ANY_SESSION}

    def asked(self, sql: str, **more: Any) -> list[Any]:
        """The rows, which must be of one partition; what is written is taken back."""
        values, sql = self.values | more, NAMED.sub(r"%(\1)s", sql)
        assert len(set(touched(planned(self.there, sql, values)))) <= 1, sql
        with self.there.transaction(force_rollback=True):
            answered = self.there.execute(sql, values)
            return answered.fetchall() if answered.description else []

    def shares(self) -> Iterator[dict[str, list[Any]]]:
        """The keys and their digests, by bucket; Citus tells them by a function of its own."""
        for number in range(PARTITIONS):
            mine = [key for key in DIGESTS if self.there.execute(IS_IN, (PARTITIONS, number, key)).fetchone()[0]]
            yield {"keys": mine, "digests": [DIGESTS[key] for key in mine]}


DIGESTS = {"nobody": 1, "u02": 2, "u03": 3}
ANY_SESSION = {"session_id": 1, "session_number": 9, "now": 2}
IS_IN = "SELECT satisfies_hash_partition(CAST('person' AS regclass), %s, %s, CAST(%s AS text) COLLATE \"C\")"


def test_the_page_s_statements_for_several_nodes_keep_to_one_bucket_and_say_the_same(day: Day) -> None:
    people, stays, log, members = WRITTEN.findall(section("The page's statements there"))
    for sql in (people, stays, log, members):
        read = Statement(sql)
        assert (read.spans, read.changes) == (set(), set()), sql
    with psycopg.connect(address(day.relay)) as there:
        page = Page(day.relay, there)
        found = [row for share in page.shares() for row in page.asked(people, **share)]
        assert joined(found, page.asked(stays)) == {row[0]: row[1:] for row in as_today(page)}
        assert page.asked(log) == page.asked(members) == []


def joined(people: list[Any], stays: list[Any]) -> dict[str, Any]:
    """What one statement says today."""
    by_person = {row[0]: row[1:] for row in stays}
    found = {key: (number, profile, *by_person[number]) for key, number, profile in people}
    return {"nobody": (None,) * 7} | found


def as_today(page: Page) -> list[Any]:
    cohort = page.values["cohort_id"]
    return page.relay.database.read(lambda db: postgresql.read_people(db, "1", cohort, DIGESTS, None).known)


def test_citus_itself_distributes_the_tables_and_plans_every_statement_that_does_not_change(
    day: Day, postgresql_template: str, tmp_path: Path
) -> None:
    """Where the extension is not there, the planner and the parser above are what tells; CI need not have it."""
    with servers.postgresql_admin() as admin:
        if "citus" not in admin.execute("SHOW shared_preload_libraries").fetchone()[0]:
            pytest.skip("this PostgreSQL has no extension citus in shared_preload_libraries")
    empty(postgresql_template)
    with servers.postgresql_database(postgresql_template.rpartition("/")[2]) as url:
        with psycopg.connect(url, autocommit=True) as there:
            there.execute("CREATE EXTENSION citus")
        relay = relay_on(url, tmp_path)
        said = [terminal_of(relay.app)("db", "distribute").output for _ in range(2)]
        assert said == ["Distributed: membership, membership_change, person.\n", "All are distributed already.\n"]
        with psycopg.connect(url) as there:
            assert dict(there.execute(COLUMNS).fetchall()) == distribution.DISTRIBUTED
            for where, ran in day.by_function.items():
                for one, read in ran:
                    if not read.changes and not read.writes:
                        assert there.execute("EXPLAIN " + one.sql, one.values).fetchone(), where
                        there.rollback()
            page = Page(day.relay, there)
            for sql in WRITTEN.findall(section("The page's statements there")):
                there.execute(NAMED.sub(r"%(\1)s", sql), page.values | {"keys": ["u02"], "digests": [2]})
                there.rollback()
        relay.database.dispose()


COLUMNS = """
    SELECT CAST(logicalrelid AS text), column_to_column_name(logicalrelid, partkey) FROM pg_dist_partition
    WHERE partmethod = 'h'"""
