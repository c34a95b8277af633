"""A cohort as source: a record for every member, from a template, looked at for ten of them before anything is sent."""

import json
from typing import Any

from flask import abort, render_template, request, url_for
from flask import redirect as lead
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import cohorts
from blueprints.cohorts import Cohort
from blueprints.outbound import blueprint
from outbound import projects
from outbound.imports import jobs, members
from outbound.imports.jobs import NewImport
from outbound.imports.kinds import KINDS
from outbound.imports.members import WrongTemplate
from outbound.projects import Project
from outbound.request.param_values import WrongValue, parsed
from runtime import current_runtime
from security import sign_in_guard
from security.forms import takes
from security.roles import needs

LARGEST = 4_000_000  # bytes of a form: a record has at most 1 MB, and three times as many as a form writes it

# What a form begins with.
TEMPLATES: dict[str, Any] = {
    "events": {
        "event": "Campaign sent",
        "properties": {"time": "{{now}}", "distinct_id": "{{distinct_id}}", "campaign": "winter"},
    },
    "people": {"$distinct_id": "{{distinct_id}}", "$set": {"campaign": "winter"}},
}


@blueprint.get("/send/cohorts/<int:cohort_id>")
@needs("operator")
def compose_for_cohort(cohort_id: int) -> str:
    kind = request.args.get("kind", "events")
    if kind not in TEMPLATES:
        abort(404)
    return _form(cohort_id, kind, json.dumps(TEMPLATES[kind], indent=2))


@blueprint.post("/send/cohorts/<int:cohort_id>")
@needs("operator")
@takes(LARGEST)
def prepare_for_cohort(cohort_id: int) -> ResponseReturnValue:
    """Make the import; its page shows ten of the records, and asks for the number of members before it begins."""
    runtime = current_runtime()
    kind, typed, project = (request.form.get(name, "") for name in ("kind", "template", "project"))
    if kind not in TEMPLATES:
        abort(400)
    cohort, known = _found(cohort_id)
    if project not in {choice.name for choice in known}:
        return _form(cohort_id, kind, typed, "Choose a project."), 422
    try:
        template = members.checked(parsed(typed))
    except (WrongValue, WrongTemplate) as error:
        return _form(cohort_id, kind, typed, str(error)), 422
    draft = NewImport(
        project,
        kind,
        KINDS[kind].operation_id,
        "cohort",
        cohort.label,
        sign_in_guard.operator().email,
        cohort_id=cohort.id,
        settings={"template": template},
        total=cohort.member_count,
    )
    import_id = runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))
    return lead(url_for("outbound.show_import", import_id=import_id), 303)


def _found(cohort_id: int) -> tuple[Cohort, list[Project]]:
    def read(db: Connection) -> tuple[Cohort, list[Project]]:
        return cohorts.find(db, cohort_id), projects.listed(db)

    return current_runtime().database.read(read)


def _form(cohort_id: int, kind: str, typed: str, wrong: str = "") -> str:
    cohort, known = _found(cohort_id)
    own = next((project.name for project in known if project.mixpanel_project_id == cohort.project_id), "")
    return render_template(
        "outbound/cohort.html",
        cohort=cohort,
        label=cohort.label,
        kind=kind,
        kinds={name: KINDS[name] for name in TEMPLATES},
        typed=typed,
        wrong=wrong,
        projects=known,
        chosen=request.form.get("project", own),
        fields=[*members.FIELDS, "now", "properties.NAME"],
    )
