"""`flask tokens`: who may use the JSON API."""

import json

import click
from flask.cli import AppGroup

from security import tokens
from security.house import house

group = AppGroup("tokens", help="Tokens of the JSON API.")


@group.command("add")
@click.argument("name")
@click.option("--scope", type=click.Choice(tokens.SCOPES), default="read", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, scope: str, *, as_json: bool) -> None:
    """Make token NAME and print it, this once."""
    key, now = house().settings.secret_key, house().clock()
    try:
        token = house().database.write(lambda db: tokens.add(db, key, name, scope, now))
    except tokens.TokenExists as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"name": name, "token": token}) if as_json else f"name   {name}\ntoken  {token}")
