"""`flask import`: the records of a file sent in batches, with progress; it can be stopped and goes on where it was."""

import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from flask.cli import with_appcontext

from commands.exit_codes import DONE, NOT_ALL, STOPPED
from commands.import_settings import asked, options_of, reading_of
from commands.projects import find
from commands.terminal import raw, warn_where_it_goes
from config.clock import utc
from config.counts import counted
from models.encryption import DecryptionError
from outbound.imports import dry_run as imports_dry_run
from outbound.imports import failures, files, jobs, runner, source, uploads
from outbound.imports.batches import RecordChecker
from outbound.imports.conditions import RecordFilter
from outbound.imports.jobs import Import, NewImport
from outbound.imports.kinds import KINDS
from outbound.readers.errors import UnreadableFile
from outbound.request.checks.categories import told
from runtime import Runtime, current_runtime
from security.audit import TERMINAL

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


class NotRead(click.ClickException):
    """The file cannot be used."""

    exit_code = STOPPED


@click.command("import")
@click.argument("path", metavar="FILE", required=False, type=FILE)
@click.option("--project", "name", help="Which project: its name with us.")
@click.option("--kind", type=click.Choice(list(KINDS)), default="events", show_default=True)
@asked
@click.option("--dry-run", is_flag=True, help="Check every record and send nothing.")
@click.option("--resume", "again", type=int, metavar="ID", help="Go on with an import that stopped.")
@click.option("--failed", "wanted", type=int, metavar="ID", help="Print the failed records of an import, as NDJSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def command(path: Path | None, *, again: int | None, wanted: int | None, as_json: bool, **more: Any) -> None:
    """Import FILE: NDJSON, a JSON array, JSON objects or CSV, each also as gzip; - reads standard input.

    Ends with 0 where Mixpanel has every record, 4 where some failed, 2 where a choice is none, 3 where the file cannot
    be used or it stopped before its end.
    """
    if wanted is not None:
        _print_failed(wanted)
    elif again is not None:
        _go_on(again, as_json=as_json)
    elif path is None or more["name"] is None:
        raise click.UsageError("Name a FILE and a --project, or give --resume ID or --failed ID.")
    else:
        _begin(path, as_json=as_json, **more)


def _begin(path: Path, *, name: str, kind: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    project, runtime = find(name), current_runtime()
    settings = options_of(kind, given)
    try:
        with _file(path) as (found, shown, whence):
            settings |= reading_of(found, kind, given)
            seen = files.survey(found)
            draft = NewImport(
                project.name,
                kind,
                KINDS[kind].operation_id,
                whence,
                shown,
                TERMINAL,
                str(found),
                files.fingerprint(found, runtime.cipher.digest),
                settings=settings,
                total=seen.total,
                content_digest=files.content_digest(seen, runtime.cipher.digest),
            )
            _tell_of_the_file(draft)
            if dry_run:
                _dry_run(found, draft, as_json=as_json)
            import_id = runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))
    except (UnreadableFile, OSError) as error:
        raise NotRead(str(error)) from None
    _go_on(import_id, as_json=as_json)


@contextmanager
def _file(path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield the file, its name, and whose it is; what comes on standard input is kept like an upload."""
    if str(path) != "-":
        yield path.resolve(), path.name, "file"
        return
    with uploads.new_file(current_runtime().uploads) as kept:
        with kept.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield kept, "standard input", "upload"


def _tell_of_the_file(draft: NewImport) -> None:
    """Say on standard error what was proposed for its columns, and where it was imported before."""
    for column, called in draft.settings.get("names", {}).items():
        click.echo(f"{column} is sent as {called} (--rename '{column}={column}' keeps its name).", err=True)
    for before in current_runtime().database.read(lambda db: jobs.of_same_file(db, draft.content_digest)):
        day = utc(before.created_at)
        click.echo(f"This file was imported before: import {before.id} to {before.project}, {day}.", err=True)


def _dry_run(path: Path, draft: NewImport, *, as_json: bool) -> NoReturn:
    runtime, project = current_runtime(), find(draft.project)
    try:
        credentials = project.credentials(runtime.cipher)
    except DecryptionError as error:
        raise click.ClickException(str(error)) from None
    settings, record_filter = draft.settings, RecordFilter.of(draft.settings)
    checker = RecordChecker(KINDS[draft.kind], credentials, project.integration, runtime.clock(), settings)
    found = files.reads(path, source.columns_of(draft.kind, settings), record_filter)
    report = imports_dry_run.dry_run(found, checker)
    if as_json:
        problems = [
            {"place": problem.place, "field": problem.field, "reason": problem.reason} for problem in report.problems
        ]
        told = {"good": report.good, "bad": report.bad, "left_out": record_filter.left_out}
        click.echo(json.dumps(told | {"problems": problems, "advice": dict(report.advised)}))
    else:
        left_out = f" {record_filter.left_out:,} are left out by --filter." if record_filter.left_out else ""
        click.echo(f"{report.good:,} of {counted(report.read, 'record')} can be sent.{left_out} Nothing was sent.")
        for problem in report.problems:
            click.echo(f"  line {problem.place}  {problem.field or ''}  {problem.reason}")
        _tell_advice(report.advised)
        for example in report.advice:
            click.echo(f"  line {example.place}  {example.field or ''}  {example.reason}")
    raise SystemExit(NOT_ALL if report.bad else DONE)


def _tell_advice(advised: Mapping[str, int]) -> None:
    """Tell what was, or will be, sent against advice."""
    if advised:
        click.echo(f"Advised against, and sent all the same (--strict refuses it): {'; '.join(told(advised))}.")


def _go_on(import_id: int, *, as_json: bool) -> None:
    runtime = current_runtime()
    job = _find(import_id)
    if not job.is_open and not runtime.database.write(lambda db: jobs.go(db, import_id)):
        raise click.ClickException(f"Import {import_id} is {job.state}; there is nothing to go on with.")
    warn_where_it_goes(as_json=as_json)
    stop = threading.Event()
    _on_interrupt(stop.set)
    showing = threading.Thread(target=_show, args=(runtime, import_id, stop), daemon=True)
    if sys.stderr.isatty() and not as_json:
        showing.start()
    if not runner.run(runtime, import_id, stop):
        raise click.ClickException(f"Another process works on import {import_id}; see the dashboard.")
    if stop.is_set():
        runtime.database.write(lambda db: jobs.pause(db, import_id))
    stop.set()
    _tell(_find(import_id), as_json=as_json)


def _on_interrupt(stop: Callable[[], None]) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)


def _show(runtime: Runtime, import_id: int, stop: threading.Event) -> None:
    """Print a line that tells how far it is."""
    begun = time.monotonic()
    while not stop.wait(0.5):
        job = runtime.database.read(lambda db: jobs.by_id(db, import_id), one_statement=True)
        if job is None:
            return
        of = f" of {job.total:,}" if job.total is not None else ""
        rate = job.read / max(0.1, time.monotonic() - begun)
        click.echo(f"\r{job.read:,}{of} records, {rate:,.0f} a second   ", nl=False, file=raw(sys.stderr))


def _tell(job: Import, *, as_json: bool) -> None:
    counts = {"read": job.read, "accepted": job.accepted, "refused": job.refused, "uncertain": job.uncertain}
    if as_json:
        told = {"import": job.id, "state": job.state, "message": job.message} | counts
        left_out = {"left_out": job.left_out} if job.left_out else {}
        click.echo(json.dumps(told | left_out | {"advice": job.advised}))
    else:
        click.echo(f"\nImport {job.id} is {job.state}. {job.message or ''}")
        click.echo(", ".join(f"{many:,} {word}" for word, many in counts.items()))
        if job.left_out:
            click.echo(f"{job.left_out:,} left out by --filter")
        _tell_advice(job.advised)
        if job.refused or job.uncertain:
            click.echo(f"The failed records: flask import --failed {job.id}")
        if job.state in jobs.RESUMABLE:
            click.echo(f"To go on: flask import --resume {job.id}")
    whole = job.state == "done"
    raise SystemExit(STOPPED if not whole else NOT_ALL if job.refused or job.uncertain else DONE)


def _print_failed(import_id: int) -> None:
    _find(import_id)
    for failure in failures.every(current_runtime().database, import_id):
        click.echo(f"line {failure.place}  {failure.verdict}  {failure.field or ''}  {failure.reason}", err=True)
        if failures.is_record(failure):
            click.echo(failure.record)


def _find(import_id: int) -> Import:
    found = current_runtime().database.read(lambda db: jobs.by_id(db, import_id), one_statement=True)
    if found is None:
        raise click.ClickException(f"There is no import {import_id}.")
    return found
