"""An instance to look at: the demo's six weeks, plus what the demo has no example of, and an operator of each role."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import Any

from flask import Flask
from sqlalchemy import Connection, insert

import models
from app import create_app
from commands.demo import PRACTICE
from config.clock import now
from config.settings import load
from erasure import DataSubject, eraser
from outbound import projects
from security import operators
from security.roles import ROLES
from simulator.plan import PROJECT
from sync.apply.receive import receive
from sync.contract.page import parse
from sync.rules import Rules
from tests import relay
from tests.browser import relaying, sending
from tests.failing.server import BIN, FLASK_SERVE, Server
from tests.mixpanel import Mixpanel, stand_in
from tests.relay import PASSWORD, PASSWORD_HASH

SERVE = (str(BIN / "flask"), "serve", "--without-worker")
OFTEN = {"OPERATOR_SIGN_IN_LIMIT": "1000 per minute"}  # every test signs in, and all from one address


def fill(folder: Path) -> None:
    """Add to the demo in `folder` what it has no example of."""
    with stand_in() as mixpanel:
        app = app_of(_server_of(folder, mixpanel))
        add_operators(app)
        hold_a_refresh(app)
        leave_an_export_open(app)
        add_practice(app)
        sending.fill(app, mixpanel)
        erase_somebody(app)
        relaying.fill(app)
        app.extensions["runtime"].database.dispose()


@contextmanager
def served(filled: Path, folder: Path) -> Iterator[Server]:
    """A copy of the filled demo, served from `folder`; its calls to Mixpanel go to the stand-in of the tests."""
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    with stand_in() as mixpanel:
        server = _server_of(folder, mixpanel)
        try:
            server.revive()
            yield server
        finally:
            server.close()


def _server_of(folder: Path, mixpanel: Mixpanel) -> Server:
    more = {"MIXPANEL_BASE_URL": mixpanel.url, "SEND_PAUSE_SECONDS": "0", **OFTEN}
    return Server(folder, f"sqlite:///{folder}/cohort-relay.db", SERVE, more=more)


@contextmanager
def untouched(folder: Path, more: dict[str, str] | None = None) -> Iterator[Server]:
    """A relay that nobody has used yet, served with its worker; `more` are settings."""
    server = Server(folder, f"sqlite:///{folder}/cohort-relay.db", FLASK_SERVE, more=OFTEN | (more or {}))
    server.prepare()
    try:
        server.revive()
        yield server
    finally:
        server.close()


def app_of(server: Server) -> Flask:
    return create_app(load(server.environment))


def add_operators(app: Flask) -> None:
    for role in ROLES:
        email = email_of(role)
        known = app.extensions["runtime"].database.write(
            lambda db, e=email, r=role: operators.add(db, e, PASSWORD_HASH, r, "terminal", now())
        )
        app.extensions["runtime"].database.write(lambda db, o=known.id: _add_passkey(db, o))


def _add_passkey(db: Connection, operator_id: int) -> None:
    """One to look at; sign-ins of this operator do not take it."""
    named = {"operator_id": operator_id, "credential_id": token_bytes(16), "name": "an old key", "created_at": now()}
    db.execute(insert(models.Passkey).values(key=b"", uses=0, **named))


def add_practice(app: Flask) -> None:
    """The project that sending is practised in."""
    runtime = app.extensions["runtime"]
    runtime.database.write(lambda db: projects.add(db, runtime.cipher, PRACTICE, now()))


def hold_a_refresh(app: Flask) -> None:
    """A cohort whose newest refresh would remove most of it."""
    for session, people in (("all", 300), ("few", 60)):
        members = [relay.member(f"lapsed-{n:03d}", email=f"lapsed{n}@example.org") for n in range(people)]
        receive_page(app, relay.body("members", members, 1, 1, session, "3290", PROJECT, "Lapsed users"))


def leave_an_export_open(app: Flask) -> None:
    """A cohort whose first export has come to page 71 of 100, without page 31."""
    for page in (*range(1, 31), *range(32, 72)):
        members = [relay.member(f"week-{page:03d}-{n:02d}", email=f"week{page}.{n}@example.org") for n in range(50)]
        receive_page(app, relay.body("members", members, page, 100, "open", "3291", PROJECT, "Active this week"))


def erase_somebody(app: Flask) -> None:
    eraser(app.extensions["runtime"]).erase(DataSubject(PROJECT, "lapsed-299"), email_of("admin"))


def receive_page(app: Flask, body: dict[str, Any]) -> None:
    page = parse(json.dumps(body).encode())
    app.extensions["runtime"].database.write(lambda db: receive(db, page, Rules(), 1, now()))


def email_of(role: str) -> str:
    return f"{role}@example.org"


__all__ = ["PASSWORD", "add_operators", "app_of", "email_of", "fill", "receive_page", "served", "untouched"]
