"""Imports: a file is uploaded, looked through, and sent in the background; its page shows how far it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import paging, spreadsheets
from blueprints.outbound import blueprint
from blueprints.outbound.import_preview import preview
from blueprints.outbound.import_reading import typed_reading
from blueprints.outbound.uploads import kept_upload, largest_upload
from blueprints.urls import can_be_stored
from outbound import projects
from outbound.imports import failures, files, jobs, uploads
from outbound.imports.columns import proposed
from outbound.imports.failures import Failure
from outbound.imports.jobs import Import, NewImport
from outbound.imports.kinds import KINDS
from outbound.imports.options import Options, WrongOption
from outbound.readers.errors import UnreadableFile
from outbound.request.checks.categories import told
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.forms import takes, takes_files
from security.roles import needs

PAGE = 30
TICKS = ("strict", "ignore_time", "keep_place", "ignore_alias")
OFFSET = re.compile(r"[+-]?[0-9]{1,2}(\.[0-9]{1,2})?")
REASONS = 20
LARGEST_MAPPING = 1_000_000  # bytes of the form that says what each column is


@blueprint.get("/send/imports")
def list_imports() -> str:
    return _list()


@blueprint.get("/send/allowed")
@needs("operator")
def show_may_send() -> ResponseReturnValue:
    """Nothing, to whoever may send: asked by a proxy before a large form is on its way."""
    return "", 204


@blueprint.post("/send/imports")
@needs("operator")
@takes_files(largest_upload)
def upload_import() -> ResponseReturnValue:
    """Keep the file; what it holds is shown before anything is sent."""
    runtime = current_runtime()
    project, kind = request.form.get("project", ""), request.form.get("kind", "")
    file = request.files.get("file")
    if kind not in KINDS:
        abort(400)
    if file is None or not file.filename:
        return _list(wrong="Choose a file.", kind=kind, project=project), 422
    if runtime.database.read(lambda db: projects.by_name(db, project)) is None:
        return _list(wrong="There is no such project.", kind=kind), 422
    try:
        with kept_upload(file) as path:
            draft = _draft(path, file.filename, project, kind)
            import_id = runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))
    except (UnreadableFile, OSError) as error:
        return _list(wrong=_plain(error), kind=kind, project=project), 422
    return redirect(url_for("outbound.show_import", import_id=import_id), 303)


def _plain(error: Exception) -> str:
    """Say what went wrong, without a path of this machine."""
    return str(error) if isinstance(error, UnreadableFile) else f"The file cannot be kept: {error.strerror}."  # type: ignore[attr-defined]


def _draft(path: Path, name: str, project: str, kind: str) -> NewImport:
    """Raises UnreadableFile, OSError."""
    settings: dict[str, Any] = {}
    if files.form_of(path) == "csv":
        settings = vars(proposed(kind, files.heads(path))).copy()
        del settings["kind"]
    operation, shown = KINDS[kind].operation_id, name.replace("\0", "")[:200]
    digest, seen, who = current_runtime().cipher.digest, files.survey(path), sign_in_guard.operator().email
    mark = files.fingerprint(path, digest)
    known: dict[str, Any] = {
        "settings": settings,
        "total": seen.total,
        "content_digest": files.content_digest(seen, digest),
    }
    return NewImport(project, kind, operation, "upload", shown, who, str(path), mark, **known)


@blueprint.get("/send/imports/<int:import_id>")
def show_import(import_id: int) -> str:
    return _page(find(import_id))


def _page(job: Import, wrong: str = "", **typed: str) -> str:
    looked = preview(job) if job.state == "ready" else {}
    return render_template("outbound/import.html", **_told(job), **looked, not_so=wrong, typed=typed)


@blueprint.get("/send/imports/<int:import_id>/now")
def import_now(import_id: int) -> str:
    """How far it is; it asks again while somebody works on it."""
    return render_template("outbound/_import.html", **_told(find(import_id)))


@blueprint.post("/send/imports/<int:import_id>/columns")
@needs("operator")
@takes(LARGEST_MAPPING)
def set_columns(import_id: int) -> ResponseReturnValue:
    """Keep what each column of a CSV is, which records pass, and what is changed in them."""
    job = find(import_id)
    settings, wrong = typed_reading(job)
    if wrong:
        return _page(replace(job, settings=settings), columns=wrong), 422
    current_runtime().database.write(lambda db: jobs.set_up(db, import_id, settings))
    return _back(import_id)


@blueprint.post("/send/imports/<int:import_id>/start")
@needs("operator")
def start_import(import_id: int) -> ResponseReturnValue:
    """Let it begin, with what was ticked. For a cohort, how many are in it has to be typed."""
    job = find(import_id)
    if job.source == "cohort" and request.form.get("count", "").replace(",", "").strip() != str(job.total):
        flash(f"Nothing was sent: type {job.total} to say that you mean it.")
        return _back(import_id)
    try:
        settings = job.settings | {"options": _options(job.kind).given}
    except WrongOption as error:
        return _page(job, str(error), **request.form.to_dict()), 422

    def begin(db: Connection) -> bool:
        return jobs.set_up(db, import_id, settings) and jobs.go(db, import_id)

    return _change(import_id, "start", begin)


def _options(kind: str) -> Options:
    """Read what was ticked. Raises WrongOption."""
    ticked = {name: bool(request.form.get(name)) for name in TICKS}
    offset = request.form.get("time_offset", "").strip()
    if offset and not OFFSET.fullmatch(offset):
        raise WrongOption("The offset of the times is a number of hours, such as -8 or 5.5.")
    options = Options(**ticked, time_offset=float(offset or 0))
    options.check(kind)
    return options


@blueprint.post("/send/imports/<int:import_id>/pause")
@needs("operator")
def pause_import(import_id: int) -> ResponseReturnValue:
    return _change(import_id, "pause", lambda db: jobs.pause(db, import_id))


@blueprint.post("/send/imports/<int:import_id>/resume")
@needs("operator")
def resume_import(import_id: int) -> ResponseReturnValue:
    return _change(import_id, "resume", lambda db: jobs.go(db, import_id))


@blueprint.get("/send/imports/<int:import_id>/cancel")
@needs("operator")
def ask_cancel_import(import_id: int) -> str:
    return render_template("outbound/import_cancel.html", job=find(import_id))


@blueprint.post("/send/imports/<int:import_id>/cancel")
@needs("operator")
def cancel_import(import_id: int) -> ResponseReturnValue:
    now = current_runtime().clock()
    answer = _change(import_id, "cancel", lambda db: jobs.cancel(db, import_id, now))
    uploads.discard(find(import_id))
    return answer


@blueprint.get("/send/imports/<int:import_id>/failed.ndjson")
def failed_ndjson(import_id: int) -> Response:
    """The failed records, ready to be imported again; what was no record is only in the CSV."""
    return _download(import_id, "ndjson", lambda failure: failure.record + "\n" if failures.is_record(failure) else "")


@blueprint.get("/send/imports/<int:import_id>/failed.csv")
def failed_csv(import_id: int) -> Response:
    """The failed records with their reasons."""
    return _download(
        import_id, "csv", _csv_line, spreadsheets.BOM + _line("place", "verdict", "field", "reason", "record")
    )


def _download(import_id: int, form: str, line: Callable[[Failure], str], head: str = "") -> Response:
    job, database = find(import_id), current_runtime().database

    def pieces() -> Iterator[str]:
        yield head
        for failure in failures.every(database, job.id):
            yield line(failure)

    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    response = Response(pieces(), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="import-{job.id}-failed.{form}"'
    return response


def _csv_line(failure: Failure) -> str:
    return _line(str(failure.place), failure.verdict, failure.field or "", failure.reason, failure.record)


def _line(*values: str) -> str:
    return spreadsheets.lines([values])


def _change(import_id: int, action: str, work: Callable[[Connection], bool]) -> ResponseReturnValue:
    """Do it to an import that exists, and leave a note in the audit trail."""
    runtime = current_runtime()
    job, who, now = find(import_id), sign_in_guard.operator().email, runtime.clock()

    def write(db: Connection) -> bool:
        changed = work(db)
        if changed:
            note(db, now, who, f"import.{action}", f"{job.id} {job.name}", after={"project": job.project})
        return changed

    if not runtime.database.write(write):
        flash(f"It is {job.state}, so that there is nothing to {action}.")
    return _back(import_id)


def find(import_id: int) -> Import:
    """The import of a page. Answers 404 where there is none."""
    if not can_be_stored(import_id):
        abort(404)
    return current_runtime().database.read(lambda db: jobs.by_id(db, import_id), one_statement=True) or abort(404)


def _back(import_id: int) -> ResponseReturnValue:
    return redirect(url_for("outbound.show_import", import_id=import_id), 303)


def _list(**typed: str) -> str:
    runtime = current_runtime()

    def read(db: Connection) -> tuple[list[Import], list[projects.Project]]:
        return jobs.listed(db, paging.before(), PAGE + 1), projects.listed(db)

    found, known = runtime.database.read(read)
    return render_template(
        "outbound/imports.html",
        **paging.shown(found, PAGE, endpoint="outbound.list_imports"),
        projects=known,
        kinds=KINDS,
        most_mb=runtime.settings.max_import_mb,
        typed=typed,
    )


def _told(job: Import) -> dict[str, Any]:
    """Return what the page of an import says."""
    bad = job.refused + job.uncertain

    def read(db: Connection) -> tuple[list[Any], int | None]:
        return failures.reasons(db, job.id, REASONS) if bad else [], jobs.reached(db, job)

    reasons, reached = current_runtime().database.read(read)
    known = {"job": job, "kind": KINDS[job.kind], "kinds": KINDS, "advised": told(job.advised)}
    return known | {"reasons": reasons, "reached": reached}
