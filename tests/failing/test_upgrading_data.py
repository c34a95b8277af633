"""Bar: what a release has left in a database reads as before after an upgrade, and Mixpanel's export goes on where it
was."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import create_app
from models.maintenance import schema
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.failing.releases import HALF, LIST, Left, versions
from tests.relay import Relay, TestClock


@pytest.fixture(params=versions())
def left(dialect: str, request: pytest.FixtureRequest) -> Left:
    return Left.read(request.param, dialect)


@pytest.fixture
def relay(left: Left, empty_database: str, tmp_path: Path) -> Iterator[Relay]:
    """The code of today on the release's database, at the moment at which it was left, with the tables brought up."""
    if empty_database.startswith("sqlite"):
        with sqlite3.connect(empty_database.removeprefix("sqlite:///")) as file:
            file.executescript(left.dump)
    else:
        with psycopg.connect(empty_database) as server:
            server.execute(left.dump.encode())
    clock = TestClock(left.at)
    app = create_app(settings_for(tmp_path, database_url=empty_database), clock)
    upgrade(app)
    relay = Relay(app, clock, name="beside")
    relay.name, relay.password, relay.token = "crm", left.password, left.token
    yield relay
    relay.database.dispose()


def upgrade(app: Any) -> None:
    """By the command that an operator types, after the look that is advised before."""
    terminal = terminal_of(app)
    before = terminal("doctor", "--upgrade", "--json")
    done = terminal("db", "upgrade")
    assert (before.exit_code, done.exit_code) == (0, 0), before.output + done.output
    assert '"under the old code", "state": "ok"' in before.output
    assert schema.newest_revision() in done.output


def assert_holds(found: Any, before: Any, where: str) -> None:
    """Whatever the release answered is in today's answer, which may have more fields."""
    if isinstance(before, dict):
        for name in before:
            assert_holds(found[name], before[name], f"{where} {name}")
    elif isinstance(before, list):
        assert len(found) == len(before), where
        for one, other in zip(found, before, strict=True):
            assert_holds(one, other, where)
    else:
        assert found == before, where


def ask(relay: Relay, path: str) -> Any:
    """By the token that the release has made."""
    answer = relay.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {relay.token}"})
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json


def changes(relay: Relay, after: str = "") -> list[tuple[str, str]]:
    found = ask(relay, f"{LIST}/changes?limit=1000&after={after}" if after else f"{LIST}/changes?limit=1000")
    return [(row["kind"], row["distinct_id"]) for row in found["data"]]


# Of whoever looks afterwards: a page, and words that it has from the release's rows.
PAGES = {
    "/": ("Paying users", "2</strong> refused"),
    "/cohorts": ("Paying users", "Trial"),
    "/cohorts/1": ("bob@example.com", "O&#39;Hara", "조"),
    "/cohorts/1/sessions": ("Receiving",),
    "/cohorts/1/rejected": ("undefined", "nobody@example.com"),
    "/sessions/1": ("Paying users", "replayed"),
    "/people/1": ("ada@example.com", "plan", "pro"),
    "/failures/1": ("mixpanel_cohort_id is missing",),
    "/connections/crm": ("crm",),
}


def assert_reads_for_operators(relay: Relay) -> None:
    """The pages, `/readyz` and the doctor, who has nothing to say against the tables."""
    viewer = relay.sign_in("viewer")
    for path, words in PAGES.items():
        page = viewer.page(path)
        assert [word for word in words if word not in page] == [], path
    assert relay.client.get("/readyz").status_code == 200
    report = json.loads(terminal_of(relay.app)("doctor", "--json").output)
    wrong = [check for check in report["checks"] if check["state"] == "fail"]
    assert wrong == []


def test_the_data_of_a_release_reads_as_before_and_its_export_goes_on(relay: Relay, left: Left) -> None:
    for path, before in left.answers.items():
        assert_holds(ask(relay, path), before, path)
    assert_reads_for_operators(relay)
    first_half = changes(relay)
    cursor = ask(relay, f"{LIST}/changes?limit=1000")["next"]

    for page in HALF[1:]:  # the answer to the second page may not have been heard
        assert relay.post_raw(json.dumps(page)).status_code == 200
    assert relay.members() == {"ada", "bob", "eva", *(f"p{number:02}" for number in range(2, 9))}
    assert relay.session()["status"] == "complete"
    Books(relay.app.extensions["runtime"].settings.database_url).assert_balanced()

    old_cursor = left.answers[f"{LIST}/changes?limit=4"]["next"]
    came = [("left", "cho"), ("left", "p01"), ("left", "dan")]
    assert changes(relay, cursor) == came
    assert changes(relay, old_cursor) == [*first_half[4:], *came]
