"""A new key while the relay serves: whatever is sealed opens before, amid and after, and no secret has to be typed."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from alerts import stored_channels
from alerts.stored_channels import ChannelDraft
from app import create_app
from commands.exit_codes import NOT_ALL
from config import secret_key_file
from erasure.erase import eraser
from erasure.records import DataSubject
from models.database import DatabaseUnavailable
from models.database import db as models_db
from outbound import projects
from outbound.projects import ProjectFields
from security import key_uses, rotation
from security.encryption import Cipher
from tests.conftest import settings_for
from tests.relay import MINUTE, Relay, TestClock

A, B, C = (f"{letter}{'0vX9mQ2u7hTq4ZrW8yLb5NdPk3SgF6aEu1oMiRxYtVzJ'}" for letter in "abc")


@pytest.fixture
def relay(database_url: str, tmp_path: Path) -> Any:
    """A relay whose key is in the key's file, as after `make run`."""
    (tmp_path / "secret-key").write_text(A)
    made = Relay(
        create_app(settings_for(tmp_path, database_url=database_url, secret_key=""), clock=TestClock()), TestClock()
    )
    made.clock = made.app.extensions["runtime"].clock
    yield made
    made.database.dispose()


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


def another(relay: Relay, **changed: Any) -> Relay:
    """Another process on the same database: with the same file, or with the keys it is given."""
    runtime = relay.app.extensions["runtime"]
    changed = {"database_url": runtime.settings.database_url.replace("+psycopg", ""), "secret_key": "", **changed}
    other = object.__new__(Relay)
    other.app = create_app(settings_for(runtime.settings.instance, **changed), clock=runtime.clock)
    other.clock, other.name, other.password, other.token = runtime.clock, relay.name, relay.password, relay.token
    other.client = other.app.test_client()
    return other


def fill(relay: Relay) -> None:
    """Something in every column that is sealed, as far as it stays there."""
    runtime = relay.app.extensions["runtime"]
    draft = ProjectFields("web", "us", "1", token="t" * 32, username="me", secret="planted-secret")
    channel = ChannelDraft("pager", "webhook", "https://example.org/hook", secret="planted-channel")
    relay.database.write(lambda db: projects.add(db, runtime.cipher, draft, 1))
    relay.database.write(lambda db: stored_channels.add(db, runtime.cipher, channel, "tests", 1))
    relay.post_raw("[]")  # refused, and kept


def opened(relay: Relay) -> tuple[str, ...]:
    """What the sealed things say, in a process of now."""
    runtime = relay.app.extensions["runtime"]
    project = relay.database.read(projects.listed)[0].credentials(runtime.cipher)
    channel = relay.database.read(stored_channels.listed)[0].way(runtime.settings, runtime.cipher, 1)
    assert channel is not None
    return project.token, project.username, project.secret, channel.secret


OPEN = ("t" * 32, "me", "planted-secret", "planted-channel")


def test_a_rotation_seals_anew_and_refuses_nobody(relay: Relay) -> None:
    fill(relay)
    browser, serving = relay.sign_in(), another(relay)
    outcome = json.loads(run(relay.app, "secrets", "rotate", "--json").stdout)
    assert outcome["resealed"] == 5
    new, old = outcome["keys"]
    assert (new["current"], old["sealed"]) == (True, {})
    assert old["digests"] == {"connection_password.digest": 1, "api_token.digest": 1, "sign_in.digest": 1}
    assert opened(relay) == opened(serving) == OPEN
    for one in (relay, serving):
        one.refresh(["ada"])
        assert one.api("/cohorts").status_code == 200
    assert browser.get("/").status_code == 200
    left = json.loads(run(relay.app, "secrets", "status", "--json").stdout)["keys"][1]["digests"]
    assert left == {"sign_in.digest": 1}
    assert run(relay.app, "secrets", "forget", "--yes").exit_code == 0
    last = another(relay)
    last.refresh(["ada"])
    assert (opened(last), last.api("/cohorts").status_code, last.app.extensions["runtime"].settings.secret_key_old) == (
        OPEN,
        200,
        (),
    )


def test_status_says_what_still_needs_the_earlier_key(relay: Relay) -> None:
    assert run(relay.app, "secrets", "status").exit_code == 0
    run(relay.app, "secrets", "rotate")
    found = run(relay.app, "secrets", "status")
    assert (found.exit_code, "1  webhook passwords" in found.output) == (NOT_ALL, True)
    asked = relay.app.test_cli_runner().invoke(args=["secrets", "forget"], input="n\n")
    assert "void" in asked.output
    assert asked.exit_code == 1
    relay.refresh(["ada"])
    relay.api("/cohorts")
    assert run(relay.app, "secrets", "status").exit_code == 0


def test_by_the_environment_the_new_key_is_set_before_and_nothing_is_redigested_until_then(relay: Relay) -> None:
    """Machines are restarted one after the other: one that knows the earlier key alone must never say 401."""
    fill(relay)
    alone, both = another(relay, secret_key=A), another(relay, secret_key=B, secret_key_old=A)
    assert "Nothing was changed" in run(alone.app, "secrets", "rotate").output
    for one in (both, alone, both):
        one.refresh(["ada"])
    assert run(both.app, "secrets", "rotate").exit_code == 0
    relay.clock.forward(2 * MINUTE)
    both.refresh(["ada"])
    assert alone.post("members", ["ada"]).status_code == 503
    assert opened(both) == OPEN
    assert another(relay, secret_key=B).post("members", ["ada"]).status_code == 200


def test_messages_erasures_and_browsers_are_known_after_it(relay: Relay) -> None:
    runtime = relay.app.extensions["runtime"]
    relay.refresh(["ada", "bob"])
    eraser(runtime).erase(DataSubject("1", "ada"), "tests")
    before = runtime.cipher.lasting_digest("message", b"1")
    client = relay.sign_in().client
    for _ in range(2):
        run(relay.app, "secrets", "rotate")
    later = another(relay).app.extensions["runtime"]
    later_app = another(relay)
    later_app.app.extensions["key"].hold()
    assert later_app.app.extensions["runtime"].cipher.lasting_digest("message", b"1") == before
    assert len(eraser(later).erased(DataSubject("1", "ada"))) == 1
    assert client.get("/").status_code == 200


def test_what_cannot_be_opened_stays_and_is_told(relay: Relay) -> None:
    fill(relay)
    lost = Cipher(C).encrypt("{}")
    relay.database.write(lambda db: db.exec_driver_sql(f"UPDATE alert_channel SET sealed = '{lost}'"))
    found = json.loads(run(relay.app, "secrets", "rotate", "--json").stdout)
    assert found["keys"][-1] == {"key": None, "current": False, "sealed": {"alert_channel.sealed": 1}, "digests": {}}
    assert relay.rows("SELECT sealed FROM alert_channel") == [{"sealed": lost}]


def test_a_key_from_standard_input_has_to_be_good(relay: Relay) -> None:
    def rotate(key: str) -> Result:
        return relay.app.test_cli_runner().invoke(args=["secrets", "rotate", "--key-stdin"], input=f"{key}\n")

    assert rotate("secret").exit_code == 1
    assert rotate(B).exit_code == 0
    assert (relay.app.extensions["runtime"].settings.instance / "secret-key").read_text().split() == [B, A]


class Killed(BaseException):
    pass


class Dying:
    """Writes so many transactions, then the process is gone."""

    def __init__(self, database: Any, after: int) -> None:
        self._database, self._left = database, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def write(self, work: Callable[..., Any], **more: Any) -> Any:
        if self._left == 0:
            raise Killed
        self._left -= 1
        return self._database.write(work, **more)


def test_killed_anywhere_and_with_others_writing_everything_opens(relay: Relay) -> None:
    runtime, wanted, serving = relay.app.extensions["runtime"], dict[str, str](), another(relay)
    for number in range(3):
        _write(relay, wanted, number)
    for after in (0, 1, 3):
        stop = threading.Event()
        writer = threading.Thread(target=_write_on, args=(serving, wanted, stop, 100 * (after + 1)))
        writer.start()
        try:
            _rotate_dying(relay, after)
            assert secrets_of(serving).items() >= {"p0": "s0"}.items()
            assert run(relay.app, "secrets", "rotate").exit_code == 0
        finally:
            stop.set()
            writer.join()
    rotation.reseal(runtime)
    assert secrets_of(relay) == secrets_of(serving) == wanted
    _current, *others = rotation.uses(runtime)
    assert not any(use.sealed for use in others)
    secret_key_file.write(runtime.settings.instance / "secret-key", [runtime.settings.secret_key])
    assert secrets_of(serving) == wanted


def secrets_of(relay: Relay) -> dict[str, str]:
    """Every project's secret, as this process opens it."""
    cipher = relay.app.extensions["runtime"].cipher
    return {one.name: one.credentials(cipher).secret for one in relay.database.read(projects.listed)}


def _write(relay: Relay, wanted: dict[str, str], number: int) -> None:
    cipher, name = relay.app.extensions["runtime"].cipher, f"p{number}"
    draft = ProjectFields(name, "us", "1", token="t" * 32, username="me", secret=f"s{number}")
    relay.database.write(lambda db: projects.add(db, cipher, draft, 1))
    wanted[name] = draft.secret or ""


def _write_on(relay: Relay, wanted: dict[str, str], stop: threading.Event, number: int) -> None:
    last = number + 60
    while not stop.is_set() and number < last:
        try:
            _write(relay, wanted, number)
        except DatabaseUnavailable:
            continue
        number += 1


def _rotate_dying(relay: Relay, after: int) -> None:
    """A rotation in a process of its own that dies amid."""
    runtime = relay.app.extensions["runtime"]
    whole = runtime.database
    runtime.database = Dying(whole, after)
    try:
        with suppress(Killed):  # the runner lets a BaseException through
            relay.app.test_cli_runner().invoke(args=["secrets", "rotate"], catch_exceptions=False)
    finally:
        runtime.database = whole


def test_every_sealed_or_keyed_column_is_in_the_list() -> None:
    """A column whose name says that it is sealed or a digest, and every column of bytes."""
    listed = {one.name for one in (*key_uses.SEALED, *key_uses.DIGESTED)}
    found = {
        f"{table.name}.{column.name}"
        for table in models_db.metadata.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed")
        or column.name.endswith(("digest", "fingerprint"))
        or "BLOB" in str(column.type)
        or "BINARY" in str(column.type)
    }
    assert found - key_uses.NO_KEY == listed
    for one in key_uses.SEALED:
        assert [column.name for column in models_db.metadata.tables[one.table].primary_key] == [one.key]
    for digest in key_uses.DIGESTED:
        noted = "key_id" in models_db.metadata.tables[digest.table].columns
        assert noted == (digest.live is not None), digest.name


def test_every_module_that_seals_or_digests_is_in_the_list() -> None:
    root = Path(__file__).resolve().parents[2]
    known = {one.by for one in (*key_uses.SEALED, *key_uses.DIGESTED)} | set(key_uses.ELSEWHERE)
    marks = (".encrypt(", ".encrypt_bytes(", "keyed_digest(", "keyed_digests(", "begun_digest(", "lasting_digest(")
    marks += (
        "cipher.digest",
        "cipher.digests",
        "digest(PURPOSE",
        "digests(PURPOSE",
        'digests("',
        ".secret_key.encode",
        "key.encode()",
    )
    rooms = ("alerts", "blueprints", "commands", "destinations", "erasure", "outbound", "security", "simulator", "sync")
    passed_on = {
        "blueprints/api/idempotency.py",
        "blueprints/outbound/imports.py",
        "blueprints/outbound/import_corrections.py",
        "commands/imports.py",
        "outbound/imports/source.py",
    }
    for room in rooms:
        for path in (root / room).rglob("*.py"):
            name = str(path.relative_to(root))
            if any(mark in path.read_text() for mark in marks) and name not in passed_on | {"security/secrets.py"}:
                assert name in known, f"{name} seals or digests: say in security/key_uses.py what"
    assert all((root / name).is_file() for name in known)
