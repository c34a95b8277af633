"""The composer's body from a file: kept on the server under a key of its operator's, which the form has instead."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import msgspec
from flask import abort, render_template
from flask.typing import ResponseReturnValue
from htmx_flask import request
from werkzeug.datastructures import FileStorage, MultiDict

from blueprints.outbound import blueprint, drafts
from blueprints.outbound.forms import Form
from outbound import body_files
from outbound.operations import registry
from outbound.operations.types import BodyFile, CallInput, Operation, Problem
from outbound.readers.errors import UnreadableFile
from outbound.request.compose import GONE
from runtime import current_runtime
from security import handover
from security.forms import MOST_PARTS_OF_ROWS, takes_files
from security.roles import needs

LARGEST_FIELDS = 16 * 1024 * 1024  # bytes of a form's other fields
KEY, FILE, DROP, WRONG = "body_file", "body_upload", "drop_body_file", "body_file_wrong"  # fields of the form


@dataclass(frozen=True)
class KeptBody:
    """What the key of a form opens: the file's name in its folder, what it is called, and what is wrong in it."""

    kept_as: str
    name: str
    size: int
    operation: str
    problems: list[Problem] = field(default_factory=list)


def largest() -> int:
    """Bytes of a form with a body's file in it."""
    return body_files.MOST_BYTES + LARGEST_FIELDS


@blueprint.post("/send/files")
@needs("operator")
@takes_files(largest, parts=MOST_PARTS_OF_ROWS)
def keep_body_file() -> ResponseReturnValue:
    """Keep a file that was chosen, and answer with what the form shows of it; a script sends it at once."""
    operation = registry.find(request.form.get("operation", ""))
    if operation is None or not body_files.takes_file(operation):
        abort(400)
    form = with_body_file(operation, MultiDict(request.form), request.files)
    if not request.htmx:
        return drafts.lead(operation, form)
    status = 422 if form.get(WRONG) else 200
    return render_template("outbound/_body_file.html", operation=operation, **shown(form)), status


def with_body_file(operation: Operation, form: Form, uploads: MultiDict[str, FileStorage]) -> Form:
    """The form with the key of a file that came with it; without that of one that is left out. What cannot be kept is
    said in the form, and the file before it stays."""
    found: Form = MultiDict(form)
    file = uploads.get(FILE)
    found.pop(WRONG, None)
    if found.pop(DROP, None):
        found.pop(KEY, None)
    if file is None or not file.filename or not body_files.takes_file(operation):
        return found
    try:
        found[KEY] = _kept(operation, file)
    except UnreadableFile as error:
        found[WRONG] = str(error)
    except OSError as error:
        found[WRONG] = f"The file cannot be kept: {error.strerror}."
    return found


def _kept(operation: Operation, file: FileStorage) -> str:
    """Return the key. Raises UnreadableFile, OSError."""
    runtime = current_runtime()
    name = PurePath(file.filename or "").name
    kept = body_files.keep(body_files.folder_of(runtime.uploads), file.stream, name, operation, runtime.clock())
    return handover.leave("form", KeptBody(kept.path.name, kept.name, kept.size, operation.id, list(kept.problems)))


def shown(form: Form) -> dict[str, Any]:
    """Return what the form shows of its file."""
    key = form.get(KEY, "")
    return {"body_file": _found(key) if key else None, "body_file_key": key, "body_file_wrong": form.get(WRONG, "")}


def _found(key: str) -> KeptBody | None:
    found = handover.find("form", key)
    return msgspec.convert(found, KeptBody) if isinstance(found, dict) and "kept_as" in found else None


def with_body(operation: Operation, form: Form, given: CallInput) -> tuple[CallInput, list[Problem]]:
    """Return what was given, with the file of the form as its body."""
    wrong = form.get(WRONG, "")
    problems = [Problem("error", "body", wrong)] if wrong else []
    key = form.get(KEY, "")
    if not key or not body_files.takes_file(operation):
        return given, problems
    kept = _found(key)
    folder = body_files.folder_of(current_runtime().uploads)
    if kept is None or kept.operation != operation.id or not body_files.use(path := folder / kept.kept_as):
        return given, [*problems, Problem("error", "body", GONE)]
    return replace(given, body=BodyFile(path, kept.name, kept.size, tuple(kept.problems))), problems
