"""The failed records of an import, to be corrected on the page and sent again as an import of their own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import urls
from blueprints.outbound import blueprint
from blueprints.outbound.imports import find
from models.encryption import DecryptionError
from outbound import projects
from outbound.imports import failures, files, jobs, uploads
from outbound.imports.batches import RecordChecker, RefusedRecord
from outbound.imports.failures import Failure
from outbound.imports.jobs import Import, NewImport
from outbound.imports.kinds import KINDS
from outbound.readers import objects
from outbound.readers.objects import NoRecord, ReadRecord
from outbound.saved.variables import loose
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.forms import takes
from security.roles import needs

PAGE = 20
MOST_VALUES = 40  # of a record whose values have fields of their own; of others the JSON is corrected
LONGEST = 50_000  # characters of a record that can be corrected here
LARGEST = 2 * PAGE * LONGEST  # bytes of the form
SEALED = "The project's credentials cannot be read with this SECRET_KEY. Give them again."

Record = dict[str, Any]


@dataclass
class Correction:
    """A failed record as it stands in the form: `values` by their paths, or else the `text` of all of it. `wrong` is
    why it cannot be sent as it was typed."""

    failure: Failure
    values: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    is_taken: bool = False
    wrong: str = ""

    @property
    def is_too_long(self) -> bool:
        return len(self.failure.record) > LONGEST

    @property
    def named(self) -> list[tuple[str, str]]:
        """Return the values by names that people read, as reasons have them: `properties.time`."""
        return [(".".join(json.loads(path)), value) for path, value in self.values]

    def record(self) -> Record:
        """Return what was typed, as a record. Raises NoRecord."""
        if not self.values:
            return objects.record(self.text.strip().encode("utf-8", "surrogatepass"))
        found: Record = {}
        for path, typed in self.values:
            *outer, name = json.loads(path)
            values = found
            for part in outer:
                values = values.setdefault(part, {})
            if typed.strip():
                values[name] = loose(typed)
        return found


@blueprint.get("/send/imports/<int:import_id>/failed")
def correct_failed(import_id: int) -> str:
    """The failed records with their values, a page at a time."""
    job = find(import_id)
    found = _failures(job)
    return _page(job, found, [_as_kept(failure) for failure in found[:PAGE]])


@blueprint.post("/send/imports/<int:import_id>/failed")
@needs("operator")
@takes(LARGEST)
def import_corrected(import_id: int) -> ResponseReturnValue:
    """Make an import of those that are ticked, where all of them can be sent; else say beside each why not."""
    job = find(import_id)
    found = _failures(job)
    typed = [_as_typed(failure) for failure in found[:PAGE]]
    if not typed:
        return redirect(url_for("outbound.show_import", import_id=job.id), 303)
    taken = [one for one in typed if one.is_taken]
    wrong = "" if taken else "Tick the records that are to be sent again."
    try:
        records = _checked(job, taken)
    except CannotBeChecked as error:
        return _page(job, found, typed, str(error)), 422
    if wrong or any(one.wrong for one in taken):
        return _page(job, found, typed, wrong), 422
    again = _import(job, [one.failure.place for one in taken], records)
    return redirect(url_for("outbound.show_import", import_id=again), 303)


class CannotBeChecked(Exception):
    """No record can be checked; says why."""


def _failures(job: Import) -> list[Failure]:
    """Return those of the page, and one more if there are more."""
    after = urls.key_of_query("after", -1)
    return current_runtime().database.read(lambda db: failures.some(db, job.id, after, PAGE + 1), one_statement=True)


def _as_kept(failure: Failure) -> Correction:
    found = Correction(failure, text=failure.record, is_taken=failure.again_in is None)
    if found.is_too_long:
        return Correction(failure)
    try:
        values = list(_values(objects.record(failure.record.encode())))
    except (NoRecord, UnicodeEncodeError):
        return found
    pairs = [(json.dumps(path), _written(value)) for path, value in values]
    same = json.dumps(Correction(failure, pairs).record()) == json.dumps(json.loads(failure.record))
    if same and len(pairs) <= MOST_VALUES:
        found.values = pairs
    return found


def _values(record: Record) -> list[tuple[list[str], Any]]:
    """Return the values of a record, and of the objects in it, with where they stand."""
    found: list[tuple[list[str], Any]] = []
    for name, value in record.items():
        if isinstance(value, dict) and value:
            found += [([name, inner], part) for inner, part in value.items()]
        else:
            found.append(([name], value))
    return found


def _written(value: Any) -> str:
    """Return a line that is read back as this value; nothing stands for no value at all."""
    if isinstance(value, str) and value.strip() and value.isprintable() and loose(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_typed(failure: Failure) -> Correction:
    place, kept, form = str(failure.place), _as_kept(failure), request.form
    if kept.is_too_long:
        return kept
    typed = form.getlist(f"value.{place}")
    values = [(path, text) for (path, _), text in zip(kept.values, typed, strict=False)]
    is_taken = place in form.getlist("take")
    if len(values) < len(kept.values):  # not from this form
        return Correction(failure, kept.values, kept.text, is_taken=False)
    return Correction(failure, values, form.get(f"text.{place}", ""), is_taken)


def _checked(job: Import, taken: Sequence[Correction]) -> list[Record]:
    """Return the records as they were typed, and note beside each why it cannot be sent. Raises CannotBeChecked."""
    runtime = current_runtime()
    project = runtime.database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
    if project is None:
        raise CannotBeChecked(f"There is no project {job.project} any more.")
    try:
        credentials = project.credentials(runtime.cipher)
    except DecryptionError:
        raise CannotBeChecked(SEALED) from None
    checker = RecordChecker(KINDS[job.kind], credentials, project.integration, runtime.clock(), {})
    records = []
    for one in taken:
        try:
            record = one.record()
        except NoRecord as error:
            one.wrong = str(error)
            continue
        ready = checker.ready(ReadRecord(one.failure.place, record))
        if isinstance(ready, RefusedRecord):
            one.wrong = f"{ready.field}: {ready.reason}" if ready.field else ready.reason
        records.append(record)
    return records


def _import(job: Import, places: Sequence[int], records: Sequence[Record]) -> int:
    """Make an import of the records, which is looked through on its page before it begins; return its id."""
    runtime, who = current_runtime(), sign_in_guard.operator().email
    with uploads.new_file(runtime.uploads) as path:
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
        draft = NewImport(
            job.project,
            job.kind,
            job.operation,
            "upload",
            f"{job.name}, corrected"[:200],
            who,
            str(path),
            files.fingerprint(path, runtime.cipher.digest),
            total=len(records),
        )

        def write(db: Connection) -> int:
            again = jobs.add(db, draft, runtime.clock())
            failures.note_again(db, job.id, places, again)
            note(db, runtime.clock(), who, "import.correct", f"{job.id} {job.name}", after={"import": again})
            return again

        return runtime.database.write(write)


def _page(job: Import, found: Sequence[Failure], corrections: Sequence[Correction], wrong: str = "") -> str:
    after = found[PAGE - 1].place if len(found) > PAGE else None
    return render_template(
        "outbound/import_failed.html", job=job, corrections=corrections, next_after=after, not_so=wrong
    )
