"""`flask demo`: an instance with six believable weeks behind it, to look at."""

import os
import sys
import time
from secrets import token_urlsafe
from typing import NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info, with_appcontext
from sqlalchemy import Connection, text

from commands.terminal import raw
from config import logs
from config.clock import MINUTE
from config.counts import counted
from destinations import destinations
from destinations.destinations import NewDestination
from models.maintenance import schema
from outbound import projects
from runtime import Runtime, current_runtime
from security import connections, operators, tokens
from security.audit import TERMINAL, note
from server.supervisor import FLASK, Supervisor
from simulator.history import PAST, History, MovableClock
from simulator.loopback import served
from simulator.plan import PROJECT
from simulator.stand_in.receiver import PATH
from sync import worker
from sync.rules import Rules

CONNECTIONS = ("crm", "newsletter")
TOKEN = "demo"  # noqa: S105 - a name; the first one also says that the data is all there

HIGHEST_PORT = 65535
SET_UP = 10 * MINUTE  # between the making of the connections and the first call

OPERATOR = "demo@example.org"

# The cycles that go on while the demo is served: small ones, from whatever the API says.
LIVE = (
    *("simulate", "--continue", "--forever", "--every", "20"),
    *("--churn", "0.003", "--username", "crm", "--wait", "120"),
)
# What it sends goes to a stand-in for Mixpanel beside it, with credentials that open nothing.
PRACTICE = projects.ProjectFields("practice", "us", PROJECT, "practice-token", "practice.account", "practice-secret")

LABEL = "Playing six weeks of Mixpanel's syncs"

# What an interrupted run leaves, in an order that no foreign key minds.
TABLES = (
    "erasure",
    "failure",
    "membership_change",
    "membership",
    "sync_page",
    "sync_session",
    "cohort_label",
    "cohort",
    "person",
    "connection_password",
    "connection",
)

_UNSAID = text("DELETE FROM audit_entry WHERE who = :who AND action LIKE 'connection.%'")
_TOKENS = text("SELECT name FROM api_token")
_COHORTS = text("SELECT mixpanel_cohort_id, name, member_count FROM cohort ORDER BY mixpanel_cohort_id")
_OTHERS = text("""
    SELECT (SELECT count(*) FROM cohort WHERE project_id <> :project)
        + (SELECT count(*) FROM connection WHERE name NOT IN ('crm', 'newsletter'))""")

Names = set[str]


@click.command("demo")
@with_appcontext
@click.option("--serve", "and_serve", is_flag=True, help="Serve it afterwards, with people who go on moving.")
@pass_script_info
def command(info: ScriptInfo, *, and_serve: bool) -> None:
    """Fill this instance with six weeks of made-up cohorts, once, and print how to look at them."""
    runtime = current_runtime()
    runtime.database.alter(schema.upgrade)
    if TOKEN in runtime.database.read(_token_names):
        click.echo("The demo's cohorts are there already:")
    else:
        _refuse_real_data(runtime)
        runtime.database.write(_clear)
        started = time.monotonic()
        _make(info.load_app(), runtime)
        click.echo(f"Six weeks took {time.monotonic() - started:.0f} s:")
    _show(runtime, runtime.database.write(lambda db: _new_token(db, runtime)))
    if and_serve:
        _let_somebody_in(runtime)
        _let_it_relay(runtime)
        runtime.database.dispose()
        _serve(runtime)


def _let_somebody_in(runtime: Runtime) -> None:
    """Make an operator to look with. A password can be shown only once, so that every run makes another."""
    password = token_urlsafe(12)
    password_hash = operators.hashed(password)

    def write(db: Connection) -> None:
        known = operators.by_email(db, OPERATOR)
        if known is None:
            operators.add(db, OPERATOR, password_hash, "admin", TERMINAL, runtime.clock())
        else:
            operators.set_password(db, known, password_hash, TERMINAL, runtime.clock())

    runtime.database.write(write)
    runtime.database.write(_let_it_send)
    click.echo(f"\nOpen {runtime.settings.public_url} and sign in as {OPERATOR} with the password {password}\n")


def _let_it_send(db: Connection) -> None:
    """Make a project to send to, once."""
    runtime = current_runtime()
    if projects.by_name(db, PRACTICE.name) is None:
        projects.add(db, runtime.cipher, PRACTICE, runtime.clock())
        note(db, runtime.clock(), TERMINAL, "project.add", PRACTICE.name, after={"region": PRACTICE.region})


def _let_it_relay(runtime: Runtime) -> None:
    """A destination to relay to, made once; where it is depends on the port."""
    if not _stands_in(runtime):
        return
    url = f"http://127.0.0.1:{_port_beside(runtime)}{PATH}"

    def write(db: Connection) -> None:
        draft = NewDestination(PRACTICE.name, "webhook", {"url": url})
        known = destinations.by_name(db, PRACTICE.name)
        if known is None:
            destinations.add(db, runtime.cipher, draft, runtime.clock())
            note(db, runtime.clock(), TERMINAL, "destination.add", PRACTICE.name, after={"type": "webhook"})
        elif known.type == "webhook" and known.settings["url"] != url:
            destinations.change(db, runtime.cipher, known, draft, runtime.clock())

    runtime.database.write(write)
    click.echo(f"Send a cohort to the destination {PRACTICE.name}, and see what it gets at {url}\n")


def _stands_in(runtime: Runtime) -> bool:
    """Whether a stand-in for Mixpanel is served beside it."""
    return runtime.settings.origins["MIXPANEL_BASE_URL"] == "default"


def _port_beside(runtime: Runtime) -> int:
    port: int = runtime.settings.port
    return port + 1 if port < HIGHEST_PORT else port - 1


def _serve(runtime: Runtime) -> NoReturn:
    """Serve, work and let people move until told to stop; ends this process."""
    if runtime.settings.origins["LOG_LEVEL"] == "default":
        os.environ["LOG_LEVEL"] = "warning"  # a line for each call would push the token out of sight
    commands = [[*FLASK, "serve"], [*FLASK, *LIVE]]
    if _stands_in(runtime):
        port = str(_port_beside(runtime))
        os.environ["MIXPANEL_BASE_URL"] = f"http://127.0.0.1:{port}"
        os.environ["ALLOW_PRIVATE_DESTINATIONS"] = "on"  # the receiver to practise on is on this machine
        commands.append([*FLASK, "stand-in", "--quiet", "--port", port, "--receiver"])
    sys.exit(Supervisor(commands).run())


def _make(app: Flask, runtime: Runtime) -> None:
    """Play the past through a real server of this process, whose clock is the past's."""
    logs.configure("error", runtime.settings.log_format)  # thousands of pages, and some refusals that are meant
    clock = runtime.clock
    now, past = clock(), MovableClock(clock() - PAST - SET_UP)
    runtime.clock = past
    try:
        passwords = {name: runtime.database.write(lambda db, n=name: _connect(db, runtime, n)) for name in CONNECTIONS}  # type: ignore[misc]
        with served(app) as url:
            history = History(
                url, passwords, past, now, lambda: _upkeep(runtime), lambda on: _switch(runtime, enabled=on)
            )
            with click.progressbar(history.events(), label=LABEL, file=raw(sys.stderr)) as events:
                for event in events:
                    history.happen(event)
    finally:
        runtime.clock = clock


def _connect(db: Connection, runtime: Runtime, name: str) -> str:
    """Make a connection as the terminal does; return its password."""
    note(db, runtime.clock(), TERMINAL, "connection.add", name)
    return connections.add(db, runtime.settings.secret_key, name, runtime.clock())


def _upkeep(runtime: Runtime) -> None:
    worker.run_once(runtime.database, Rules.of(runtime.settings), runtime.clock)


def _switch(runtime: Runtime, *, enabled: bool) -> None:
    def write(db: Connection) -> None:
        note(db, runtime.clock(), TERMINAL, f"connection.{'enable' if enabled else 'disable'}", "newsletter")
        connections.switch(db, "newsletter", enabled=enabled)

    runtime.database.write(write)


def _refuse_real_data(runtime: Runtime) -> None:
    if runtime.database.read(lambda db: db.execute(_OTHERS, {"project": PROJECT}).scalar_one()):
        raise click.ClickException(
            "This instance has data of its own. Give the demo another folder: INSTANCE_PATH=instance/demo flask demo"
        )


def _clear(db: Connection) -> None:
    for table in TABLES:
        db.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    db.execute(_UNSAID, {"who": TERMINAL})


def _token_names(db: Connection) -> Names:
    return set(db.execute(_TOKENS).scalars())


def _new_token(db: Connection, runtime: Runtime) -> str:
    """Make a token. It can be shown only once, so that every run makes another; the earlier ones stay good."""
    taken = sum(name.split("-")[0] == TOKEN for name in _token_names(db))
    name = f"{TOKEN}-{taken + 1}" if taken else TOKEN
    note(db, runtime.clock(), TERMINAL, "token.add", name, after={"scope": "read"})
    return tokens.add(db, runtime.settings.secret_key, name, "read", runtime.clock())


def _show(runtime: Runtime, token: str) -> None:
    for cohort_id, name, members in runtime.database.read(lambda db: db.execute(_COHORTS).all()):
        click.echo(f"  {name:<20} {counted(members, 'member'):>14}  (cohort {cohort_id} of project {PROJECT})")
    root = f"{runtime.settings.public_url}/api/v1"
    cohort = f"{root}/projects/{PROJECT}/cohorts/3201"
    click.echo("\nAlso in it: a rename, four days off and the catching up, rejected members, an export that had to")
    click.echo(f"settle, one that stalled, and calls that were refused.\n\nAPI token: {token}\n")
    for address in (
        f"{root}/cohorts",
        f"{cohort}/members?limit=3",
        f"{cohort}/changes?limit=3",
        f"{root}/sessions?status=stalled",
        f"{root}/failures?limit=3",
    ):
        click.echo(f"curl -s -H 'Authorization: Bearer {token}' '{address}'")
