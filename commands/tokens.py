"""`flask tokens`: who may use the JSON API."""

import json

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from security import tokens
from security.audit import TERMINAL, note
from security.house import house

group = AppGroup("tokens", help="Tokens of the JSON API.")


@group.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(tokens.SCOPES),
    multiple=True,
    default=["read"],
    show_default=True,
    help="What it may do; may be given twice. To send includes to read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, scopes: tuple[str, ...], *, as_json: bool) -> None:
    """Make token NAME and print it, this once."""
    scope = "send" if "send" in scopes else "read"
    key, now = house().settings.secret_key, house().clock()
    try:
        token = house().database.write(lambda db: _add(db, key, name, scope, now))
    except tokens.TokenExists as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"name": name, "token": token}) if as_json else f"name   {name}\ntoken  {token}")


def _add(db: Connection, key: str, name: str, scope: str, now: int) -> str:
    token = tokens.add(db, key, name, scope, now)
    note(db, now, TERMINAL, "token.add", name, after={"scope": scope})
    return token
