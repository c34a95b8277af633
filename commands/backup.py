"""`flask backup` and `flask restore`: a copy of everything that is stored, and the way back."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from backups import copies, making, places, restoring, schedule
from backups.restoring import Opened
from backups.trouble import NoBackup, NotKept, NotMade, told
from config.clock import utc
from config.database_url import sqlite_file, where
from models.database import DatabaseUnavailable
from models.maintenance import backup, schema
from runtime import Runtime, current_runtime

KEYS = "Keep SECRET_KEY too (instance/secret-key where it was made for you): without it passwords and tokens are void."
NOWHERE = "Name a FILE, or set BACKUP_TO to where backups are kept."


@click.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--list", "as_list", is_flag=True, help="Only list what is kept in BACKUP_TO, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def backup_command(file: Path | None, *, force: bool, as_list: bool, as_json: bool) -> None:
    """Copy the database into FILE while the app goes on, not encrypted; without FILE make the next of the backups that
    BACKUP_TO asks for, read it back and open it. PostgreSQL's own pg_dump does it where that is the database."""
    runtime = current_runtime()
    if file is None and not runtime.settings.backup_to:
        raise click.UsageError(NOWHERE)
    try:
        if as_list:
            _list(runtime, as_json=as_json)
        elif file is None:
            _make_scheduled(runtime, as_json=as_json)
        else:
            _write(runtime, file, force=force, as_json=as_json)
    except (DatabaseUnavailable, NoBackup, NotKept, NotMade) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(told(error)) from None


def _write(runtime: Runtime, file: Path, *, force: bool, as_json: bool) -> None:
    if file.exists() and not force:
        raise click.ClickException(f"{file} exists. Name another file, or replace it with --force.")
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        unfinished = Path(folder) / "copy"
        copies.copy(runtime.database, runtime.settings, unfinished, "", lambda: False)
        revision = copies.revision_in(unfinished, runtime.settings)
        unfinished.replace(file)
    report = {"file": str(file), "bytes": file.stat().st_size, "revision": revision, "encrypted": False}
    _say(report, f"{file}: {report['bytes']:,} bytes, revision {revision}, not encrypted.\n{KEYS}", as_json=as_json)


def _make_scheduled(runtime: Runtime, *, as_json: bool) -> None:
    settings = runtime.settings
    runtime.database.write(lambda db: schedule.hold(db, settings, runtime.clock()))
    runtime.database.write(lambda db: schedule.due_now(db, runtime.clock()))
    made = making.run_due(runtime)
    if made is None:
        plan = runtime.database.read(schedule.plan_of, one_statement=True)
        reason = plan.reason if plan is not None and plan.failed_at is not None else ""
        raise click.ClickException(reason or "A worker makes one at this moment: see flask backup --list.")
    report: dict[str, Any] = {"place": settings.backup_to, "name": made.name, "bytes": made.bytes}
    report |= {"revision": made.revision, "encrypted": made.encrypted, "removed": made.pruned}
    kind = "encrypted" if made.encrypted else "not encrypted"
    said = f"{settings.backup_to}/{made.name}: {made.bytes:,} bytes, revision {made.revision}, {kind}; was opened."
    _say(report, f"{said}\n{KEYS}", as_json=as_json)


def _list(runtime: Runtime, *, as_json: bool) -> None:
    settings = runtime.settings
    if not settings.backup_to:
        raise click.UsageError(NOWHERE)
    place = places.opened(settings.backup_to, settings)
    kept = places.kept(place)
    keys = places.key_names(place, kept, settings)
    rows: list[dict[str, Any]] = [
        {"backup": f"{settings.backup_to}/{one.name}", "bytes": one.size, "at": utc(one.at)}
        | {"encrypted": one.is_sealed, "key": keys.get(one.name)}
        for one in kept
    ]
    shown = [f"{row['backup']}  {row['bytes']:,} bytes  {row['at']}  {_opens(row)}" for row in rows]
    _say({"backups": rows}, "\n".join(shown) or f"There is none in {settings.backup_to}.", as_json=as_json)


def _opens(row: dict[str, Any]) -> str:
    if not row["encrypted"]:
        return "not encrypted"
    return f"opens with {row['key']}" if row["key"] else "no key opens it"


@click.command("restore")
@click.argument("backup_address", metavar="FILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def restore_command(backup_address: str, *, yes: bool, as_json: bool) -> None:
    """Put what FILE holds, a file or s3://bucket/path/NAME, in the place of everything that is stored now. On SQLite
    that is kept beside it as a copy; on PostgreSQL stop the relay first."""
    runtime = current_runtime()
    try:
        with restoring.opened(backup_address, runtime.settings) as opened:
            report = _restore(runtime, backup_address, opened, yes=yes)
    except (NoBackup, NotKept, NotMade) as error:
        raise click.ClickException(f"{backup_address}: {error}") from None
    except DatabaseUnavailable as error:
        raise click.ClickException(f"{error}; stop the app and try again. Nothing was changed.") from None
    except OSError as error:
        raise click.ClickException(f"{backup_address}: {told(error)}") from None
    runtime.database.alter(schema.upgrade)
    report |= {"file": backup_address, "revision": schema.newest_revision()}
    how = f" It was opened with {report['key']}." if report["key"] else ""
    kept = f" What was there before is in {report['before']}." if "before" in report else ""
    _say(report, f"Restored from {backup_address}.{how}{kept}", as_json=as_json)


def _restore(runtime: Runtime, address: str, opened: Opened, *, yes: bool) -> dict[str, Any]:
    settings = runtime.settings
    if opened.revision > (schema.newest_revision() or ""):
        raise NoBackup(f"It is of a newer version (revision {opened.revision}); upgrade the app first.")
    place = str(sqlite_file(settings.database_url)) if settings.on_sqlite else where(settings.database_url)
    lost = "" if settings.on_sqlite else " What is there now is gone then"
    if not yes:
        click.confirm(f"Replace everything in {place} with what {address} holds?{lost}", abort=True, err=True)
    report = {"checked": opened.checked, "was_encrypted": opened.key is not None, "key": opened.key}
    if settings.on_sqlite:
        return report | {"before": str(_replace_sqlite(runtime, opened.file))}
    runtime.database.dispose()
    copies.restore_dump(opened.file, settings)
    return report


def _replace_sqlite(runtime: Runtime, file: Path) -> Path:
    stored = sqlite_file(runtime.settings.database_url)
    moment = datetime.fromtimestamp(runtime.clock() / 1000, UTC)
    kept = stored.with_name(f"{stored.name}.before-{moment:%Y%m%dT%H%M%S}")
    backup.copy(stored, kept, alone=True)
    backup.copy(file, stored)
    return kept


def _say(report: dict[str, Any], words: str, *, as_json: bool) -> None:
    click.echo(json.dumps(report) if as_json else words)
