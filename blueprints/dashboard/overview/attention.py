"""What needs somebody, on every page: in the tab's title, and beside the places where it is found. It is what the
overview's sentence counts, read once a request. Most pages ask for it once they are there: none waits for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g, render_template
from sqlalchemy import Connection

from backups import status as backup_status
from backups.status import BackupStatus
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import status as destination_status
from blueprints.dashboard.overview.verdict import Verdict, judge
from runtime import current_runtime
from sync.status.cohort import CohortStatus, cohort_statuses
from sync.status.connection import ConnectionStatus, connection_statuses


@dataclass(frozen=True)
class Standing:
    """How everything stands at one moment; connections by their ids."""

    cohorts: Sequence[CohortStatus]
    connections: Mapping[int, ConnectionStatus]
    backups: BackupStatus
    verdict: Verdict


def read(db: Connection, now: int) -> Standing:
    """Return how everything stands, as this request has read it before, or else with three to six statements."""
    if "standing" not in g:
        cohorts = cohort_statuses(db, now)
        connections = connection_statuses(db, now, cohorts)
        backups = backup_status.read(db, current_runtime().settings, now)
        verdict = judge(cohorts, list(connections.values()), destination_status.read(db, now), backups)
        g.standing = Standing(cohorts, connections, backups, verdict)
    standing: Standing = g.standing
    return standing


def attention() -> dict[str, int]:
    """Count what needs somebody: as a whole (`overview`), and by the place where it is found."""
    runtime = current_runtime()
    verdict = runtime.database.read(lambda db: read(db, runtime.clock())).verdict
    return {"overview": verdict.urgent, **verdict.places}


@blueprint.get("/needing")
def show_needing() -> str:
    return render_template("_needing.html")


@blueprint.app_context_processor
def surroundings() -> dict[str, object]:
    return {"attention": attention}
