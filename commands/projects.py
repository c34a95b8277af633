"""`flask projects`: the Mixpanel projects that can be called, with their credentials."""

import json
from dataclasses import asdict
from functools import partial
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from commands.exit_codes import NOT_ALL
from commands.secret_input import line, seen
from commands.terminal import warn_where_it_goes
from config.clock import iso
from models.encryption import DecryptionError
from outbound import credential_check, projects
from outbound.projects import Project, ProjectFields, WrongProject
from outbound.transport.hosts import REGIONS
from runtime import current_runtime
from security.audit import TERMINAL, note

group = AppGroup("projects", help="Mixpanel projects to send to, with their credentials.")

_region = click.option("--region", type=click.Choice(list(REGIONS)))
_id = click.option("--project-id", help="Mixpanel's id: Project Settings, Overview.")
_token = click.option("--token", callback=seen, help="The project token, seen by all; empty forgets it.")
_token_stdin = click.option("--token-stdin", is_flag=True, help="Read the project token: the first line of input.")
_username = click.option("--username", help="The service account's username.")
_stdin = click.option("--secret-stdin", is_flag=True, help="Read the service account's secret: the next line.")
_integration = click.option("--integration-id", help="How calls name their sender; cohort-relay without it.")
_workspace = click.option("--workspace-id", help="Only for projects with Data Views.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def find(name: str) -> Project:
    """Return the project of this name. Raises ClickException."""
    found = current_runtime().database.read(lambda db: projects.by_name(db, name), one_statement=True)
    if found is None:
        raise click.ClickException(f"There is no project {name}. See: flask projects list")
    return found


def _given(token: str | None, *, token_stdin: bool, secret_stdin: bool) -> tuple[str | None, str | None]:
    """Read the token and the secret, a line of standard input each."""
    if token is not None and token_stdin:
        raise click.UsageError("Give --token-stdin alone.")
    return line("token") if token_stdin else token, line("secret") if secret_stdin else None


@group.command("add")
@click.argument("name")
@click.option("--region", type=click.Choice(list(REGIONS)), required=True)
@click.option("--project-id", required=True, help="Mixpanel's id: Project Settings, Overview.")
@_token
@_token_stdin
@_username
@_stdin
@_integration
@_workspace
@_json
def add(
    name: str, region: str, project_id: str, *, token_stdin: bool, secret_stdin: bool, as_json: bool, **more: str | None
) -> None:
    """Let us call the Mixpanel project that is called NAME here."""
    token, secret = _given(more["token"], token_stdin=token_stdin, secret_stdin=secret_stdin)
    given = ProjectFields(
        name,
        region,
        project_id,
        token,
        more["username"],
        secret,
        more["integration_id"] or "",
        more["workspace_id"] or "",
    )
    runtime = current_runtime()
    try:
        draft = projects.checked(given)
        runtime.database.write(partial(_add, draft=draft))
    except WrongProject as error:
        raise click.ClickException(str(error)) from None
    shown = find(draft.name)
    click.echo(
        json.dumps(_shown(shown)) if as_json else f"{name} is added. See what works: flask projects check {name}"
    )


def _add(db: Connection, draft: ProjectFields) -> None:
    runtime = current_runtime()
    projects.add(db, runtime.cipher, draft, runtime.clock())
    after = {"region": draft.region, "project_id": draft.mixpanel_project_id}
    note(db, runtime.clock(), TERMINAL, "project.add", draft.name, after=after)


@group.command("change")
@click.argument("name")
@_region
@_id
@_token
@_token_stdin
@_username
@_stdin
@_integration
@_workspace
@_json
def change(name: str, *, token_stdin: bool, secret_stdin: bool, as_json: bool, **more: str | None) -> None:
    """Change NAME; what is not given stays as it is, an empty credential is forgotten."""
    known, runtime = find(name), current_runtime()
    token, secret = _given(more["token"], token_stdin=token_stdin, secret_stdin=secret_stdin)
    given = ProjectFields(
        name,
        more["region"] or known.region,
        more["project_id"] or known.mixpanel_project_id,
        token,
        more["username"],
        secret,
        known.integration_id or "" if more["integration_id"] is None else more["integration_id"],
        known.workspace_id or "" if more["workspace_id"] is None else more["workspace_id"],
    )

    def write(db: Connection) -> None:
        projects.change(db, runtime.cipher, known, draft, runtime.clock())
        note(db, runtime.clock(), TERMINAL, "project.change", name)

    try:
        draft = projects.checked(given)
    except WrongProject as error:
        raise click.ClickException(str(error)) from None
    runtime.database.write(write)
    click.echo(json.dumps(_shown(find(name))) if as_json else f"{name} is changed.")


@group.command("remove")
@click.argument("name")
@_json
def remove(name: str, *, as_json: bool) -> None:
    """Forget NAME and its credentials; the history of its calls stays."""
    known, runtime = find(name), current_runtime()

    def write(db: Connection) -> None:
        if projects.remove(db, known):
            note(db, runtime.clock(), TERMINAL, "project.remove", name)

    runtime.database.write(write)
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else f"{name} is removed.")


@group.command("check")
@click.argument("name")
@_json
def check(name: str, *, as_json: bool) -> None:
    """Ask Mixpanel what NAME's credentials work for; stores nothing there and uses one query of the hour's 60."""
    try:
        project = find(name)
        warn_where_it_goes(as_json=as_json)
        found = credential_check.check(current_runtime(), project, TERMINAL)
    except DecryptionError as error:
        raise click.ClickException(f"{error}. Give them again: flask projects change {name}") from None
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found]))
    else:
        for check in found:
            mark = {True: "works", False: "FAILS", None: "unknown"}[check.works]
            click.echo(f"{mark:<8} {check.credential}, {check.use}: {check.words}")
    if any(check.works is False for check in found):
        raise SystemExit(NOT_ALL)


@group.command("list")
@_json
def list_all(*, as_json: bool) -> None:
    """Every project; credentials are never shown."""
    found = current_runtime().database.read(projects.listed, one_statement=True)
    if as_json:
        click.echo(json.dumps([_shown(project) for project in found]))
        return
    if not found:
        click.echo(
            "There is no project yet. Make one: flask projects add NAME --region us --project-id ID --token-stdin"
        )
    for project in found:
        there = " and ".join(
            words
            for words, sealed in (("a token", project.sealed_token), ("a service account", project.sealed_secret))
            if sealed
        )
        click.echo(f"{project.name}  {project.region}  {project.mixpanel_project_id}  has {there or 'no credentials'}")


def _shown(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "region": project.region,
        "project_id": project.mixpanel_project_id,
        "has_token": project.sealed_token is not None,
        "has_service_account": project.sealed_username is not None and project.sealed_secret is not None,
        "integration_id": project.integration_id,
        "workspace_id": project.workspace_id,
        "checked_at": iso(project.checked_at),
        "checked": [asdict(finding) for finding in credential_check.known(project)],
    }
