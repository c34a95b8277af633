"""Comparisons (F13): a cohort beside Mixpanel's own, what differs, probably why, and what to do about it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from blueprints import paging, rows, spreadsheets
from blueprints.outbound import blueprint
from blueprints.outbound.uploads import kept_upload, largest_upload
from blueprints.urls import can_be_stored
from config.words import counted
from outbound import projects
from outbound.comparison import jobs, remote, runner, uploads
from outbound.comparison.jobs import WAYS, Comparison
from outbound.projects import Project
from outbound.readers.errors import UnreadableFile
from outbound.transport import budget
from runtime import current_runtime
from security import sign_in_guard
from security.forms import takes_files
from security.roles import needs

PAGE = 30
SHOWN = 50  # ids of each side that the page lists; the download has all that are kept
SIDES = ("missing", "extra")

_COHORTS = text("""
    SELECT id, project_id, member_count, coalesce(nullif(name, ''), 'Cohort ' || mixpanel_cohort_id) AS label
    FROM cohort ORDER BY 4, id""")


class Choice(NamedTuple):
    """A cohort that can be compared."""

    id: int
    project_id: str
    member_count: int
    label: str


@blueprint.get("/send/comparisons")
def list_comparisons() -> str:
    return _list({"cohort": request.args.get("cohort", ""), "project": ""})


@blueprint.post("/send/comparisons")
@needs("operator")
@takes_files(largest_upload)
def ask_comparison() -> ResponseReturnValue:
    """Ask for one; the worker does it. Mixpanel's CSV is looked into first."""
    typed = {name: request.form.get(name, "").strip() for name in ("cohort", "project", "way", "column")}
    known = current_runtime().database.read(_known)
    wrong = dict(_wrong(typed, *known))
    if wrong:
        return _list(typed, wrong), 422
    try:
        comparison_id = _asked(typed)
    except (UnreadableFile, OSError) as error:
        return _list(typed, {"file": str(error)}), 422
    return redirect(url_for("outbound.show_comparison", comparison_id=comparison_id), 303)


def _asked(typed: dict[str, str]) -> int:
    """The comparison, with its upload kept where it has one. Raises UnreadableFile, OSError."""
    who, runtime = sign_in_guard.operator().email, current_runtime()
    asked = (int(typed["cohort"]), typed["project"], who, typed["way"])

    def ask(summary: dict[str, Any]) -> int:
        return runtime.database.write(lambda db: jobs.ask(db, *asked, runtime.clock(), summary))

    if typed["way"] != "csv":
        return ask({})
    file = request.files.get("file")
    if file is None or not file.filename:
        raise UnreadableFile("Choose the file that Mixpanel's Destinations page offers.")
    with kept_upload(file) as path:
        _looked_into(path, typed["column"])
        return ask({"file": str(path), "column": typed["column"]})


def _wrong(typed: dict[str, str], cohorts: list[Choice], known: list[Project]) -> Iterator[tuple[str, str]]:
    if typed["cohort"] not in {str(cohort.id) for cohort in cohorts}:
        yield "cohort", "Choose a cohort."
    if typed["project"] not in {project.name for project in known}:
        yield "project", "Choose a project."
    if typed["way"] not in WAYS:
        yield "way", "Choose what to compare."


def _looked_into(path: Path, column: str) -> None:
    """Read the first id. Raises UnreadableFile, OSError."""
    with closing(uploads.ids(path, column)) as found:
        next(found, None)


@blueprint.get("/send/comparisons/<int:comparison_id>")
def show_comparison(comparison_id: int) -> str:
    return render_template("outbound/comparison.html", **_told(_find(comparison_id)))


@blueprint.get("/send/comparisons/<int:comparison_id>/now")
def comparison_now(comparison_id: int) -> str:
    """How far it is; it asks again while the worker is at it."""
    return render_template("outbound/_comparison.html", **_told(_find(comparison_id)))


@blueprint.post("/send/comparisons/<int:comparison_id>/cancel")
@needs("operator")
def cancel_comparison(comparison_id: int) -> ResponseReturnValue:
    comparison, runtime = _find(comparison_id), current_runtime()
    if runtime.database.write(lambda db: jobs.cancel(db, comparison_id, runtime.clock())):
        runner.discard(runtime, comparison)
    else:
        flash("It was over already.")
    return redirect(url_for("outbound.show_comparison", comparison_id=comparison_id), 303)


@blueprint.get("/send/comparisons/<int:comparison_id>/<any(missing, extra):side>.csv")
def comparison_csv(comparison_id: int, side: str) -> Response:
    """The ids of one side, as far as they are kept."""
    comparison = _find(comparison_id)
    listed = current_runtime().database.read(lambda db: jobs.ids(db, comparison_id))[SIDES.index(side)]
    written = spreadsheets.lines([["distinct_id"], *[[identifier] for identifier in listed]])
    response = Response(spreadsheets.BOM + written, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="comparison-{comparison.id}-{side}.csv"'
    return response


def _find(comparison_id: int) -> Comparison:
    if not can_be_stored(comparison_id):
        abort(404)
    return current_runtime().database.read(lambda db: jobs.by_id(db, comparison_id), one_statement=True) or abort(404)


def _told(comparison: Comparison) -> dict[str, Any]:
    summary = comparison.summary
    listed: tuple[list[str], list[str]] = ([], [])
    if summary.get("missing") or summary.get("extra"):
        listed = current_runtime().database.read(lambda db: jobs.ids(db, comparison.id))
    sides = [(side, summary.get(side, 0), ids) for side, ids in zip(SIDES, listed, strict=True)]
    return {
        "comparison": comparison,
        "ways": WAYS,
        "sides": sides,
        "shown": SHOWN,
        "left": _left(comparison) if comparison.is_open else None,
    }


def _left(comparison: Comparison) -> budget.Left | None:
    """Return what is left of the hour's queries that it spends."""
    runtime = current_runtime()

    def read(db: Connection) -> list[budget.Left]:
        project = projects.by_name(db, comparison.project)
        return budget.left(db, project.mixpanel_project_id, runtime.clock()) if project else []

    return next((family for family in runtime.database.read(read) if family.family == "query"), None)


def _known(db: Connection) -> tuple[list[Choice], list[Project]]:
    return rows.every(db.execute(_COHORTS), Choice), projects.listed(db)


def _costs(members: int | None) -> dict[str, str]:
    """Say what each way spends of the hour's queries, for a cohort of so many members; None where none is chosen."""
    of_ids = "One query for each 1,000 members"
    if members is not None:
        of_ids = counted(-(-members // remote.PAGE) or 1, "query", "queries")
    return {
        "count": "One query of the 60 an hour.",
        "ids": f"{of_ids}; if the hour's 60 are used up, it continues as they come back.",
        "csv": "No query. Data, Destinations, the sync's menu, Download.",
    }


def _list(typed: dict[str, str], wrong: dict[str, str] | None = None) -> str:
    runtime = current_runtime()

    def read(db: Connection) -> tuple[list[Comparison], list[Choice], list[Project]]:
        return jobs.listed(db, paging.before(), PAGE + 1), *_known(db)

    found, cohorts, known = runtime.database.read(read)
    chosen = next((cohort for cohort in cohorts if str(cohort.id) == typed["cohort"]), None)
    of = None if chosen is None else chosen.project_id
    own = next((project.name for project in known if project.mixpanel_project_id == of), "")
    return render_template(
        "outbound/comparisons.html",
        **paging.shown(found, PAGE, endpoint="outbound.list_comparisons"),
        cohorts=cohorts,
        chosen=chosen,
        projects=known,
        ways=WAYS,
        typed=typed | {"project": typed["project"] or own},
        wrong=wrong or {},
        costs=_costs(None if chosen is None else chosen.member_count),
        most_mb=runtime.settings.max_import_mb,
    )
