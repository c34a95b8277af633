"""`flask backup` and `flask restore`: a copy of everything that is stored, and the way back."""

import json
import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from config.database_url import sqlite_file, without_password
from models.database import DatabaseUnavailable
from models.maintenance import backup, schema
from models.maintenance.backup import NoBackup
from runtime import current_runtime

KEYS = "Keep SECRET_KEY too (instance/secret-key where it was made for you): without it passwords and tokens are void."


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def backup_command(file: Path, *, force: bool, as_json: bool) -> None:
    """Copy the SQLite database into FILE while the app goes on; for PostgreSQL, print the line that does it."""
    runtime = current_runtime()
    url = runtime.settings.database_url
    if not runtime.settings.on_sqlite:
        raise click.ClickException(f"PostgreSQL has its own: {_pg_dump(url, file)}")
    if file.exists() and not force:
        raise click.ClickException(f"{file} exists. Name another file, or replace it with --force.")
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        backup.copy(sqlite_file(url), unfinished, alone=True)
        revision = backup.revision_of(unfinished)
        unfinished.replace(file)
    except (DatabaseUnavailable, NoBackup) as error:
        raise click.ClickException(str(error)) from None
    finally:
        unfinished.unlink(missing_ok=True)
    report = {"file": str(file), "bytes": file.stat().st_size, "revision": revision}
    click.echo(json.dumps(report) if as_json else f"{file}: {report['bytes']:,} bytes, revision {revision}.\n{KEYS}")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def restore_command(file: Path, *, yes: bool, as_json: bool) -> None:
    """Put what FILE holds in the place of everything that is stored now, which is kept beside it as a copy."""
    runtime = current_runtime()
    url = runtime.settings.database_url
    if not runtime.settings.on_sqlite:
        raise click.ClickException(f"PostgreSQL has its own: {_pg_restore(url, file)}")
    try:
        revision = backup.revision_of(file)
    except NoBackup as error:
        raise click.ClickException(f"{file}: {error}") from None
    if revision > (schema.newest_revision() or ""):
        raise click.ClickException(f"{file} is of a newer version (revision {revision}); upgrade the app first.")
    stored = sqlite_file(url)
    if not yes:
        click.confirm(f"Replace everything in {stored} with what {file} holds?", abort=True, err=True)
    kept = stored.with_name(f"{stored.name}.before-{datetime.fromtimestamp(runtime.clock() / 1000, UTC):%Y%m%dT%H%M%S}")
    try:
        backup.copy(stored, kept, alone=True)
        backup.copy(file, stored)
    except DatabaseUnavailable as error:
        raise click.ClickException(f"{error}; stop the app and try again. Nothing was changed.") from None
    runtime.database.alter(schema.upgrade)
    report = {"file": str(file), "revision": schema.newest_revision(), "before": str(kept)}
    click.echo(json.dumps(report) if as_json else f"Restored from {file}. What was there before is in {kept}.")


def _pg_dump(url: str, file: Path) -> str:
    return f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(without_password(url))}"


def _pg_restore(url: str, file: Path) -> str:
    return f"pg_restore --clean --if-exists --dbname={shlex.quote(without_password(url))} {shlex.quote(str(file))}"
