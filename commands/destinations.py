"""`flask destinations`: where changes go. Secrets come in by standard input, and what we make is shown once."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from commands.exit_codes import NOT_ALL
from config.clock import utc
from destinations import as_json as shown_as
from destinations import destinations, opening, registry, subscriptions
from destinations.contract import Setting
from destinations.destinations import Destination, NewDestination
from destinations.settings import WrongSettings
from models.encryption import DecryptionError
from runtime import current_runtime
from security.audit import TERMINAL, note

T = TypeVar("T")

LONGEST_SECRETS = 100_000  # characters of standard input

group = AppGroup("destinations", help="Destinations: where changes of cohorts go.")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def pairs(_context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The callback of an option that is given as name=value, once or more often. Raises UsageError."""
    found: dict[str, str] = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{option.opts[0]} is given as {option.metavar}: there is a name or = missing.")
        if name in found:
            raise click.UsageError(f"{option.opts[0]} {name} is given twice.")
        found[name] = value
    return found


def _secrets() -> dict[str, Any]:
    """Secrets by name from standard input. Raises ClickException, which repeats nothing of them."""
    typed = sys.stdin.read(LONGEST_SECRETS + 1)
    try:
        found = json.loads(typed) if len(typed) <= LONGEST_SECRETS else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise click.ClickException('Standard input must be one JSON object of secrets: {"api_key": "…"}')
    return found


def _find(db: Connection, name: str) -> Destination:
    """Raises ClickException."""
    found = destinations.by_name(db, name)
    if found is None:
        raise click.ClickException(f"There is no destination {name}. See: flask destinations list")
    return found


def _write(work: Callable[[Connection], T]) -> T:
    """Raises ClickException, which names the field that is wrong."""
    try:
        return current_runtime().database.write(work)
    except (WrongSettings, opening.CannotOpen) as error:
        raise click.ClickException(str(error)) from None
    except DecryptionError:
        raise click.ClickException(opening.LOST) from None


@group.command("types")
@json_option
def types(*, as_json: bool) -> None:
    """Every type of destination, with its settings."""
    if as_json:
        click.echo(json.dumps([shown_as.of_type(kind) for kind in registry.TYPES.values()]))
        return
    for kind in registry.TYPES.values():
        click.echo(f"{kind.name}  {kind.help}")
        for setting in kind.settings:
            click.echo(
                f"  {'secret' if setting.secret else 'setting'} {setting.name}  {_says(setting)}  {setting.help}"
            )
    click.echo("\nAll take retry_seconds, timeout_seconds, rate and concurrency. See: flask destinations types --json")


def _says(setting: Setting) -> str:
    if setting.make:
        return "made by us"
    if setting.required:
        return "needed"
    return "optional" if setting.default in (None, "") else f"default {setting.default}"


@group.command("add")
@click.argument("name")
@click.option("--type", "kind", required=True, help="What it is: flask destinations types.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", callback=pairs, help="A setting; repeat it.")
@click.option("--secrets-stdin", is_flag=True, help="Read the secrets from standard input, as one JSON object.")
@json_option
def add(name: str, kind: str, settings: dict[str, str], *, secrets_stdin: bool, as_json: bool) -> None:
    """Let changes go to NAME. Nothing is sent before there is a subscription."""
    draft, runtime = NewDestination(name, kind, settings, _secrets() if secrets_stdin else {}), current_runtime()

    def write(db: Connection) -> dict[str, str]:
        added = destinations.add(db, runtime.cipher, draft, runtime.clock())
        note(db, runtime.clock(), TERMINAL, "destination.add", name, after={"type": kind})
        return added.made

    made = _write(write)
    _show(name, kind, made, as_json=as_json)
    if not as_json:
        click.echo(f"See whether it answers: flask destinations check {name}")


def _show(name: str, kind: str, made: dict[str, str], *, as_json: bool) -> None:
    shown = {"name": name, "type": kind, **made}
    if as_json:
        click.echo(json.dumps(shown))
        return
    for key, value in shown.items():
        click.echo(f"{key:<9} {value}")
    if made:
        click.echo("\nThe secret is shown this once.")


@group.command("change")
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", callback=pairs, help="A setting; repeat it.")
@click.option("--secrets-stdin", is_flag=True, help="Read secrets from standard input, as one JSON object.")
@json_option
def change(name: str, settings: dict[str, str], *, secrets_stdin: bool, as_json: bool) -> None:
    """Change NAME; what is not given stays as it is."""
    runtime, secrets = current_runtime(), _secrets() if secrets_stdin else {}

    def work(db: Connection, known: Destination, now: int) -> None:
        opening.check_type(known.type)
        draft = NewDestination(name, known.type, settings, secrets)
        destinations.change(db, runtime.cipher, known, draft, now)

    _change("change", name, work, {"settings": sorted(settings), "secrets": len(secrets)})
    click.echo(json.dumps({"name": name, "changed": True}) if as_json else f"{name} is changed.")


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Every destination and how it stands; secrets are never shown."""
    found = current_runtime().database.read(destinations.listed, one_statement=True)
    if as_json:
        click.echo(json.dumps([shown_as.of_destination(known) for known in found]))
        return
    if not found:
        click.echo(
            "There is no destination yet. Make one: flask destinations add NAME --type webhook --set url=https://…"
        )
    for known in found:
        why = f" ({known.reason or known.cause})" if known.reason or known.cause else ""
        click.echo(f"{known.name}  {known.type}  {known.status}{why}  last success {utc(known.succeeded_at)}")


@group.command("check")
@click.argument("name")
@json_option
def check(name: str, *, as_json: bool) -> None:
    """Try NAME's settings and secrets without changing anything there; ends with 4 where they do not work."""
    runtime = current_runtime()
    found = opening.check(runtime, runtime.database.read(lambda db: _find(db, name)))
    if as_json:
        click.echo(json.dumps({"name": name, "ok": found.ok, "told": found.told}))
    else:
        click.echo(f"{'works' if found.ok else 'FAILS'}  {found.told}")
    if not found.ok:
        raise SystemExit(NOT_ALL)


@group.command("rotate")
@click.argument("name")
@json_option
def rotate(name: str, *, as_json: bool) -> None:
    """Make NAME's secret anew and print it; the one before stays live for a day."""
    runtime = current_runtime()

    def write(db: Connection) -> tuple[str, dict[str, str]]:
        known = _find(db, name)
        opening.check_type(known.type)
        made = destinations.rotate(db, runtime.cipher, known, runtime.clock())
        note(db, runtime.clock(), TERMINAL, "destination.rotate", name)
        return known.type, made

    kind, made = _write(write)
    _show(name, kind, made, as_json=as_json)


@group.command("pause")
@click.argument("name")
@click.option("--reason", default="By hand, in the terminal.", help="Why, for whoever looks at it.")
@json_option
def pause(name: str, reason: str, *, as_json: bool) -> None:
    """Send nothing to NAME until it is resumed; everything waits."""

    def work(db: Connection, known: Destination, now: int) -> None:
        if not destinations.pause(db, known, reason, now):
            raise click.ClickException(f"{name} is being removed.")

    _change("pause", name, work)
    _told(
        name, "paused", f"{name} is paused. Everything waits until: flask destinations resume {name}", as_json=as_json
    )


@group.command("resume")
@click.argument("name")
@json_option
def resume(name: str, *, as_json: bool) -> None:
    """Send to NAME again, whatever it was paused for."""

    def work(db: Connection, known: Destination, now: int) -> None:
        if not destinations.resume(db, known, now) and known.status != "active":
            raise click.ClickException(f"{name} is being removed.")

    _change("resume", name, work)
    _told(name, "active", f"{name} is active.", as_json=as_json)


@group.command("remove")
@click.argument("name")
@click.option("--drain", is_flag=True, help="Send what waits first, and take out of a set whom we put in.")
@json_option
def remove(name: str, *, drain: bool, as_json: bool) -> None:
    """Remove NAME with its subscriptions. Without --drain what waits is not sent, and what is there stays there."""

    def work(db: Connection, known: Destination, now: int) -> None:
        for subscription in subscriptions.listed(db, known):
            subscriptions.remove(db, subscription, drain=drain)
        destinations.remove(db, known, now)

    _change("remove", name, work, {"drain": drain})
    words = f"{name} is being removed; a worker does the rest."
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else words)


def _change(
    action: str, name: str, work: Callable[[Connection, Destination, int], None], after: dict[str, Any] | None = None
) -> None:
    """Do it, and leave a note in the audit trail. Raises ClickException."""

    def write(db: Connection) -> None:
        now = current_runtime().clock()
        work(db, _find(db, name), now)
        note(db, now, TERMINAL, f"destination.{action}", name, after=after)

    _write(write)


def _told(name: str, status: str, words: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"name": name, "status": status}) if as_json else words)
