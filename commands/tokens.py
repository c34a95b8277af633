"""`flask tokens`: who may use the JSON API."""

import json

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from config.clock import iso
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
    help="What it may do; may be given twice. To send and to erase include to read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, scopes: tuple[str, ...], *, as_json: bool) -> None:
    """Make token NAME and print it, this once."""
    wanted = set(scopes) - {"read"}
    if len(wanted) > 1:
        raise click.ClickException("A token sends or erases, not both: make two.")
    scope = wanted.pop() if wanted else "read"
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


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_all(*, as_json: bool) -> None:
    """Every token: its scope, its age, its last use. The tokens themselves are not kept."""
    found = [
        {"name": one.name, "scope": one.scope, "created_at": iso(one.created_at), "last_used_at": iso(one.last_used_at)}
        for one in house().database.read(tokens.listed, one_statement=True)
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found:
        click.echo("There is no token yet. Make one: flask tokens add NAME")
    for row in found:
        click.echo(
            f"{row['name']}  {row['scope']}  made {row['created_at']}  last used {row['last_used_at'] or 'never'}"
        )


@group.command("remove")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def remove(name: str, *, as_json: bool) -> None:
    """From now on nobody comes in with the token NAME."""
    now = house().clock()

    def write(db: Connection) -> bool:
        one = next((token for token in tokens.listed(db) if token.name == name), None)
        if one is None or not tokens.remove(db, one):
            return False
        note(db, now, TERMINAL, "token.remove", name, before={"scope": one.scope})
        return True

    if not house().database.write(write):
        raise click.ClickException(f"There is no token {name}. See: flask tokens list")
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else f"{name} is removed.")
