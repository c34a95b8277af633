"""`flask connections keep` and `minimise`: what a connection keeps of people's profiles."""

import json
from typing import Any

import click
from sqlalchemy import Connection

from commands.connections import group
from config.clock import iso
from config.counts import counted_to
from models.profile_choice import WAYS, ProfileChoice, WrongChoice, days_of, of_json
from runtime import current_runtime
from security import connections
from security.audit import TERMINAL, note
from security.connections import Listed
from sync.minimise import runs
from sync.minimise.words import COSTS, described

_WAY = click.Choice(WAYS)


def _known(db: Connection, name: str) -> Listed:
    try:
        return connections.one(db, name)
    except connections.WrongName as error:
        raise click.ClickException(str(error)) from None


@group.command("keep")
@click.argument("name")
@click.option("--all", "every", is_flag=True, help="Keep all fields.")
@click.option("--none", "nothing", is_flag=True, help="Keep no field.")
@click.option("--field", "fields", multiple=True, metavar="FIELD", help="Keep this field, and others so named, alone.")
@click.option("--email", type=_WAY, help="What becomes of e-mail addresses.")
@click.option("--phone", type=_WAY, help="What becomes of phone numbers.")
@click.option("--email-field", "email_fields", multiple=True, metavar="FIELD", help="A further field with an e-mail.")
@click.option("--phone-field", "phone_fields", multiple=True, metavar="FIELD", help="A further field with a number.")
@click.option(
    "--days", multiple=True, metavar="FIELD=DAYS", help="Drop this field so long after it was written; 0 never."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def keep(name: str, *, as_json: bool, **given: Any) -> None:
    """Show what NAME keeps of profiles, or change it from the next page on. What is not said stays."""
    runtime = current_runtime()

    def write(db: Connection) -> ProfileChoice:
        known = _known(db, name)
        choice = _changed(known.choice, **given)
        if choice != known.choice:
            connections.keep(db, name, choice)
            sides = (known.choice.as_json(), choice.as_json())
            note(db, runtime.clock(), TERMINAL, "connection.keep", name, *sides)
        return choice

    try:
        choice = runtime.database.write(write)
    except WrongChoice as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps(choice.as_json()))
        return
    click.echo(f"{name}: {described(choice)}.")
    if any(given.values()):
        click.echo(f"This holds from the next page on. For what is stored: flask connections minimise {name}")


def _changed(
    known: ProfileChoice, *, every: bool, nothing: bool, fields: tuple[str, ...], **given: Any
) -> ProfileChoice:
    """Raises WrongChoice, and click's UsageError."""
    if every + nothing + bool(fields) > 1:
        raise click.UsageError("Give one of --all, --none and --field.")
    said = known.as_json() | {key: value for key, value in given.items() if value and key != "days"}
    if every or nothing or fields:
        said["keep"] = "all" if every else list(fields)
    days = said["days"] | dict(map(days_of, given["days"]))
    return of_json(said | {"days": {name: count for name, count in days.items() if count}})


@group.command("minimise")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def minimise(name: str, *, yes: bool, as_json: bool) -> None:
    """Apply what NAME keeps to what is stored already; `flask work` does it, in steps."""
    runtime = current_runtime()
    known = runtime.database.read(lambda db: _known(db, name))
    if known.keeps is None:
        raise click.ClickException(f"{name} keeps everything: choose first, by flask connections keep {name}.")
    extent = runtime.database.read(lambda db: runs.extent(db, known.id))
    if not as_json:
        click.echo(f"{described(known.choice)}.")
        click.echo(f"{told(extent)} are gone through. What goes cannot be brought back.")
        click.echo("\n".join(COSTS[:2]))
    if not yes:
        click.confirm("Apply it to what is stored?", abort=True, err=as_json)

    def write(db: Connection) -> None:
        now = runtime.clock()
        runs.ask(db, known.id, known.choice, TERMINAL, now)
        note(db, now, TERMINAL, "connection.minimise", name, after=known.choice.as_json() | {"people": extent.people})

    runtime.database.write(write)
    if as_json:
        found = runtime.database.read(lambda db: runs.latest(db, known.id))
        click.echo(
            json.dumps({"name": name, "people": extent.people, "asked_at": iso(found.asked_at if found else None)})
        )
        return
    click.echo("Asked for. flask work goes through it; the connection's page says how far it has come.")


def told(extent: runs.Extent) -> str:
    """Return the count of people in words, as a sentence begins."""
    words = counted_to(runs.MOST_COUNTED, extent.people, "person", "people")
    return words[0].upper() + words[1:]
