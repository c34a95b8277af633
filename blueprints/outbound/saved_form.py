"""Saving a request: from the composer, from a past call, or changed on its own page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import urls
from blueprints.outbound import blueprint, drafts, forms
from blueprints.outbound.loaders import delivery_of
from blueprints.outbound.saved import saved_of
from models.encryption import DecryptionError
from outbound import projects
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.saved import requests, variables
from outbound.saved.requests import SavedDraft, SavedRequest, WrongSavedRequest
from outbound.saved.variables import WrongVariable
from runtime import current_runtime
from security import handover, sign_in_guard
from security.audit import note
from security.roles import needs

FIELDS = ("name", "folder", "project", "variables", "checks")
Write = Callable[[Connection, SavedDraft, str, int], int]


@dataclass(frozen=True)
class Source:
    """What is to be saved, and the saved request that it was opened from."""

    operation: Operation
    project: str
    given: CallInput
    saved: SavedRequest | None = None

    @property
    def fields(self) -> dict[str, str]:
        """The form to begin with."""
        return {"project": self.project} if self.saved is None else _fields(self.saved) | {"name": ""}


def _source() -> Source | None:
    """Find what the address says: a form that was typed, or a call of the history."""
    if urls.key_of_query("delivery"):
        known = delivery_of(urls.key_of_query("delivery"))
        operation = registry.find(known.operation)
        if operation is None or known.given is None:
            return None
        return Source(operation, known.project, CallInput(known.given["params"], known.given["body"]))
    operation, draft = registry.find(request.args.get("operation", "")), drafts.kept()
    if operation is None or draft is None:
        return None
    given, number = forms.given_of(operation, draft.form), urls.key(draft.form.get("saved", ""))
    return Source(operation, draft.form.get("project", ""), given, saved_of(number) if number else None)


def _gone() -> ResponseReturnValue:
    flash(handover.GONE)
    return redirect(url_for("outbound.compose"))


@blueprint.get("/send/saved/new")
@needs("operator")
def new_saved() -> ResponseReturnValue:
    source = _source()
    return _gone() if source is None else _form(source.operation, source.fields, source)


@blueprint.post("/send/saved/new")
@needs("operator")
def add_saved() -> ResponseReturnValue:
    source = _source()
    if source is None:
        return _gone()
    return _saved(source.operation, _typed(), source.given, requests.add, source)


@blueprint.post("/send/saved/<int:saved_id>/replace")
@needs("operator")
def replace_saved(saved_id: int) -> ResponseReturnValue:
    """Put what was typed in the place of what is saved; the rest stays."""
    source, saved = _source(), saved_of(saved_id)
    if source is None:
        return _gone()
    return _saved(source.operation, _fields(saved), source.given, partial(_change, saved=saved), source)


@blueprint.get("/send/saved/<int:saved_id>/edit")
@needs("operator")
def edit_saved(saved_id: int) -> ResponseReturnValue:
    saved = saved_of(saved_id)
    return _form(_operation(saved), _fields(saved), saved=saved)


@blueprint.post("/send/saved/<int:saved_id>/edit")
@needs("operator")
def change_saved(saved_id: int) -> ResponseReturnValue:
    saved = saved_of(saved_id)
    return _saved(_operation(saved), _typed(), saved.given, partial(_change, saved=saved), saved=saved)


def _operation(saved: SavedRequest) -> Operation:
    return registry.find(saved.operation) or next(iter(registry.OPERATIONS.values()))


def _change(db: Connection, draft: SavedDraft, who: str, now: int, saved: SavedRequest) -> int:
    requests.change(db, saved, draft, who, now)
    return saved.id


def _typed() -> dict[str, str]:
    return {name: urls.storable(request.form.get(name, "")) for name in FIELDS}


def _fields(saved: SavedRequest) -> dict[str, str]:
    return {
        "name": saved.name,
        "folder": saved.folder,
        "project": saved.project,
        "variables": variables.as_lines(saved.variables),
        "checks": "\n".join(saved.checks),
    }


def _saved(
    operation: Operation,
    typed: dict[str, str],
    given: CallInput,
    write: Write,
    source: Source | None = None,
    saved: SavedRequest | None = None,
) -> ResponseReturnValue:
    """Save it by `write`, or show the form again with what is wrong."""
    known = saved or (source.saved if source and write is not requests.add else None)
    try:
        draft = _draft(operation, typed, given)
        number = current_runtime().database.write(partial(_written, draft=draft, write=write, known=known))
    except WrongSavedRequest as error:
        return _form(operation, typed, source, saved, error), 422
    except DecryptionError:
        wrong = WrongSavedRequest("project", "The project's credentials cannot be read, so they cannot be left out.")
        return _form(operation, typed, source, saved, wrong), 422
    flash(f"{draft.name} is saved.")
    return redirect(url_for("outbound.show_saved", saved_id=number), 303)


def _draft(operation: Operation, typed: dict[str, str], given: CallInput) -> SavedDraft:
    """Raises WrongSavedRequest and DecryptionError."""
    try:
        named = variables.of_lines(typed["variables"])
    except WrongVariable as error:
        raise WrongSavedRequest("variables", str(error)) from None
    lines = [line.strip() for line in typed["checks"].splitlines() if line.strip()]
    draft = SavedDraft(typed["name"], typed["folder"], operation.id, typed["project"], given, named, lines)
    runtime = current_runtime()
    project = runtime.database.read(lambda db: projects.by_name(db, draft.project), one_statement=True)
    if draft.project and project is None:
        raise WrongSavedRequest("project", f"There is no project {draft.project}.")
    return requests.without_secrets(runtime.cipher, requests.checked(draft), project)


def _written(db: Connection, draft: SavedDraft, write: Write, known: SavedRequest | None) -> int:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    number, now = write(db, draft, who, runtime.clock()), runtime.clock()
    shown = {"folder": draft.folder, "project": draft.project}
    if known is None:
        note(db, now, who, "saved.add", draft.name, after=shown | {"operation": draft.operation})
    else:
        before = {"name": known.name, "folder": known.folder, "project": known.project}
        note(db, now, who, "saved.change", known.name, before, shown | {"name": draft.name})
    return number


def _form(
    operation: Operation,
    typed: dict[str, str],
    source: Source | None = None,
    saved: SavedRequest | None = None,
    wrong: WrongSavedRequest | None = None,
) -> str:
    def read(db: Connection) -> dict[str, Any]:
        return {"projects": projects.listed(db), "folders": list(filter(None, requests.folders(db)))}

    used = variables.in_use(source.given if source else saved.given if saved else CallInput())
    known = current_runtime().database.read(read)
    return render_template(
        "outbound/saved_form.html",
        operation=operation,
        typed=typed,
        source=source,
        saved=saved,
        wrong=wrong,
        used=used,
        **known,
    )
