"""`flask secrets`: a new SECRET_KEY while the relay serves, and what still depends on the earlier one."""

import json
from collections.abc import Sequence

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from commands.exit_codes import NOT_ALL
from commands.secret_input import line
from config import secret_key_file
from config.counts import counted
from config.key_strength import is_random_enough
from runtime import Runtime, current_runtime
from security import rotation
from security.audit import TERMINAL, note
from security.key_uses import DIGESTED, SEALED
from security.rotation import KeyUse

group = AppGroup("secrets", help="Rotating the key of everything secret that is stored.")

WORDS = {column.name: column.words for column in (*DIGESTED, *SEALED)}
BY_ENVIRONMENT = (
    "SECRET_KEY comes from {origin}, so that its new value has to be put there: make one with python3 -c 'import"
    " secrets; print(secrets.token_hex(32))', move the key of now to the front of SECRET_KEY_OLD, restart every process"
    " of the relay, and call flask secrets rotate again. Nothing was changed."
)


@group.command("rotate")
@click.option("--key-stdin", is_flag=True, help="Take the new key from standard input instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(*, key_stdin: bool, as_json: bool) -> None:
    """Make a new key, and seal everything under it anew while the relay serves; the earlier key stays valid. A rotation
    that was interrupted goes on."""
    runtime = current_runtime()
    keys = runtime.settings.keys_now()
    if runtime.database.read(lambda db: rotation.is_begun(db, keys)) and not _is_unfinished(runtime):
        keys = _new_key(runtime, keys, line("key").strip() if key_stdin else secret_key_file.new_key())
    if not runtime.database.read(lambda db: rotation.is_begun(db, keys)):
        runtime.database.write(lambda db: rotation.start(db, keys, runtime.clock()))
    went = rotation.reseal(runtime, lambda words, rows: None if as_json else _say(words, rows))
    if as_json:
        click.echo(
            json.dumps({"key": rotation.shown(keys[0]), "resealed": went, "keys": _as_json(rotation.uses(runtime))})
        )
        return
    click.echo(f"The key of now is {rotation.shown(keys[0])}. {counted(went, 'value')} sealed anew.")
    _tell(rotation.uses(runtime))


def _say(words: str, rows: int) -> None:
    if rows:
        click.echo(f"sealed anew  {rows:>7}  {words}")


def _is_unfinished(runtime: Runtime) -> bool:
    """Whether something is still sealed under an earlier key that is known."""
    return any(use.sealed for use in rotation.uses(runtime) if use.id is not None and not use.is_current)


def _new_key(runtime: Runtime, keys: Sequence[str], made: str) -> tuple[str, ...]:
    """Put a new key into the key's file, above the others, where every process finds it at its next look."""
    settings = runtime.settings
    if settings.key_file is None:
        raise click.ClickException(BY_ENVIRONMENT.format(origin=settings.origins["SECRET_KEY"]))
    if not is_random_enough(made) or made in keys:
        raise click.ClickException("The new key has to be another one, and 32 random bytes as text.")
    of_file = [key for key in keys if key not in settings.set_old_keys]
    secret_key_file.write(settings.instance / secret_key_file.NAME, [made, *of_file])
    return settings.keys_now()


@group.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, as_json: bool) -> None:
    """What depends on each key: what is sealed under it, and which passwords and tokens it still has to find. Exit code
    4 while something depends on an earlier one."""
    runtime = current_runtime()
    uses = rotation.uses(runtime)
    if as_json:
        click.echo(json.dumps({"keys": _as_json(uses)}))
    else:
        _tell(uses)
    if any(use.sealed or use.digested for use in uses if not use.is_current):
        click.get_current_context().exit(NOT_ALL)


def _as_json(uses: list[KeyUse]) -> list[dict[str, object]]:
    return [
        {
            "key": None if use.id is None else f"{use.id:08x}",
            "current": use.is_current,
            "sealed": use.sealed,
            "digests": use.digested,
        }
        for use in uses
    ]


def _tell(uses: list[KeyUse]) -> None:
    for use in uses:
        if use.id is None:
            click.echo("none of the keys that are known")
        else:
            click.echo(f"{use.id:08x}  {'the key of now' if use.is_current else 'an earlier key'}")
        for name, rows in (*use.sealed.items(), *use.digested.items()):
            click.echo(f"  {rows:>7}  {WORDS[name]}")
        if not use.sealed and not use.digested:
            click.echo("        0  nothing depends on it" + ("" if use.is_current else ": flask secrets forget"))


@group.command("forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(*, yes: bool) -> None:
    """Let go of the earlier keys; first say what is void without them."""
    runtime = current_runtime()
    keys = runtime.settings.keys_now()
    old = [use for use in rotation.uses(runtime) if use.id is not None and not use.is_current]
    if not old:
        click.echo("No earlier key is known; nothing was changed.")
        return
    if not runtime.database.read(lambda db: rotation.is_begun(db, keys)):
        raise click.ClickException("The database's key is still an earlier one: flask secrets rotate comes first.")
    _warn(runtime, old)
    if not yes:
        click.confirm("Forget the earlier keys?", abort=True, err=True)
    if runtime.settings.key_file is not None:
        secret_key_file.write(runtime.settings.instance / secret_key_file.NAME, keys[:1])
    runtime.database.write(lambda db: _forget(db, runtime.clock()))
    set_old = runtime.settings.set_old_keys
    click.echo("Take them out of SECRET_KEY_OLD and restart the relay." if set_old else "They are forgotten.")


def _warn(runtime: Runtime, old: list[KeyUse]) -> None:
    names = runtime.database.read(lambda db: rotation.names_old(db, runtime.settings.secret_keys))
    if any(use.sealed or use.digested for use in old) or names:
        click.echo("Without the earlier keys these are void:")
    for use in old:
        for name, rows in (*use.sealed.items(), *use.digested.items()):
            click.echo(f"  {rows:>7}  {WORDS[name]}")
    if names:
        click.echo("  and messages that are still to be sent get other names: a receiver may take one twice")


def _forget(db: Connection, now: int) -> None:
    rotation.forget_names(db)
    note(db, now, TERMINAL, "secret_key.forget", "SECRET_KEY")
