"""`flask connections`: the webhooks set up in Mixpanel."""

import json
from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from config.clock import iso, utc
from runtime import current_runtime
from security import connections
from security.audit import TERMINAL, note

T = TypeVar("T")

group = AppGroup("connections", help="Webhook connections: what Mixpanel signs in with.")


def _change(action: str, name: str, work: Callable[[Connection], T]) -> T:
    """Do it, and leave a note in the audit trail."""
    runtime = current_runtime()

    def write(db: Connection) -> T:
        done = work(db)
        note(db, runtime.clock(), TERMINAL, f"connection.{action}", name)
        return done

    try:
        return runtime.database.write(write)
    except connections.WrongName as error:
        raise click.ClickException(str(error)) from None


def _show(name: str, password: str, *, as_json: bool) -> None:
    shown = {
        "name": name,
        "url": f"{current_runtime().settings.public_url}/webhooks/mixpanel/{name}",
        "username": name,
        "password": password,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for key, value in shown.items():
        click.echo(f"{key:<9} {value}")
    click.echo("\nThe password is shown this once. In Mixpanel: Data, Destinations, Webhook.")


@group.command("add")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, *, as_json: bool) -> None:
    """Make connection NAME and print what Mixpanel needs."""
    runtime = current_runtime()
    key, now = runtime.settings.secret_key, runtime.clock()
    _show(name, _change("add", name, lambda db: connections.add(db, key, name, now)), as_json=as_json)


@group.command("rotate")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(name: str, *, as_json: bool) -> None:
    """Make a further password for NAME; the old one stays live until `retire`."""
    runtime = current_runtime()
    key, now = runtime.settings.secret_key, runtime.clock()
    _show(name, _change("rotate", name, lambda db: connections.rotate(db, key, name, now)), as_json=as_json)


@group.command("retire")
@click.argument("name")
def retire(name: str) -> None:
    """Retire every password of NAME but the newest."""
    gone = _change("retire", name, lambda db: connections.retire(db, name, current_runtime().clock()))
    click.echo(f"Retired {gone} older password{'' if gone == 1 else 's'} of {name}.")


@group.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Switch NAME off: Mixpanel gets 503, keeps trying and catches up after `enable`."""
    _change("disable", name, lambda db: connections.switch(db, name, enabled=False))
    click.echo(f"{name} is off. Mixpanel gets 503 and sends again later; after 3 days it sends whole cohorts.")


@group.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Switch NAME on again."""
    _change("enable", name, lambda db: connections.switch(db, name, enabled=True))
    click.echo(f"{name} is on.")


@group.command("projects")
@click.argument("name")
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All projects may be written again.")
def projects(name: str, ids: tuple[str, ...], *, every: bool) -> None:
    """Let NAME write cohorts of the Mixpanel projects with these IDS alone."""
    if bool(ids) == every:
        raise click.UsageError("Give project ids, or --all.")
    _change("projects", name, lambda db: connections.bind(db, name, ids))
    click.echo(f"{name} may write cohorts of {', '.join(ids) if ids else 'all projects'}.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_all(*, as_json: bool) -> None:
    """Every connection, with each live password's age and last use."""
    found = current_runtime().database.read(connections.listed)
    rows = [
        {
            "name": connection.name,
            "enabled": connection.enabled,
            "created_at": iso(connection.created_at),
            "passwords": [
                {"id": number, "created_at": iso(created), "last_used_at": iso(used)}
                for number, created, used in connection.passwords
            ],
        }
        | ({"projects": list(connection.projects)} if connection.projects else {})
        for connection in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo("There is no connection yet. Make one: flask connections add NAME")
    for connection in found:
        click.echo(f"{connection.name}  {'on' if connection.enabled else 'off'}")
        for number, created, used in connection.passwords:
            click.echo(f"  password {number}  made {utc(created)}  last used {utc(used)}")
