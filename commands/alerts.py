"""`flask alerts`: the channels that admins have added."""

import json

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from alerts import channel_secrets, stored_channels
from alerts.stored_channels import WrongChannel
from runtime import Runtime, current_runtime
from security.audit import TERMINAL, note

group = AppGroup("alerts", help="Channels of alerts.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_all(*, as_json: bool) -> None:
    """Every channel that was added on the dashboard, without its secrets."""
    found = current_runtime().database.read(stored_channels.listed, one_statement=True)
    if as_json:
        click.echo(json.dumps([{"name": one.name, "kind": one.kind, "states": one.states} for one in found]))
        return
    for channel in found:
        click.echo(f"{channel.name}  {channel.kind}  {', '.join(channel.states) or 'told of everything'}")


@group.command("rotate")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(name: str, *, as_json: bool) -> None:
    """Make a new key of the signature for the webhook NAME, and print it, this once; the earlier one signs too for a
    day."""
    runtime = current_runtime()
    try:
        secret = runtime.database.write(lambda db: _rotate(db, runtime, name))
    except WrongChannel as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"name": name, "secret": secret}) if as_json else f"name    {name}\nsecret  {secret}")


def _rotate(db: Connection, runtime: Runtime, name: str) -> str:
    known = next((one for one in stored_channels.listed(db) if one.name == name), None)
    if known is None:
        raise WrongChannel("name", f"There is no channel {name}.")
    secret = channel_secrets.rotate(db, runtime.cipher, known, runtime.clock())
    note(db, runtime.clock(), TERMINAL, "alert_channel.rotate", known.name)
    return secret
