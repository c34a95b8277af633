"""Projects: where calls go and what they sign in with. Credentials are typed once and never shown again."""

from functools import partial
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.outbound import blueprint
from models.encryption import DecryptionError
from outbound import credential_check, projects
from outbound.projects import Project, ProjectFields, WrongProject
from outbound.transport import budget
from outbound.transport.hosts import REGIONS
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

FIELDS = ("name", "region", "project_id", "token", "username", "secret", "integration_id", "workspace_id")
SEALED = ("token", "username", "secret")


@blueprint.get("/send/projects")
def list_projects() -> str:
    found = current_runtime().database.read(projects.listed, one_statement=True)
    return render_template("outbound/projects.html", found=found, regions=REGIONS, known=credential_check.known)


@blueprint.get("/send/projects/new")
@needs("admin")
def new_project() -> str:
    return _form(None, {"region": "us"})


@blueprint.post("/send/projects/new")
@needs("admin")
def add_project() -> ResponseReturnValue:
    typed, runtime = _typed(), current_runtime()
    try:
        draft = projects.checked(_draft(typed, typed["name"]))
        runtime.database.write(partial(_add, draft=draft, who=sign_in_guard.operator().email))
    except WrongProject as error:
        return _form(None, typed, error), 422
    flash(f"The project {draft.name} is added. See what its credentials work for.")
    return redirect(url_for("outbound.show_project", name=draft.name), 303)


def _add(db: Connection, draft: ProjectFields, who: str) -> None:
    runtime = current_runtime()
    projects.add(db, runtime.cipher, draft, runtime.clock())
    after = {"region": draft.region, "project_id": draft.mixpanel_project_id}
    note(db, runtime.clock(), who, "project.add", draft.name, after=after)


@blueprint.get("/send/projects/<name>")
def show_project(name: str) -> str:
    runtime = current_runtime()

    def read(db: Connection) -> tuple[Project, list[budget.Left]]:
        found = _find(db, name)
        return found, budget.left(db, found.mixpanel_project_id, runtime.clock())

    project, left = runtime.database.read(read)
    return render_template(
        "outbound/project.html", project=project, left=left, regions=REGIONS, findings=credential_check.known(project)
    )


@blueprint.get("/send/projects/<name>/change")
@needs("admin")
def edit_project(name: str) -> str:
    project = current_runtime().database.read(lambda db: _find(db, name), one_statement=True)
    typed = {
        "name": project.name,
        "region": project.region,
        "project_id": project.mixpanel_project_id,
        "integration_id": project.integration_id or "",
        "workspace_id": project.workspace_id or "",
    }
    return _form(project, typed)


@blueprint.post("/send/projects/<name>/change")
@needs("admin")
def change_project(name: str) -> ResponseReturnValue:
    runtime = current_runtime()
    project = runtime.database.read(lambda db: _find(db, name), one_statement=True)
    typed, who = _typed(), sign_in_guard.operator().email

    def write(db: Connection) -> None:
        projects.change(db, runtime.cipher, project, draft, runtime.clock())
        note(db, runtime.clock(), who, "project.change", name)

    try:
        draft = projects.checked(_draft(typed, name, keep=True))
    except WrongProject as error:
        return _form(project, typed | {"name": name}, error), 422
    runtime.database.write(write)
    flash(f"The project {name} is changed.")
    return redirect(url_for("outbound.show_project", name=name), 303)


@blueprint.post("/send/projects/<name>/check")
@needs("operator")
def check_project(name: str) -> ResponseReturnValue:
    runtime = current_runtime()
    project = runtime.database.read(lambda db: _find(db, name), one_statement=True)
    try:
        credential_check.check(runtime, project, sign_in_guard.operator().email)
    except DecryptionError:
        flash("The credentials cannot be read with this SECRET_KEY. Give them again.")
    return redirect(url_for("outbound.show_project", name=name), 303)


@blueprint.get("/send/projects/<name>/remove")
@needs("admin")
def ask_remove_project(name: str) -> str:
    return render_template(
        "outbound/project_remove.html", project=current_runtime().database.read(lambda db: _find(db, name))
    )


@blueprint.post("/send/projects/<name>/remove")
@needs("admin")
def remove_project(name: str) -> ResponseReturnValue:
    runtime = current_runtime()
    project = runtime.database.read(lambda db: _find(db, name))
    who = sign_in_guard.operator().email

    def write(db: Connection) -> None:
        if projects.remove(db, project):
            note(db, runtime.clock(), who, "project.remove", name)

    runtime.database.write(write)
    flash(f"The project {name} is removed. The history of its calls stays.")
    return redirect(url_for("outbound.list_projects"), 303)


def _find(db: Connection, name: str) -> Project:
    return projects.by_name(db, name) or abort(404)


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in FIELDS}


def _draft(typed: dict[str, str], name: str, *, keep: bool = False) -> ProjectFields:
    """Read what was typed; with `keep` an empty credential stays as it was, unless it was ticked to be forgotten."""

    def sealed(field: str) -> str | None:
        if typed[field] or not keep:
            return typed[field] or None
        return "" if request.form.get(f"forget.{field}") else None

    token, username, secret = map(sealed, SEALED)
    more = (typed["integration_id"], typed["workspace_id"])
    return ProjectFields(name, typed["region"], typed["project_id"], token, username, secret, *more)


def _form(project: Project | None, typed: dict[str, Any], wrong: WrongProject | None = None) -> str:
    shown = {name: value for name, value in typed.items() if name not in SEALED}
    return render_template("outbound/project_form.html", project=project, typed=shown, wrong=wrong, regions=REGIONS)
