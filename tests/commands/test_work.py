"""`flask work`: the upkeep worker."""

import signal
import subprocess

import pytest
import requests
from flask import Flask
from sqlalchemy import select

import alerts
from models.cohorts import Cohort
from models.sessions import SyncSession
from security import connections
from tests.commands.conftest import Terminal, terminal_of
from tests.conftest import MakeRelay
from tests.failing.server import BIN, ROOT, SECRET_KEY, Server, wait_until
from tests.relay import MINUTE, Relay, body

pytestmark = pytest.mark.usefixtures("signals")


def test_s8_once_settles_what_is_due_and_stops(relay: Relay, terminal: Terminal) -> None:
    relay.refresh(["A"], page=None)
    relay.clock.forward(relay.rules.settle)
    assert terminal("work", "--once").exit_code == 0
    assert relay.session()["status"] == "complete"


def test_s13_once_marks_what_is_stalled(relay: Relay, terminal: Terminal) -> None:
    relay.refresh(["A"], 1, 2)
    relay.clock.forward(16 * MINUTE)
    terminal("work", "--once")
    assert relay.session()["status"] == "stalled"


def test_a_channel_that_fails_keeps_nothing_else_from_being_done(make_relay: MakeRelay) -> None:
    relay = make_relay(smtp_url="smtp://127.0.0.1:1", alert_email_to="ops@example.com")
    settings = relay.app.extensions["runtime"].settings
    alerts.send_test(relay.database, settings, "ada@example.com", relay.clock())
    relay.refresh(["A"], page=None)
    relay.clock.forward(relay.rules.settle)
    assert terminal_of(relay.app)("work", "--once").exit_code == 0
    (row,) = relay.database.read(alerts.log)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.error == "the mail server could not be reached (ConnectionRefusedError)"
    assert relay.session()["status"] == "complete"


def test_it_works_on_until_it_is_told_to_stop(server: Server, beside: Flask) -> None:
    runtime = beside.extensions["runtime"]
    password = runtime.database.write(lambda db: connections.add(db, SECRET_KEY, "worked", runtime.clock()))
    half = body("members", ["A"], 1, 2, project="worked")
    requests.post(f"{server.url}/webhooks/mixpanel/worked", json=half, auth=("worked", password), timeout=10)
    status = select(SyncSession.status).join(Cohort, Cohort.id == SyncSession.cohort_id)
    status = status.where(Cohort.project_id == "worked")
    worker = subprocess.Popen([str(BIN / "flask"), "work"], cwd=ROOT, env=server.environment | {"STALLED_SECONDS": "1"})
    wait_until(lambda: runtime.database.read(lambda db: db.scalar(status)) == "stalled", 60, "the worker's round")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
