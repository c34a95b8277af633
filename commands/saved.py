"""`flask saved`: the requests that a team keeps, as a list and as files for version control."""

import json
from functools import partial
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from commands.exit_codes import STOPPED
from commands.saved_runs import find
from config.clock import MINUTE, iso
from outbound.saved import files, requests, schedules
from outbound.saved.requests import SavedDraft, SavedRequest, WrongSavedRequest
from runtime import current_runtime
from security.audit import TERMINAL, note

group = AppGroup("saved", help="Requests that the team keeps; run them by flask send --saved NAME.")

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_folder = click.option("--folder", help="Those of one folder only.")


class NotImported(click.ClickException):
    """A file cannot be used; nothing was changed."""

    exit_code = STOPPED


@group.command("list")
@_folder
@_json
def list_command(*, folder: str | None, as_json: bool) -> None:
    """Show all saved requests, by folder."""
    found = _listed(folder)
    if as_json:
        click.echo(json.dumps([_shown(saved) for saved in found], ensure_ascii=False))
        return
    for saved in found:
        state = {None: "never run", True: "passed", False: "FAILED"}[saved.passed]
        click.echo(f"{state:<10} {saved.folder + '/' if saved.folder else ''}{saved.name}  {saved.operation}")
    if not found:
        click.echo("There is no saved request yet. Save one from the composer, or: flask saved import FOLDER")


def _listed(folder: str | None) -> list[SavedRequest]:
    return current_runtime().database.read(lambda db: requests.listed(db, folder=folder), one_statement=True)


def _shown(saved: SavedRequest) -> dict[str, object]:
    ran = {"ran_at": iso(saved.ran_at), "passed": saved.passed, "reason": saved.reason}
    plan = {"every_minutes": saved.every_ms // MINUTE if saved.every_ms else None, "next_at": iso(saved.next_at)}
    return json.loads(files.written(saved.draft)) | ran | plan  # type: ignore[no-any-return]


@group.command("export")
@click.argument("into", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@_folder
def export(into: Path, *, folder: str | None) -> None:
    """Write each saved request to a file below FOLDER; the same request is always the same bytes."""
    drafts = [saved.draft for saved in _listed(folder)]
    for path, draft in files.paths(drafts):
        place = into / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(files.written(draft), encoding="utf-8")
    click.echo(f"{len(drafts)} written to {into}.")


@group.command("import")
@click.argument(
    "sources", metavar="FILE|FOLDER…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
def import_command(sources: tuple[Path, ...]) -> None:
    """Read saved requests from files, and from folders with files; one that has the name already is replaced.

    All of them are read first: where one cannot be used, nothing is changed.
    """
    found = [path for source in sources for path in (files.in_folder(source) if source.is_dir() else [source])]
    drafts = [_read(path) for path in found]
    runtime = current_runtime()
    try:
        made = runtime.database.write(lambda db: sum(_put(db, draft) for draft in drafts))
    except WrongSavedRequest as error:
        raise NotImported(str(error)) from None
    click.echo(f"{made} new, {len(drafts) - made} were there already.")


def _read(path: Path) -> SavedDraft:
    try:
        return files.read(path.read_bytes())
    except WrongSavedRequest as error:
        raise NotImported(f"{path}: {error.field}: {error}") from None


def _put(db: Connection, draft: SavedDraft) -> bool:
    """Add it, or replace the one of its name; tell whether it is new."""
    now, known = current_runtime().clock(), requests.by_name(db, draft.name)
    if requests.put(db, known, draft, TERMINAL, now):
        after = {"folder": draft.folder, "operation": draft.operation, "from": "a file"}
        note(db, now, TERMINAL, "saved.change" if known else "saved.add", draft.name, after=after)
    return known is None


@group.command("schedule")
@click.argument("name")
@click.option("--every-minutes", type=click.IntRange(1, 60 * 24 * 31), help="How often flask work runs it.")
@click.option("--never", is_flag=True, help="Run it no more by itself.")
def schedule(name: str, *, every_minutes: int | None, never: bool) -> None:
    """Have NAME run by itself, against its own project."""
    if (every_minutes is None) != never:
        raise click.UsageError("Give --every-minutes N, or --never.")
    saved = find(name)
    if every_minutes and not saved.project:
        raise click.ClickException(f"{name} names no project to run against.")
    current_runtime().database.write(partial(_plan, saved=saved, every=every_minutes))
    click.echo(f"{name} runs every {every_minutes} min." if every_minutes else f"{name} does not run by itself.")


def _plan(db: Connection, saved: SavedRequest, every: int | None) -> None:
    now = current_runtime().clock()
    schedules.plan(db, saved, every * MINUTE if every else None, TERMINAL, now)
    note(db, now, TERMINAL, "saved.schedule", saved.name, after={"every_minutes": every})


@group.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove NAME with its runs. The history of its calls stays."""
    saved, runtime = find(name), current_runtime()

    def write(db: Connection) -> None:
        if requests.remove(db, saved):
            note(db, runtime.clock(), TERMINAL, "saved.remove", name)

    runtime.database.write(write)
    click.echo(f"{name} is removed.")
