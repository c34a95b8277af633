"""A relay under test: the app on a real database, a clock that the test moves, and a sender's words for its calls."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from models.database import Database
from security import connections, key_check, operators, passwords, signed_in_browsers, tokens
from sync import worker as sync_worker
from sync.rules import Rules

START = 1_750_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND


@dataclass
class TestClock:
    """Milliseconds since 1970; stands still until it is moved."""

    __test__ = False
    time: int = START

    def __call__(self) -> int:
        return self.time

    def forward(self, milliseconds: int) -> None:
        self.time += milliseconds


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep passwords by a hash that takes a millisecond."""
    monkeypatch.setattr(passwords, "METHOD", QUICK)
    monkeypatch.setattr(passwords, "NOBODY", f"{QUICK}$nobody${'0' * 128}")


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def member(distinct_id: Any, **more: Any) -> dict[str, Any]:
    return {"mixpanel_distinct_id": distinct_id, **more}


def body(
    action: str,
    members: Any,
    page: Any = 1,
    total: Any = 1,
    session: Any = "s1",
    cohort: Any = "7",
    project: Any = "1",
    name: str = "Paying users",
    description: str = "who pay",
) -> dict[str, Any]:
    """A webhook body; a list of plain ids stands for members that have only an id. `page=None` leaves page_info out,
    `session=None` the session id."""
    if isinstance(members, list | tuple | set | frozenset):
        members = [one if isinstance(one, dict) else member(one) for one in members]
    parameters: dict[str, Any] = {
        "mixpanel_project_id": project,
        "mixpanel_cohort_id": cohort,
        "mixpanel_cohort_name": name,
        "mixpanel_cohort_description": description,
        "members": members,
    }
    if session is not None:
        parameters["mixpanel_session_id"] = session
    if page is not None:
        parameters["page_info"] = {"total_pages": total, "page_count": page}
    return {"action": action, "parameters": parameters}


PASSWORD = "correct horse battery"
QUICK = "scrypt:256:8:1"  # takes a millisecond; tests/security/test_passwords.py looks at the real ones
PASSWORD_HASH = generate_password_hash(PASSWORD, QUICK)


class Browser:
    """A browser in which an operator is signed in. Posts carry the token of a page that it has opened, as forms do."""

    def __init__(self, relay: "Relay", role: str) -> None:
        self.relay = relay
        self.client = relay.app.test_client()
        self.email = f"{role}@example.org"
        now = relay.clock()
        add = partial(operators.add, email=self.email, password_hash=PASSWORD_HASH, role=role, who="tests", now=now)
        self.operator = relay.database.write(add)
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in, also once more where a test has moved the clock beyond the end of a sign-in."""
        key, now = self.relay.app.extensions["runtime"].settings.secret_key, self.relay.clock()
        place = signed_in_browsers.SignInOrigin("127.0.0.1", "a test")
        with self.client.session_transaction() as session:
            session["sign_in"] = self.relay.database.write(
                lambda db: signed_in_browsers.start(db, key, self.operator, place, now)
            )

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.client.get(path, **arguments)

    def page(self, path: str) -> str:
        """The HTML of a page that must be there."""
        response = self.client.get(path)
        assert response.status_code == 200, f"{path}: {response.status_code}"
        return response.text

    def post(self, path: str, data: dict[str, Any] | None = None, **arguments: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **arguments)

    def submit(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        """A form, and the page that its answer leads to, as a browser shows it."""
        return self.post(path, data, follow_redirects=True)

    @property
    def token(self) -> str:
        """Of their account's page, or of the one that has to come before it."""
        page = self.client.get("/account", follow_redirects=True).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        return found.group(1)


FIRST = ("secret_key_check", "connection", "connection_password", "api_token")  # the tables in which a relay begins
BEGUN: dict[tuple[str, str, str, int], tuple[str, str, dict[str, dict[str, Any]]]] = {}


def _unnumbered(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the number that its table gives it."""
    return {name: value for name, value in row.items() if name != "id" or table == "secret_key_check"}


def _insert(db: Connection, table: str, row: dict[str, Any]) -> int:
    """Insert a row, and return its number."""
    values = ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values}) RETURNING id"
    number: int = db.execute(text(statement), row).scalar_one()
    return number


@dataclass
class Relay:
    app: Flask
    clock: TestClock
    name: str = "crm"
    password: str = ""
    token: str = ""
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()
        self.password, self.token = self.database.write(self._begin)
        self.app.extensions["key"].hold()

    def _begin(self, db: Connection) -> tuple[str, str]:
        """Make the connection and a token to read with. What that writes is the same in most tests: after the first one
        it is written as it was then, which halves what a test costs before it begins."""
        key, now = self.app.extensions["runtime"].settings.secret_key, self.clock()
        begun = (self.database.dialect, key, self.name, now)
        if begun in BEGUN:
            password, token, rows = BEGUN[begun]
            number = _insert(db, "connection", rows["connection"])
            for table in ("secret_key_check", "connection_password", "api_token"):
                _insert(db, table, rows[table] | ({"connection_id": number} if "connection_id" in rows[table] else {}))
            return password, token
        key_check.keep(db, key, now)
        password, token = connections.add(db, key, self.name, now), tokens.add(db, key, "tests", "read", now)
        found = {table: db.execute(text(f"SELECT * FROM {table}")).mappings().all() for table in FIRST}
        if all(len(rows) == 1 for rows in found.values()):  # not where somebody has been here before
            BEGUN[begun] = (password, token, {table: _unnumbered(table, row) for table, (row,) in found.items()})
        return password, token

    @property
    def database(self) -> Database:
        found: Database = self.app.extensions["runtime"].database
        return found

    @property
    def rules(self) -> Rules:
        return Rules.of(self.app.extensions["runtime"].settings)

    # --- what the sender does

    def post_raw(
        self, data: bytes | str, headers: dict[str, str] | None = None, path: str | None = None
    ) -> TestResponse:
        signed = basic(self.name, self.password) | (headers or {})
        return self.client.post(path or f"/webhooks/mixpanel/{self.name}", data=data, headers=signed)

    def post(self, action: str, members: Any, page: Any = 1, total: Any = 1, **more: Any) -> TestResponse:
        return self.post_raw(json.dumps(body(action, members, page, total, **more)))

    def sync(self, action: str, members: Any, page: Any = 1, total: Any = 1, **more: Any) -> None:
        """A call that must succeed."""
        response = self.post(action, members, page, total, **more)
        assert response.json == {"action": action, "status": "success"}, response.json
        assert response.status_code == 200

    def refresh(self, members: Any, page: Any = 1, total: Any = 1, **more: Any) -> None:
        self.sync("members", members, page, total, **more)

    def add(self, members: Any, page: Any = 1, total: Any = 1, **more: Any) -> None:
        self.sync("add_members", members, page, total, **more)

    def remove(self, members: Any, page: Any = 1, total: Any = 1, **more: Any) -> None:
        self.sync("remove_members", members, page, total, **more)

    def wait(self, milliseconds: int) -> None:
        """Time passes, and the worker does what is due."""
        self.clock.forward(milliseconds)
        self.work()

    def work(self) -> None:
        sync_worker.run_once(self.database, self.rules, self.clock)

    def settle(self) -> None:
        self.wait(self.rules.settle)

    # --- what is there afterwards

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        def read(db: Any) -> list[dict[str, Any]]:
            return [dict(row) for row in db.execute(text(sql), values).mappings()]

        return self.database.read(read)

    def members(self, cohort: str = "7", project: str = "1") -> set[str]:
        """The distinct ids of those who are in the cohort now."""
        found = self.rows(
            """SELECT p.distinct_id FROM membership m JOIN person p ON p.id = m.person_id
            JOIN cohort c ON c.id = m.cohort_id
            WHERE m.left_at IS NULL AND c.mixpanel_cohort_id = :cohort AND c.project_id = :project""",
            cohort=cohort,
            project=project,
        )
        return {row["distinct_id"] for row in found}

    def cohort(self, cohort: str = "7", project: str = "1") -> dict[str, Any]:
        (row,) = self.rows(
            "SELECT * FROM cohort WHERE mixpanel_cohort_id = :cohort AND project_id = :project",
            cohort=cohort,
            project=project,
        )
        return row

    def session(self, number: int | None = None, cohort: str = "7") -> dict[str, Any]:
        """A session by its number within the cohort; the newest without one."""
        found = self.rows(
            """SELECT s.* FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort ORDER BY s.number""",
            cohort=cohort,
        )
        return found[-1 if number is None else number - 1]

    def log(self, cohort: str = "7") -> list[tuple[str, str, int]]:
        """The change log as (kind, distinct id, entry number), oldest first."""
        found = self.rows(
            """SELECT x.entered, p.distinct_id, x.entry_number FROM membership_change x
            JOIN person p ON p.id = x.person_id JOIN cohort c ON c.id = x.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort ORDER BY x.number""",
            cohort=cohort,
        )
        return [("entered" if row["entered"] else "left", row["distinct_id"], row["entry_number"]) for row in found]

    def person(self, distinct_id: str, project: str = "1") -> dict[str, Any]:
        (row,) = self.rows(
            "SELECT * FROM person WHERE distinct_id = :distinct_id AND project_id = :project",
            distinct_id=distinct_id,
            project=project,
        )
        if isinstance(row["properties"], str):
            row["properties"] = json.loads(row["properties"])
        return row

    def failures(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM failure ORDER BY id")

    def sign_in(self, role: str = "admin") -> Browser:
        """A new operator of this role, signed in."""
        return Browser(self, role)

    def api(self, path: str, **arguments: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers", {})}
        return self.client.get(f"/api/v1{path}", headers=headers, query_string=arguments)
