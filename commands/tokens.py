"""`flask tokens`: who may use the JSON API."""

import json
from dataclasses import asdict

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from config.clock import iso, utc
from runtime import current_runtime
from security import tokens
from security.audit import TERMINAL, note
from security.token_bounds import Bounds, WrongBound, read

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
    help="What it may do; may be given twice. Each includes to read.",
)
@click.option("--days", default="", help="Days after which it ends; without, it has no end.")
@click.option("--project", "project_id", default="", help="Mixpanel's id of the only project that it is for.")
@click.option("--network", default="", help="The only network that may use it: 192.0.2.0/24, or an address.")
@click.option("--calls-per-minute", default="", help="How often it may call, below what every token may.")
@click.option("--no-exports", "exports", is_flag=True, default=True, flag_value=False, help="Not for whole cohorts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(name: str, scopes: tuple[str, ...], *, exports: bool, as_json: bool, **narrow: str) -> None:
    """Make token NAME and print it, this once."""
    runtime = current_runtime()
    wanted = set(scopes) - {"read"}
    if len(wanted) > 1:
        raise click.ClickException("A token sends, erases, delivers or manages: make one for each.")
    scope = wanted.pop() if wanted else "read"
    key, now = runtime.settings.secret_key, runtime.clock()
    try:
        bounds = read(**narrow, exports=exports, now=now)
        token = runtime.database.write(lambda db: _add(db, key, name, scope, now, bounds))
    except (tokens.WrongTokenName, WrongBound) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"name": name, "token": token}) if as_json else f"name   {name}\ntoken  {token}")


def _add(db: Connection, key: str, name: str, scope: str, now: int, bounds: Bounds) -> str:
    token = tokens.add(db, key, name, scope, now, bounds)
    note(db, now, TERMINAL, "token.add", name, after={"scope": scope, **asdict(bounds)})
    return token


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_all(*, as_json: bool) -> None:
    """Every token: its scope, its age, its last use. The tokens themselves are not kept."""
    listed = current_runtime().database.read(tokens.listed, one_statement=True)
    found = [
        {
            "name": token.name,
            "scope": token.scope,
            "created_at": iso(token.created_at),
            "last_used_at": iso(token.last_used_at),
            "expires_at": iso(token.bounds.expires_at),
            "project_id": token.bounds.project_id,
            "network": token.bounds.network,
            "exports": not token.bounds.without_exports,
            "calls_per_minute": token.bounds.calls_per_minute,
        }
        for token in listed
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found:
        click.echo("There is no token yet. Make one: flask tokens add NAME")
    for token in listed:
        ends = "" if token.bounds.expires_at is None else f"  ends {utc(token.bounds.expires_at)}"
        click.echo(
            f"{token.name}  {token.scope}  made {utc(token.created_at)}  last used {utc(token.last_used_at)}{ends}"
        )


@group.command("remove")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def remove(name: str, *, as_json: bool) -> None:
    """From now on nobody comes in with the token NAME."""
    runtime = current_runtime()
    now = runtime.clock()

    def write(db: Connection) -> bool:
        known = next((token for token in tokens.listed(db) if token.name == name), None)
        if known is None or not tokens.remove(db, known):
            return False
        note(db, now, TERMINAL, "token.remove", name, before={"scope": known.scope})
        return True

    if not runtime.database.write(write):
        raise click.ClickException(f"There is no token {name}. See: flask tokens list")
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else f"{name} is removed.")
