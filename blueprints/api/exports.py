"""Exports: a whole cohort as CSV or NDJSON."""

from flask import Response

from blueprints import exports
from blueprints.api import blueprint, cohorts
from blueprints.api.members import COHORT
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.exports import CSV, NDJSON, Form
from runtime import current_runtime
from security.tokens import token_name


@operation(
    blueprint,
    f"{COHORT}/members.csv",
    summary="The whole cohort as CSV",
    media_type="text/csv",
    errors=(404,),
)
def export_csv(_query: NoQuery, project_id: str, cohort_id: str) -> Response:
    """All members by RFC 4180, with a header line; `properties` is a JSON object."""
    return _export(CSV, project_id, cohort_id)


@operation(
    blueprint,
    f"{COHORT}/members.ndjson",
    summary="The whole cohort as NDJSON",
    media_type="application/x-ndjson",
    errors=(404,),
)
def export_ndjson(_query: NoQuery, project_id: str, cohort_id: str) -> Response:
    """All members, a JSON object a line, each as in the list."""
    return _export(NDJSON, project_id, cohort_id)


def _export(form: Form, project_id: str, cohort_id: str) -> Response:
    """Raises Problem (404), TooManyExports."""
    cohort = current_runtime().database.read(lambda db: cohorts.find(db, project_id, cohort_id))
    return exports.export(form, cohort, f"token {token_name()}")
