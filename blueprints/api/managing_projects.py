"""Mixpanel projects to send to, for a program: made, changed and removed under the scope `manage` alone."""

from flask import Response
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.managing_types import ProjectChange, ProjectDraft, ProjectRemoved
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once
from blueprints.api.sending import project_type
from blueprints.api.sending_types import ProjectType
from outbound import projects
from outbound.projects import Project, ProjectFields, WrongProject
from runtime import current_runtime
from security.audit import note
from security.tokens import token_name

PROJECT = "/projects/<project>"


@operation(
    blueprint,
    "/projects",
    summary="Add a project",
    takes=ProjectDraft,
    answer=ProjectType,
    errors=(403, 413),
    scope="manage",
)
def add_project(_query: NoQuery) -> Response:
    """Let us call a Mixpanel project with these credentials. Nothing is called yet."""
    given, runtime = bodies.read(ProjectDraft), current_runtime()
    fields = (given.region, given.project_id, given.token, given.username, given.secret)
    draft = _checked(ProjectFields(given.name, *fields, given.integration_id, given.workspace_id))

    def write(db: Connection) -> Project:
        projects.add(db, runtime.cipher, draft, runtime.clock())
        after = {"region": draft.region, "project_id": draft.mixpanel_project_id}
        note(db, runtime.clock(), f"token {token_name()}", "project.add", draft.name, after=after)
        return _found(db, draft.name)

    try:
        return once(project_type(runtime.database.write(write)))
    except WrongProject as error:
        raise Problem(400, str(error)) from None


@operation(
    blueprint,
    PROJECT,
    summary="Change a project",
    takes=ProjectChange,
    answer=ProjectType,
    errors=(403, 404, 413),
    scope="manage",
    method="PATCH",
)
def change_project(_query: NoQuery, project: str) -> Response:
    """Change it; what is not given stays as it is, an empty credential is forgotten."""
    given, runtime = bodies.read(ProjectChange), current_runtime()

    def write(db: Connection) -> Project:
        known = _found(db, project)
        projects.change(db, runtime.cipher, known, _checked(_changed(known, given)), runtime.clock())
        note(db, runtime.clock(), f"token {token_name()}", "project.change", project)
        return _found(db, project)

    return once(project_type(runtime.database.write(write)))


@operation(
    blueprint,
    PROJECT,
    summary="Remove a project",
    answer=ProjectRemoved,
    errors=(403, 404),
    scope="manage",
    method="DELETE",
)
def remove_project(_query: NoQuery, project: str) -> Response:
    """Forget it with its credentials; the history of its calls stays."""
    runtime = current_runtime()

    def write(db: Connection) -> None:
        projects.remove(db, _found(db, project))
        note(db, runtime.clock(), f"token {token_name()}", "project.remove", project)

    runtime.database.write(write)
    return once(ProjectRemoved(project, removed=True))


def _changed(known: Project, given: ProjectChange) -> ProjectFields:
    def or_known(value: str | None, stored: str | None) -> str:
        return stored or "" if value is None else value

    return ProjectFields(
        known.name,
        or_known(given.region, known.region),
        or_known(given.project_id, known.mixpanel_project_id),
        given.token,
        given.username,
        given.secret,
        or_known(given.integration_id, known.integration_id),
        or_known(given.workspace_id, known.workspace_id),
    )


def _checked(draft: ProjectFields) -> ProjectFields:
    """Raises Problem (400)."""
    try:
        return projects.checked(draft)
    except WrongProject as error:
        raise Problem(400, str(error)) from None


def _found(db: Connection, name: str) -> Project:
    """Raises Problem (404)."""
    known = projects.by_name(db, name)
    if known is None:
        raise Problem(404, f"There is no project {name[:100]}.")
    return known
