"""The roles of deploy/postgresql-roles.sql: the owner migrates, one serves, one reads, and none does more."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from app import create_app
from erasure.erase import eraser
from erasure.records import DataSubject
from security.key_uses import DIGESTED, SEALED
from tests import servers
from tests.conftest import settings_for
from tests.relay import Relay, TestClock

ROLES = Path(__file__).resolve().parents[2] / "deploy" / "postgresql-roles.sql"


@dataclass(frozen=True)
class Roles:
    """A database of its own with the three roles, under names that no other test uses."""

    url: str
    prefix: str

    def of(self, role: str) -> str:
        """The database's address for the owner, the app or the reader."""
        return self.url.replace("//postgres@", f"//{self.prefix}_{role}@")

    def make(self) -> None:
        """Run the script as the superuser; may be done again."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(ROLES.read_text().replace("cohort_relay_", f"{self.prefix}_").encode())

    def app(self, role: str, folder: Path) -> Flask:
        return create_app(settings_for(folder, database_url=self.of(role)), clock=TestClock())


@pytest.fixture
def roles(postgresql_template: str) -> Iterator[Roles]:
    prefix = f"r{uuid.uuid4().hex[:10]}"
    with servers.postgresql_admin() as admin:
        try:
            with servers.postgresql_database() as url:
                if "//postgres@" not in url:
                    pytest.skip("TEST_POSTGRESQL_URL names another user")
                made = Roles(url, prefix)
                made.make()
                yield made
        finally:
            for role in ("owner", "app", "reader"):
                admin.execute(f"DROP ROLE IF EXISTS {prefix}_{role}".encode())


def refused(url: str, *statements: str) -> list[str]:
    """Those statements that PostgreSQL refuses for want of rights."""
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                found.append(statement)
    return found


def test_the_owner_migrates_one_serves_and_one_reads(roles: Roles, tmp_path: Path) -> None:
    owner = roles.app("owner", tmp_path)
    assert owner.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    roles.make()
    app = roles.app("app", tmp_path)
    relay = Relay(app, app.extensions["runtime"].clock)
    relay.refresh(["ada", "bob"])
    relay.remove(["bob"])
    relay.settle()
    assert (relay.members(), relay.api("/cohorts").status_code) == ({"ada"}, 200)
    assert relay.sign_in().submit("/connections/new", {"name": "web"}).status_code == 200
    assert app.test_cli_runner().invoke(args=["work", "--once"]).exit_code == 0
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0  # nothing to do
    assert eraser(app.extensions["runtime"]).erase(DataSubject("1", "ada"), "tests").erased_at
    changes = ["CREATE TABLE mine (id int)", "DROP TABLE failure", "ALTER TABLE person ADD x int", "TRUNCATE person"]
    assert refused(roles.of("app"), *changes) == changes
    assert (
        refused(roles.of("reader"), "SELECT distinct_id, left_at FROM person p JOIN membership m ON m.person_id = p.id")
        == []
    )
    secret = sorted({column.table for column in (*SEALED, *DIGESTED)} | {"operator"})
    reads = [f"SELECT 1 FROM {table}" for table in secret]
    writes = ["DELETE FROM person", "UPDATE cohort SET name = ''", "CREATE TABLE mine (id int)"]
    assert refused(roles.of("reader"), *reads, *writes) == [*reads, *writes]
    for one in (owner, app):
        one.extensions["runtime"].database.dispose()
