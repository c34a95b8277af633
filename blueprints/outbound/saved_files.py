"""Saved requests as files: one, all in a ZIP, and files that are read back."""

from functools import partial

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.outbound import blueprint
from blueprints.outbound.saved import saved_of, saved_page
from outbound.saved import files, requests
from outbound.saved.requests import SavedDraft, WrongSavedRequest
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.forms import takes_files
from security.roles import needs

LARGEST = 4 * files.MOST_BYTES  # bytes of an upload


@blueprint.get("/send/saved/requests.zip")
def export_saved() -> Response:
    """All of them, each a file in its folder."""
    found = current_runtime().database.read(requests.listed, one_statement=True)
    packed = files.packed([saved.draft for saved in found])
    return _download(packed, "application/zip", "saved-requests.zip")


@blueprint.get("/send/saved/<int:saved_id>/request.json")
def export_one_saved(saved_id: int) -> Response:
    draft = saved_of(saved_id).draft
    ((path, _draft),) = files.paths([draft])
    return _download(files.written(draft).encode(), "application/json", path.rpartition("/")[2])


def _download(content: bytes, kind: str, name: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.post("/send/saved/import")
@needs("operator")
@takes_files(lambda: LARGEST)
def import_saved() -> ResponseReturnValue:
    """Read files, or a ZIP of them: one that has a name already replaces that request. All of them, or none."""
    who = sign_in_guard.operator().email
    try:
        drafts = _uploaded()
        made = current_runtime().database.write(partial(_put_all, drafts=drafts, who=who))
    except WrongSavedRequest as error:
        return saved_page(wrong=str(error)), 422
    flash(f"{made} new, {len(drafts) - made} replaced or the same.")
    return redirect(url_for("outbound.list_saved"), 303)


def _uploaded() -> list[SavedDraft]:
    """Raises WrongSavedRequest."""
    found = []
    for upload in request.files.getlist("files"):
        for path, content in files.unpacked(upload.filename or "", upload.read()):
            try:
                found.append(files.read(content))
            except WrongSavedRequest as error:
                raise WrongSavedRequest("file", f"{path[-100:]}: {error} Nothing was imported.") from None
    if not found:
        raise WrongSavedRequest("file", "Choose one or more files first.")
    return found


def _put_all(db: Connection, drafts: list[SavedDraft], who: str) -> int:
    return sum(_put(db, draft, who) for draft in drafts)


def _put(db: Connection, draft: SavedDraft, who: str) -> bool:
    """Add it, or replace the one of its name; tell whether it is new."""
    now, known = current_runtime().clock(), requests.by_name(db, draft.name)
    if requests.put(db, known, draft, who, now):
        after = {"folder": draft.folder, "operation": draft.operation, "from": "a file"}
        note(db, now, who, "saved.change" if known else "saved.add", draft.name, after=after)
    return known is None
