"""Saved requests: the list by folder, one with its runs, and what may be done with it."""

import shlex
from functools import partial
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import urls
from blueprints.outbound import blueprint, confirmation
from blueprints.outbound.background_send import dispatch_saved
from blueprints.outbound.confirmation import takes_away
from config.durations import duration
from outbound import projects
from outbound.operations import registry
from outbound.projects import Project
from outbound.saved import requests, runs, schedules
from outbound.saved.requests import SavedRequest
from outbound.saved.runs import CannotRun, Run
from outbound.saved.variables import as_lines, in_use, loose
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

RUNS = 20
LONGEST = 200  # characters of what is sought
SURE = "yes"


@blueprint.get("/send/saved")
def list_saved() -> str:
    return saved_page()


def saved_page(wrong: str = "") -> str:
    """Return the list that the address filters; `wrong` says why files were not imported."""
    sought = urls.storable(request.args.get("text", ""))[:LONGEST].strip()
    folder = urls.storable(request.args.get("folder", ""))

    def read(db: Connection) -> tuple[list[SavedRequest], list[str]]:
        return requests.listed(db, sought, folder or None), requests.folders(db)

    found, folders = current_runtime().database.read(read)
    grouped: dict[str, list[SavedRequest]] = {}
    for saved in found:
        grouped.setdefault(saved.folder, []).append(saved)
    return render_template(
        "outbound/saved.html",
        grouped=grouped,
        folders=[name for name in folders if name],
        any_at_all=bool(folders),
        sought=sought,
        folder=folder,
        wrong=wrong,
        names=_names(),
    )


def _names() -> dict[str, str]:
    return {operation.id: operation.name for operation in registry.OPERATIONS.values()}


def saved_of(saved_id: int) -> SavedRequest:
    """The saved request of a page. Answers 404 where there is none."""
    found = current_runtime().database.read(lambda db: requests.by_id(db, saved_id), one_statement=True)
    return found or abort(404)


@blueprint.get("/send/saved/<int:saved_id>")
def show_saved(saved_id: int) -> str:
    return _page(saved_id)


def _page(saved_id: int, wrong: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    def read(db: Connection) -> tuple[SavedRequest | None, list[Run], list[Project]]:
        found = requests.by_id(db, saved_id)
        return found, runs.newest(db, found, RUNS) if found else [], projects.listed(db)

    saved, lately, known = current_runtime().database.read(read)
    if saved is None:
        abort(404)
    operation = registry.find(saved.operation)
    return render_template(
        "outbound/saved_request.html",
        saved=saved,
        operation=operation,
        is_final=operation is not None and takes_away(operation),
        name=operation.name if operation else saved.operation,
        given={name: value for name, value in (("params", saved.given.params), ("body", _body(saved))) if value},
        command=f"flask send --saved {shlex.quote(saved.name)}",
        variables=as_lines(saved.variables),
        used=in_use(saved.given),
        runs=lately,
        projects=known,
        choices=[(every, duration(every)) for every in schedules.CHOICES],
        wrong=wrong or {},
        typed=typed or {},
    )


def _body(saved: SavedRequest) -> Any:
    return loose(saved.given.body) if isinstance(saved.given.body, str) else saved.given.body


@blueprint.get("/send/saved/<int:saved_id>/run")
@needs("operator")
def ask_before_saved(saved_id: int) -> str:
    """The question before a run that cannot be taken back, or is the first into a real project."""
    saved = saved_of(saved_id)
    known = current_runtime().database.read(projects.listed, one_statement=True)
    operation = registry.find(saved.operation) or abort(404)
    why = f"{operation.words} This cannot be taken back." if takes_away(operation) else confirmation.FIRST
    asked = {"why": why, "projects": known, "used": in_use(saved.given), "wrong": {}, "typed": {}}
    return render_template("outbound/saved_ask.html", saved=saved, **asked)


@blueprint.post("/send/saved/<int:saved_id>/run")
@needs("operator")
def run_saved(saved_id: int) -> ResponseReturnValue:
    """Run it against the project that was chosen; the page of its call tells what came of it."""
    saved, runtime = saved_of(saved_id), current_runtime()
    name = urls.storable(request.form.get("project", ""))
    project = runtime.database.read(lambda db: projects.by_name(db, name), one_statement=True)
    sets = _sets(saved)
    if project is None:
        return _page(saved_id, {"project": "Choose a project."}, sets), 422
    try:
        call = runs.prepared(runtime, saved, project, sets)
    except CannotRun as error:
        return _page(saved_id, {"run": str(error)}, sets), 422
    stops = call.composed.stops(force=False)
    if stops:
        told = " ".join(f"{stop.field.removeprefix('params.')}: {stop.message}" for stop in stops[:5])
        return _page(saved_id, {"run": f"Nothing was sent. {told}"}, sets), 422
    if request.form.get("sure") != SURE and confirmation.before_sending(call) is not None:
        return redirect(url_for("outbound.ask_before_saved", saved_id=saved_id), 303)
    confirmation.note_sent(call)
    delivery = dispatch_saved(call, saved, sign_in_guard.operator().email)
    return redirect(url_for("outbound.show_delivery", delivery_id=delivery), 303)


def _sets(saved: SavedRequest) -> dict[str, str]:
    typed = {name: urls.storable(request.form.get(f"set.{name}", "")) for name in in_use(saved.given)}
    return {name: value for name, value in typed.items() if value}


@blueprint.post("/send/saved/<int:saved_id>/schedule")
@needs("operator")
def schedule_saved(saved_id: int) -> ResponseReturnValue:
    """Have it run by itself, or no more."""
    saved, every = saved_of(saved_id), urls.key(request.form.get("every", ""))
    if every and (every not in schedules.CHOICES or not saved.project):
        return _page(saved_id, {"every": "Give the request a project first; it runs against that one."}), 422
    who = sign_in_guard.operator().email
    current_runtime().database.write(partial(_plan, saved=saved, every=every or None, who=who))
    flash(f"It runs every {duration(every)} from now on." if every else "It does not run by itself any more.")
    return redirect(url_for("outbound.show_saved", saved_id=saved_id), 303)


def _plan(db: Connection, saved: SavedRequest, every: int | None, who: str) -> None:
    now = current_runtime().clock()
    schedules.plan(db, saved, every, who, now)
    before, after = ({"every": duration(one) if one else None} for one in (saved.every_ms, every))
    note(db, now, who, "saved.schedule", saved.name, before, after)


@blueprint.get("/send/saved/<int:saved_id>/remove")
@needs("operator")
def ask_remove_saved(saved_id: int) -> str:
    return render_template("outbound/saved_remove.html", saved=saved_of(saved_id))


@blueprint.post("/send/saved/<int:saved_id>/remove")
@needs("operator")
def remove_saved(saved_id: int) -> ResponseReturnValue:
    saved, runtime, who = saved_of(saved_id), current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> None:
        if requests.remove(db, saved):
            note(db, runtime.clock(), who, "saved.remove", saved.name)

    runtime.database.write(write)
    flash(f"{saved.name} is removed. The history of its calls stays.")
    return redirect(url_for("outbound.list_saved"), 303)
