"""Cohorts: all of them, or one."""

from typing import Any

from sqlalchemy import Connection, Row, text

from blueprints.api import blueprint
from blueprints.api.query_types import Listing, NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, Versioned
from blueprints.api.types import Cohort, Cohorts
from blueprints.paging import cut, key_of
from config.clock import iso
from models.queries.sessions import unfinished
from runtime import current_runtime

_SELECT = f"""
    SELECT c.id, c.project_id, c.mixpanel_cohort_id, c.name, c.description, c.member_count, c.first_synced_at,
        c.last_synced_at, c.version, c.change_count, c.log_gone,
        coalesce({unfinished("status")}, 'in_step') AS status
    FROM cohort c"""  # noqa: S608 - our own words

_ALL = text(f"{_SELECT} WHERE c.id > :after ORDER BY c.id LIMIT :limit")
_ONE = text(f"{_SELECT} WHERE c.project_id = :project_id AND c.mixpanel_cohort_id = :cohort_id")


@operation(blueprint, "/cohorts", summary="All cohorts", query=Listing, answer=Cohorts)
def list_cohorts(query: Listing) -> Cohorts:
    """Every cohort that Mixpanel has ever sent, in the order of their first call."""
    values = {"after": key_of(query.cursor, "cohorts", 0), "limit": query.limit + 1}
    rows = current_runtime().database.read(lambda db: db.execute(_ALL, values).all(), may_lag=True)
    shown, following = cut(rows, query.limit, "cohorts", lambda row: row.id)
    return Cohorts([shape(row) for row in shown], following)


@operation(blueprint, "/projects/<project_id>/cohorts/<cohort_id>", summary="One cohort", answer=Cohort, errors=(404,))
def show_cohort(_query: NoQuery, project_id: str, cohort_id: str) -> Versioned:
    """The cohort under Mixpanel's own ids of the project and the cohort."""
    row = current_runtime().database.read(lambda db: find(db, project_id, cohort_id), may_lag=True)
    return Versioned(shape(row), row.version)


def find(db: Connection, project_id: str, cohort_id: str) -> Row[Any]:
    """The cohort's row. Raises Problem (404)."""
    row = db.execute(_ONE, {"project_id": project_id, "cohort_id": cohort_id}).one_or_none()
    if row is None:
        raise Problem(404, "There is no such cohort.")
    return row


def shape(row: Row[Any]) -> Cohort:
    return Cohort(
        project_id=row.project_id,
        cohort_id=row.mixpanel_cohort_id,
        name=row.name,
        description=row.description,
        member_count=row.member_count,
        first_synced_at=iso(row.first_synced_at),
        last_synced_at=iso(row.last_synced_at),
        status=row.status,
        version=row.version,
    )
