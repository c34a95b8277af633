"""`flask migrate-data`: everything from SQLite into PostgreSQL, compared before it counts."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import with_appcontext

from commands.secret_input import seen_address
from commands.terminal import raw
from config.counts import counted
from config.database_url import (
    DRIVER,
    SQLITE,
    database_url,
    parameters,
    says_pooler,
    sqlite_file,
    without_password,
)
from config.parsers import WrongValue
from models.database import Database, DatabaseUnavailable
from models.maintenance import close_for_writes, transfer
from models.maintenance.row_equality import TableAccount, Watch
from models.maintenance.transfer import Account, NotEqual, NoTransfer
from runtime import current_runtime

NO_TARGET = "--to must be the address of a database: postgresql://user@host:5432/name"
PASSES = 2  # every row is copied, and compared


@click.command("migrate-data")
@click.option(
    "--to",
    callback=seen_address,
    help="Address of an empty PostgreSQL database with our tables (flask db upgrade): postgresql://…; - reads a line.",
)
@click.option("--from", "source", help="The SQLite database, sqlite:///…; DATABASE_URL where it is left out.")
@click.option("--reopen", is_flag=True, help="Go back: let the SQLite database be written again, and move nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def command(to: str | None, source: str | None, *, reopen: bool, as_json: bool) -> None:
    """Move everything from SQLite into an empty PostgreSQL database, compare it, and close SQLite for writing."""
    file = _file(source)
    if reopen == bool(to):
        raise click.UsageError("Say where to with --to postgresql://…, or go back with --reopen.")
    try:
        with _opened(transfer.sqlite_database(file)) as sqlite:
            if to is None:
                sqlite.write(close_for_writes.reopen)
                click.echo(json.dumps({"reopened": str(file)}) if as_json else f"{file} can be written again.")
                return
            _move(sqlite, file, _target(to), as_json=as_json)
    except NotEqual as error:
        _print(error.tables, as_json=as_json)
        raise click.ClickException(str(error)) from None
    except DatabaseUnavailable as error:
        raise click.ClickException(
            f"A database is busy or away: {error.told}. Nothing was moved; stop what uses the two and try again."
        ) from None
    except NoTransfer as error:
        raise click.ClickException(str(error)) from None


def _move(source: Database, file: Path, url: str, *, as_json: bool) -> None:
    shown = without_password(url)
    with _opened(transfer.postgresql_database(parameters(url), pooler=says_pooler(url))) as target:
        rows = 0 if as_json or not sys.stderr.isatty() else transfer.count(source)
        with _progress(rows) as watch:
            account = transfer.move(source, target, watch)
    if as_json:
        click.echo(json.dumps({"from": str(file), "to": shown, "rows": account.rows, "equal": True} | asdict(account)))
        return
    _print(account.tables, as_json=False)
    click.echo(_summary(account, file, shown))


def _summary(account: Account, file: Path, shown: str) -> str:
    done = "had been moved before, and is still the same" if account.was_there else "is moved, and the same there"
    said = f"Everything ({counted(account.rows, 'row')}) {done}; {account.seconds:.1f} s.\n"
    if account.unbalanced_cohorts:
        cohorts = counted(account.unbalanced_cohorts, "cohort")
        said += f"In {cohorts} member_count is not what their rows say, here and there.\n"
    return (
        f"{said}{file} is closed for writing: Mixpanel hears 503 until the relay runs on PostgreSQL, and tries again.\n"
        f"Next: set DATABASE_URL={shown} (with its password) and start the relay again.\n"
        "Keep SECRET_KEY as it is: passwords, tokens and Mixpanel's credentials work with the same key only.\n"
        "To go back instead: flask migrate-data --reopen."
    )


def _print(tables: Sequence[TableAccount], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"equal": False, "tables": [asdict(table) for table in tables]}))
        return
    click.echo(f"{'table':24}{'SQLite':>14}{'PostgreSQL':>14}  equal")
    for table in tables:
        equal = "yes" if table.is_equal else f"NO, different: {counted(table.differing, 'row')}"
        click.echo(f"{table.table:24}{table.rows:>14,}{table.stored:>14,}  {equal}")


@contextmanager
def _progress(rows: int) -> Iterator[Watch]:
    """Show a bar on a terminal, with a time to go; nothing where nobody looks (`rows` is 0)."""
    if not rows:
        yield lambda _doing, _rows: None
        return
    with click.progressbar(
        length=rows * PASSES, label="Moving", file=raw(sys.stderr), item_show_func=lambda doing: doing or ""
    ) as bar:
        yield lambda doing, further: bar.update(further, doing)


@contextmanager
def _opened(database: Database) -> Iterator[Database]:
    try:
        yield database
    finally:
        database.dispose()


def _file(source: str | None) -> Path:
    """Return the file. Raises click's BadParameter where `source`, or else DATABASE_URL, is no SQLite database."""
    named = source if source is None or "://" in source else f"{SQLITE}{source}"
    found = current_runtime().settings.database_url if named is None else named
    if not found.startswith(SQLITE) or found == SQLITE:
        raise click.BadParameter("DATABASE_URL is no SQLite database: name it with --from sqlite:///…")
    return sqlite_file(found)


def _target(to: str) -> str:
    try:
        url = database_url(to)
    except WrongValue as error:
        raise click.BadParameter(f"{NO_TARGET}; this is not {error}") from None
    if not url.startswith(DRIVER) or not parameters(url).get("dbname"):
        raise click.BadParameter(NO_TARGET)
    return url
