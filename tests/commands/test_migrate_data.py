"""`flask migrate-data`: everything from SQLite into PostgreSQL, the same row by row, or nothing at all."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config.database_url import parameters
from models.database import db
from models.maintenance import close_for_writes, schema, transfer
from outbound import projects
from outbound.projects import ProjectFields
from security import tokens
from tests.commands.rows import ODD_PROPERTIES, ODD_TEXT, everything, exact, fill, tables
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.models.test_migrations import differences
from tests.relay import Relay, basic, body, member


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def target(postgresql_template: str) -> str:
    """An empty PostgreSQL database with our tables."""
    with psycopg.connect(postgresql_template, autocommit=True) as connection:
        tables = ", ".join(f'"{table}"' for table in db.metadata.tables)
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return postgresql_template


@pytest.fixture
def filled(relay: Relay) -> Relay:
    """A relay with some history, and at least one row in every table."""
    relay.refresh([member("ada", email="ada@example.com", **ODD_PROPERTIES), "bob"], 1, 2)
    relay.refresh(["cid", "", "dan"], 2, 2)  # one of them is rejected
    relay.remove({"bob"}, session="s2")
    relay.add({"bob", "eve"}, session="s3", name=ODD_TEXT)
    relay.refresh({"solo"}, cohort="8")
    relay.post_raw("{")
    relay.database.write(lambda db: [fill(db, table) for table in tables()])
    return relay


def app_on(relay: Relay, url: str) -> Flask:
    """Another app with the same key, on another database."""
    settings = settings_for(relay.app.extensions["runtime"].settings.instance, database_url=url)
    return create_app(settings, relay.clock)


@pytest.fixture
def moved(filled: Relay, target: str, terminal) -> Iterator[Flask]:
    """The app on PostgreSQL, after everything was moved there."""
    result = terminal("migrate-data", "--to", target)
    assert result.exit_code == 0, result.output
    app = app_on(filled, target)
    yield app
    app.extensions["runtime"].database.dispose()


def said_by(client: FlaskClient, relay: Relay, path: str) -> Any:
    answer = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {relay.token}"})
    assert answer.status_code == 200, answer.text
    return exact(answer.text) if answer.is_json else [exact(line) for line in answer.text.splitlines()]


PATHS = (
    "/cohorts",
    "/projects/1/cohorts/7",
    "/projects/1/cohorts/7/members",
    "/projects/1/cohorts/7/members.ndjson",
    "/projects/1/cohorts/7/changes",
    "/people/1/ada",
    "/people/1/bob",
    "/sessions",
    "/sessions/1",
    "/failures",
)


def test_every_row_of_every_table_is_the_same_after_the_move(filled: Relay, moved: Flask) -> None:
    here, there = everything(filled.app), everything(moved)
    assert all(here.values())  # a table without rows would prove nothing
    for table in tables():
        assert there[table.name] == here[table.name], table.name


@pytest.mark.parametrize("path", PATHS)
def test_the_api_answers_the_same_from_both(filled: Relay, moved: Flask, path: str) -> None:
    assert said_by(moved.test_client(), filled, path) == said_by(filled.client, filled, path)


def test_the_next_page_arrives_with_the_same_password_and_is_exact(filled: Relay, moved: Flask, target: str) -> None:
    client = moved.test_client()
    for action, members, session in (("add_members", ["new", "ada"], "s4"), ("remove_members", ["cid"], "s5")):
        signed = basic(filled.name, filled.password)
        answer = client.post("/webhooks/mixpanel/crm", json=body(action, members, session=session), headers=signed)
        assert answer.json == {"action": action, "status": "success"}
    books = Books(target)
    assert books.members() == {"ada", "bob", "dan", "eve", "new"}
    books.assert_balanced()


def test_every_table_goes_on_numbering_after_its_highest_id(moved: Flask, target: str) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        for table in tables():
            for column in table.primary_key:
                named = (f'"{table.name}"', column.name)
                (sequence,) = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", named).fetchone()
                if sequence:
                    (highest,) = connection.execute(f'SELECT max({column.name}) FROM "{table.name}"').fetchone()
                    assert connection.execute("SELECT nextval(%s)", [sequence]).fetchone() == (highest + 1,)


def test_the_tables_have_all_their_indexes_and_rules_afterwards(moved: Flask) -> None:
    assert moved.extensions["runtime"].database.read(differences) == []


def test_sealed_credentials_open_with_the_same_key(relay: Relay, target: str, terminal) -> None:
    runtime = relay.app.extensions["runtime"]
    draft = ProjectFields("prod", "eu", "1", token="the-token", username="name", secret="the-secret")
    relay.database.write(lambda db: projects.add(db, runtime.cipher, draft, 1))
    assert terminal("migrate-data", "--to", target).exit_code == 0
    app = app_on(relay, target)
    project = app.extensions["runtime"].database.read(lambda db: projects.by_name(db, "prod"))
    app.extensions["runtime"].database.dispose()
    assert project.credentials(app.extensions["runtime"].cipher).secret == "the-secret"


def test_it_says_what_it_did_as_json(filled: Relay, target: str, terminal) -> None:
    report = json.loads(terminal("migrate-data", "--to", target, "--json").output)
    people = next(one for one in report["tables"] if one["table"] == "person")
    assert people == {"table": "person", "rows": 6, "stored": 6, "differing": 0}
    assert (report["equal"], report["unbalanced_cohorts"], report["was_there"]) == (True, 0, False)
    assert report["rows"] == sum(one["rows"] for one in report["tables"])


# --- what is refused


def test_a_password_in_the_address_is_not_repeated(filled: Relay, target: str, terminal) -> None:
    result = terminal("migrate-data", "--to", target.replace("postgres@", "postgres:planted@"))
    assert (result.exit_code, "planted" in result.output) == (0, False)


def test_a_target_with_rows_is_refused_and_left_alone(filled: Relay, target: str, terminal) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO connection (name, enabled, created_at) VALUES ('theirs', true, 1)")
    result = terminal("migrate-data", "--to", target)
    assert (result.exit_code, "not empty: there are rows in connection" in result.output) == (1, True)
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT name FROM connection").fetchall() == [("theirs",)]
    filled.add({"fay"}, session="s9")  # the relay goes on


def test_a_target_that_somebody_uses_is_refused(filled: Relay, target: str, terminal) -> None:
    with psycopg.connect(target) as other:
        other.execute("SELECT * FROM cohort")
        result = terminal("migrate-data", "--to", target)
    assert (result.exit_code, "busy" in result.output) == (1, True)


@pytest.mark.parametrize("side", ["SQLite", "PostgreSQL"])
def test_tables_of_another_revision_are_refused(filled: Relay, target: str, terminal, side: str) -> None:
    wanted = schema.newest_revision()
    older, back = (f"UPDATE alembic_version SET version_num = '{one}'" for one in ("0000", wanted))
    with psycopg.connect(target, autocommit=True) as connection:
        if side == "SQLite":
            filled.database.write(lambda db: db.exec_driver_sql(older))
        else:
            connection.execute(older)
        result = terminal("migrate-data", "--to", target)
        connection.execute(back)
    assert (result.exit_code, f"{side} are at revision 0000" in result.output) == (1, True)


@pytest.mark.parametrize("to", ["sqlite:///other.db", "postgresql://postgres@127.0.0.1/", "mysql://a/b", "nonsense"])
def test_what_is_no_postgresql_database_is_refused(filled: Relay, terminal, to: str) -> None:
    assert "must be the address of a database" in terminal("migrate-data", "--to", to).output


def test_a_database_that_is_not_there_is_named_in_the_refusal(filled: Relay, target: str, terminal) -> None:
    result = terminal("migrate-data", "--to", target.rsplit("/", 1)[0] + "/not_there")
    assert (result.exit_code, 'database "not_there" does not exist' in result.output) == (1, True)


def test_a_source_that_is_not_there_is_not_made(target: str, terminal, tmp_path) -> None:
    result = terminal("migrate-data", "--from", f"sqlite:///{tmp_path}/none.db", "--to", target)
    assert (result.exit_code, "no SQLite database" in result.output) == (1, True)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("value", ['{"a": "\\u0000"}', '{"a": "planted'])
def test_a_value_that_postgresql_cannot_keep_is_told_by_its_place_and_not_repeated(
    filled: Relay, target: str, terminal, value: str
) -> None:
    change = "UPDATE person SET properties = :value WHERE id = 3"
    filled.database.write(lambda db: db.exec_driver_sql(change, {"value": value}))
    result = terminal("migrate-data", "--to", target)
    assert (result.exit_code, "a value of person, row 3" in result.output) == (1, True)
    assert "planted" not in result.output
    assert everything_is_empty(target)


def test_a_nul_character_is_refused_before_anything_is_copied(filled: Relay, target: str, terminal) -> None:
    filled.database.write(lambda db: db.exec_driver_sql("UPDATE failure SET message = 'a' || char(0)"))
    assert "1 rows of failure hold a NUL" in terminal("migrate-data", "--to", target).output


# --- interrupted, repeated, and back


def everything_is_empty(target: str) -> bool:
    with psycopg.connect(target) as connection:
        return not any(connection.execute(f'SELECT * FROM "{one.name}"').fetchone() for one in tables())


@pytest.mark.parametrize("moment", ["copying person", "copying sync_session", "comparing person"])
def test_an_interrupted_move_leaves_nothing_and_can_be_started_again(
    filled: Relay, target: str, terminal, moment: str
) -> None:
    def interrupt(doing: str, _rows: int) -> None:
        if doing == moment:
            raise KeyboardInterrupt

    settings = filled.app.extensions["runtime"].settings
    here = transfer.sqlite_database(settings.instance / "cohort-relay.db")
    there = transfer.postgresql_database(parameters(target))
    with pytest.raises(KeyboardInterrupt):
        transfer.move(here, there, interrupt)
    here.dispose()
    assert everything_is_empty(target)
    filled.add({"fay"}, session="s9")  # SQLite is not closed
    assert terminal("migrate-data", "--to", target).exit_code == 0


def test_a_move_that_is_told_twice_compares_and_changes_nothing(filled: Relay, moved: Flask, target: str, terminal):
    before = everything(moved)
    report = json.loads(terminal("migrate-data", "--to", target, "--json").output)
    assert (report["was_there"], report["equal"]) == (True, True)
    assert everything(moved) == before


def test_a_difference_is_found_and_shown(filled: Relay, moved: Flask, target: str, terminal) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("UPDATE person SET properties = properties || '{\"float\": 0.2}' WHERE id = 1")
    result = terminal("migrate-data", "--to", target)
    assert result.exit_code == 1
    assert "NO, different: 1 row" in result.output


def test_sqlite_is_closed_after_the_move_and_says_so(filled: Relay, moved: Flask) -> None:
    answer = filled.post("add_members", ["fay"], session="s9")
    assert (answer.status_code, answer.headers["Retry-After"] is not None) == (503, True)
    assert filled.client.get("/readyz").json["checks"]["database"] == close_for_writes.SENTENCE
    assert filled.api("/projects/1/cohorts/7").status_code == 200


def test_the_way_back_opens_sqlite_again(filled: Relay, moved: Flask, terminal) -> None:
    assert terminal("migrate-data", "--reopen").exit_code == 0
    filled.add({"fay"}, session="s9")
    assert filled.client.get("/readyz").status_code == 200


def test_a_copy_can_be_moved_to_rehearse_it_and_the_relay_goes_on(filled: Relay, target: str, terminal, tmp_path):
    terminal("backup", tmp_path / "copy.db")
    result = terminal("migrate-data", "--from", f"sqlite:///{tmp_path}/copy.db", "--to", target)
    assert result.exit_code == 0, result.output
    filled.add({"fay"}, session="s9")


def test_a_number_that_was_given_in_sqlite_is_not_given_again_in_postgresql(
    relay: Relay, target: str, terminal
) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    relay.database.write(lambda db: tokens.add(db, key, "leaver", "read", relay.clock()))
    (leaver,) = [one for one in relay.database.read(tokens.listed) if one.name == "leaver"]
    relay.database.write(lambda db: tokens.remove(db, leaver))
    assert terminal("migrate-data", "--to", target).exit_code == 0
    app = app_on(relay, target)
    there = app.extensions["runtime"].database
    there.write(lambda db: tokens.add(db, key, "next", "read", relay.clock()))
    found = {one.name: one.id for one in there.read(tokens.listed)}
    there.dispose()
    assert found["next"] > leaver.id
