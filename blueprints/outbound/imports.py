"""Imports: a file is uploaded, looked through, and sent in the background; its page shows how far it is."""

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from blueprints import pager
from blueprints.api.addresses import can_be_stored
from blueprints.desk import desk
from blueprints.outbound import blueprint
from outbound import projects
from outbound.bulk import dry, failures, files, rows, source
from outbound.bulk.batches import Sorter
from outbound.bulk.dry import Report
from outbound.bulk.failures import Failure
from outbound.bulk.files import Unreadable
from outbound.bulk.kinds import KINDS
from outbound.bulk.rows import Draft, Import
from outbound.bulk.tables import PROPERTY, SKIP, TARGETS, guessed
from outbound.checks.profiles import OBJECTS, OPERATORS
from outbound.masking import mask_of
from security import sign_in
from security.audit import note
from security.box import CannotOpen
from security.forms import takes, takes_files
from security.house import house
from security.roles import needs

PAGE = 30
LOOKED_AT = 5000  # records that the page looks through before anything is sent
REASONS = 20
LARGEST_MAPPING = 1_000_000  # bytes of the form that says what each column is
MB = 1024 * 1024


def largest_upload() -> int:
    """Bytes of a form with a file in it (setting MAX_IMPORT_MB)."""
    return int(house().settings.max_import_mb) * MB + MB


@blueprint.get("/send/imports")
def list_imports() -> str:
    return _list()


@blueprint.post("/send/imports")
@needs("operator")
@takes_files(largest_upload)
def upload_import() -> ResponseReturnValue:
    """Keep the file; what it holds is shown before anything is sent."""
    project, kind = request.form.get("project", ""), request.form.get("kind", "")
    file = request.files.get("file")
    if kind not in KINDS:
        abort(400)
    if file is None or not file.filename:
        return _list(wrong="Choose a file.", kind=kind, project=project), 422
    if house().database.read(lambda db: projects.by_name(db, project)) is None:
        return _list(wrong="There is no such project.", kind=kind), 422
    path = _kept(file)
    try:
        draft = _draft(path, file.filename, project, kind)
    except (Unreadable, OSError) as error:
        path.unlink(missing_ok=True)
        return _list(wrong=str(error), kind=kind, project=project), 422
    import_id = house().database.write(lambda db: rows.add(db, draft, house().clock()))
    return redirect(url_for("outbound.show_import", import_id=import_id), 303)


def _kept(file: FileStorage) -> Path:
    folder = desk().folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / secrets.token_hex(16)
    file.save(path)
    return path


def _draft(path: Path, name: str, project: str, kind: str) -> Draft:
    """Raises Unreadable, OSError."""
    settings: dict[str, Any] = {}
    if files.form_of(path) == "csv":
        settings = {"mapping": guessed(kind, files.heads(path)), "always": {}, "operator": "$set"}
    operation, shown = KINDS[kind].operation_id, name.replace("\0", "")[:200]
    mark, total, who = files.fingerprint(path), files.total(path), sign_in.operator().email
    return Draft(project, kind, operation, "upload", shown, who, str(path), mark, settings=settings, total=total)


@blueprint.get("/send/imports/<int:import_id>")
def show_import(import_id: int) -> str:
    job = find(import_id)
    looked: dict[str, Any] = {}
    if job.state == "ready":
        looked = _looked(job)
    return render_template("outbound/import.html", **_told(job), **looked)


@blueprint.get("/send/imports/<int:import_id>/now")
def import_now(import_id: int) -> str:
    """How far it is; it asks again while somebody works on it."""
    return render_template("outbound/_import.html", **_told(find(import_id)))


@blueprint.post("/send/imports/<int:import_id>/columns")
@needs("operator")
@takes(LARGEST_MAPPING)
def set_columns(import_id: int) -> ResponseReturnValue:
    """What each column of a CSV is."""
    job = find(import_id)
    known = {*TARGETS[job.kind], PROPERTY, SKIP}
    names = list(job.settings.get("mapping", {}))
    mapping = {
        name: target if (target := request.form.get(f"column.{place}", "")) in known else PROPERTY
        for place, name in enumerate(names)
    }
    always = {one: request.form.get(f"always.{one}", "").strip() for one in TARGETS[job.kind]}
    operator = request.form.get("operator", "$set")
    settings = job.settings | {
        "mapping": mapping,
        "always": {name: value for name, value in always.items() if value},
        "operator": operator if operator in OPERATORS else "$set",
    }
    house().database.write(lambda db: rows.set_up(db, import_id, settings))
    return _back(import_id)


@blueprint.post("/send/imports/<int:import_id>/start")
@needs("operator")
def start_import(import_id: int) -> ResponseReturnValue:
    """Let it begin. For a cohort, how many are in it has to be typed."""
    job = find(import_id)
    if job.source == "cohort" and request.form.get("count", "").replace(",", "").strip() != str(job.total):
        flash(f"Nothing was sent: type {job.total} to say that you mean it.")
        return _back(import_id)
    return _change(import_id, "start", lambda db: rows.go(db, import_id))


@blueprint.post("/send/imports/<int:import_id>/pause")
@needs("operator")
def pause_import(import_id: int) -> ResponseReturnValue:
    return _change(import_id, "pause", lambda db: rows.pause(db, import_id))


@blueprint.post("/send/imports/<int:import_id>/resume")
@needs("operator")
def resume_import(import_id: int) -> ResponseReturnValue:
    return _change(import_id, "resume", lambda db: rows.go(db, import_id))


@blueprint.get("/send/imports/<int:import_id>/cancel")
@needs("operator")
def ask_cancel_import(import_id: int) -> str:
    return render_template("outbound/import_cancel.html", job=find(import_id))


@blueprint.post("/send/imports/<int:import_id>/cancel")
@needs("operator")
def cancel_import(import_id: int) -> ResponseReturnValue:
    now = house().clock()
    return _change(import_id, "cancel", lambda db: rows.cancel(db, import_id, now))


@blueprint.get("/send/imports/<int:import_id>/failed.ndjson")
def failed_ndjson(import_id: int) -> Response:
    """The failed records, ready to be imported again."""
    return _download(import_id, "ndjson", lambda one: one.record + "\n")


@blueprint.get("/send/imports/<int:import_id>/failed.csv")
def failed_csv(import_id: int) -> Response:
    """The failed records with their reasons."""
    return _download(import_id, "csv", _csv_line, _line("place", "verdict", "field", "reason", "record"))


def _download(import_id: int, form: str, line: Callable[[Failure], str], head: str = "") -> Response:
    job, database = find(import_id), house().database

    def pieces() -> Iterator[str]:
        yield head
        for one in failures.every(database, job.id):
            yield line(one)

    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    response = Response(pieces(), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="import-{job.id}-failed.{form}"'
    return response


def _csv_line(one: Failure) -> str:
    return _line(str(one.place), one.verdict, one.field or "", one.reason, one.record)


def _line(*values: str) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(values)
    return written.getvalue()


def _change(import_id: int, action: str, work: Callable[[Connection], bool]) -> ResponseReturnValue:
    """Do it to an import that exists, and leave a note in the audit trail."""
    job, who, now = find(import_id), sign_in.operator().email, house().clock()

    def write(db: Connection) -> bool:
        changed = work(db)
        if changed:
            note(db, now, who, f"import.{action}", f"{job.id} {job.name}", after={"project": job.project})
        return changed

    if not house().database.write(write):
        flash(f"It is {job.state}, so that there is nothing to {action}.")
    return _back(import_id)


def find(import_id: int) -> Import:
    """The import of a page. Answers 404 where there is none."""
    if not can_be_stored(import_id):
        abort(404)
    return house().database.read(lambda db: rows.by_id(db, import_id), one_statement=True) or abort(404)


def _back(import_id: int) -> ResponseReturnValue:
    return redirect(url_for("outbound.show_import", import_id=import_id), 303)


def _list(**typed: str) -> str:
    def read(db: Connection) -> tuple[list[Import], list[projects.Project]]:
        return rows.listed(db, pager.before(), PAGE + 1), projects.listed(db)

    found, known = house().database.read(read)
    return render_template(
        "outbound/imports.html",
        **pager.shown(found, PAGE),
        projects=known,
        kinds=KINDS,
        most_mb=house().settings.max_import_mb,
        typed=typed,
    )


def _told(job: Import) -> dict[str, Any]:
    """What the page of an import says."""
    bad = job.refused + job.uncertain
    reasons = house().database.read(lambda db: failures.reasons(db, job.id, REASONS)) if bad else []
    return {"job": job, "kind": KINDS[job.kind], "reasons": reasons}


def _looked(job: Import) -> dict[str, Any]:
    """What the first records of an import that has not begun would become."""
    report, wrong = None, ""
    try:
        report = looked_through(job, LOOKED_AT, 10 if job.source == "cohort" else 3)
    except Unreadable as unreadable:
        wrong = str(unreadable)
    except CannotOpen:
        wrong = "The project's credentials cannot be read with this SECRET_KEY. Give them again."
    samples = [json.dumps(one, ensure_ascii=False) for one in (report.samples if report else [])]
    return {
        "report": report,
        "wrong": wrong,
        "samples": samples,
        "targets": [*TARGETS[job.kind], PROPERTY, SKIP],
        "always": TARGETS[job.kind],
        "operators": (*OBJECTS, "$unset", "$delete"),
    }


def looked_through(job: Import, most: int, samples: int = 3) -> Report:
    """A dry run of its first records. Raises Unreadable, CannotOpen."""
    project = house().database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
    if project is None:
        raise Unreadable(f"There is no project {job.project} any more.")
    here = desk()
    credentials = project.credentials(here.box)
    sorter = Sorter(KINDS[job.kind], credentials, project.integration, here.clock())
    report = dry.dry_run(source.reads(here, job), sorter, most, samples)
    mask = mask_of(credentials)
    report.samples = [mask.within(one) for one in report.samples]
    return report
