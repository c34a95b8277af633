"""A database is worked on with the key that it was filled with, and with no other."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from commands.exit_codes import FAILED, NOT_ALL
from models.maintenance import schema
from outbound import projects
from outbound.projects import ProjectFields
from security import key_check
from security.encryption import Cipher
from tests.conftest import settings_for
from tests.relay import Relay, basic, body

OTHER = "another key, which is as long as a good one has to be: 0123456789abcdef"
CAUSE = "not the one that this database was filled with"

MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[MakeApp]:
    """Apps on the test's database, each with the key it is given; None: with the key's file."""
    made: list[Flask] = []

    def make(secret_key: str | None, folder: Path = tmp_path) -> Flask:
        folder.mkdir(exist_ok=True)
        made.append(create_app(settings_for(folder, database_url=database_url, secret_key=secret_key or "")))
        return made[-1]

    yield make
    for one in made:
        one.extensions["runtime"].database.dispose()


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


def check(app: Flask, name: str) -> dict[str, Any]:
    report = json.loads(run(app, "doctor", "--json").stdout)
    (found,) = [one for one in report["checks"] if one["name"] == name]
    return dict(found)


def test_no_machine_hears_401_from_a_relay_with_another_key(relay: Relay, make_app: MakeApp) -> None:
    client = make_app(OTHER).test_client()
    right = basic(relay.name, relay.password)
    for headers in (right, basic("crm", "wrong"), {}):
        for path in ("/webhooks/mixpanel/crm", "/v1/mixpanel/cohort/sync"):
            answer = client.post(path, json=body("members", ["ada"]), headers=headers)
            assert (answer.status_code, answer.json["status"]) == (503, "failure")
            assert int(answer.headers["Retry-After"]) > 0
    for token in (relay.token, "wrong"):
        answer = client.get("/api/v1/cohorts", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 503
    assert client.get("/sign-in", headers={"Accept": "text/html"}).status_code == 503
    assert relay.rows("SELECT id FROM cohort") == []


def test_readiness_tells_another_key_and_the_process_still_lives(relay: Relay, make_app: MakeApp) -> None:
    client = make_app(OTHER).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, "SECRET_KEY" in answer.json["checks"]["key"]) == (503, True)
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "line",
    [
        ("serve",),
        ("work", "--once"),
        ("connections", "add", "web"),
        ("connections", "list"),
        ("tokens", "add", "billing"),
        ("operators", "list"),
        ("projects", "list"),
    ],
    ids=" ".join,
)
def test_a_command_with_another_key_stops_and_says_what_to_do(
    relay: Relay, make_app: MakeApp, line: tuple[str, ...]
) -> None:
    result = run(make_app(OTHER), *line)
    assert result.exit_code == 1
    for words in (CAUSE, "pauses its syncs", "from your backup", "flask secret-key accept"):
        assert words in result.output
    assert OTHER not in result.output


def test_doctor_fails_and_says_what_to_do(relay: Relay, make_app: MakeApp) -> None:
    app = make_app(OTHER)
    assert run(app, "doctor").exit_code == NOT_ALL
    found = check(app, "secret key")
    assert found["state"] == "fail"
    assert CAUSE in found["found"]
    assert "backup" in found["next_step"]
    assert check(relay.app, "secret key")["state"] == "ok"


def test_a_lost_key_file_is_noticed_at_every_start_and_no_new_one_is_left(
    database_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    first = make_app(None)
    assert run(first, "connections", "add", "crm").exit_code == 0
    file = tmp_path / "secret-key"
    kept = file.read_text()
    file.unlink()
    for line, code in ((("serve",), FAILED), (("doctor",), NOT_ALL), (("connections", "list"), FAILED)):
        result = run(make_app(None), *line)
        assert result.exit_code == code, line
        assert CAUSE in result.output, line
        assert not file.exists(), line
    file.write_text(kept)
    assert run(make_app(None), "connections", "list").exit_code == 0


def test_a_fresh_database_takes_the_first_key_and_the_second_start_works_too(make_app: MakeApp) -> None:
    for _ in range(2):
        app = make_app(None)
        assert run(app, "connections", "list").exit_code == 0
        assert app.test_client().get("/readyz").status_code == 200


def test_of_two_processes_with_two_keys_on_a_fresh_database_one_works(make_app: MakeApp, tmp_path: Path) -> None:
    clients = [make_app(None, tmp_path / host).test_client() for host in ("one", "two")]
    statuses = [client.get("/readyz").status_code for client in [*clients, *clients]]
    assert statuses == [200, 503, 200, 503]


def test_a_key_that_changes_under_a_serving_process_is_noticed_where_it_would_refuse(relay: Relay) -> None:
    assert relay.post_raw("{}").status_code == 400
    relay.database.write(lambda db: key_check.replace(db, OTHER, relay.clock()))
    assert relay.post_raw("{}", basic("crm", "wrong")).status_code == 503
    assert relay.post_raw("{}").status_code == 503


def test_what_was_sealed_before_there_was_a_check_tells_another_key(relay: Relay, make_app: MakeApp) -> None:
    cipher = Cipher(relay.app.extensions["runtime"].settings.secret_key)
    draft = ProjectFields("prod", "us", "1", "token", "account", "secret")
    relay.database.write(lambda db: projects.add(db, cipher, draft, relay.clock()))
    relay.database.write(lambda db: db.exec_driver_sql("DELETE FROM secret_key_check"))
    assert make_app(OTHER).test_client().get("/readyz").status_code == 503
    assert relay.client.get("/readyz").status_code == 200


def test_a_lost_key_is_accepted_after_its_price_was_told(relay: Relay, make_app: MakeApp) -> None:
    app = make_app(OTHER)
    refused = app.test_cli_runner().invoke(args=["secret-key", "accept"], input="n\n")
    assert refused.exit_code == 1
    for words in ("1 webhook passwords", "1 API tokens", "0 projects"):
        assert words in refused.output
    assert app.test_client().get("/readyz").status_code == 503
    assert run(app, "secret-key", "accept", "--yes").exit_code == 0
    assert app.test_client().get("/readyz").status_code == 200
    assert run(app, "connections", "rotate", "crm").exit_code == 0
    assert "nothing was changed" in run(app, "secret-key", "accept").output
    assert relay.rows("SELECT action FROM audit_entry ORDER BY id")[0]["action"] == "secret_key.accept"


def test_without_tables_there_is_no_key_and_an_upgrade_gives_none(empty_database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, database_url=empty_database))
    database = app.extensions["runtime"].database
    app.extensions["key"].hold()
    assert run(app, "db", "upgrade").exit_code == 0
    assert database.read(lambda db: db.exec_driver_sql("SELECT count(*) FROM secret_key_check").scalar_one()) == 0
    assert database.read(schema.stored_revision) == schema.newest_revision()
    database.dispose()
