"""Failures: the calls that we refused or could not apply."""

from typing import Any

from sqlalchemy import Row, text

from blueprints.api import blueprint
from blueprints.api.query_types import Listing
from blueprints.api.registry import operation
from blueprints.api.types import Failure, Failures
from blueprints.json_types import moment
from blueprints.paging import AFTER_ALL, cut, key_of
from runtime import current_runtime

_BEFORE = text("""
    SELECT id, at, last_at, count, connection, project_id, cohort_id, action, status, cause, message, request_id,
        body_bytes
    FROM failure WHERE id < :before ORDER BY id DESC LIMIT :limit""")


@operation(blueprint, "/failures", summary="Failures", query=Listing, answer=Failures)
def list_failures(query: Listing) -> Failures:
    """The webhook calls that we refused or could not apply, the newest first, with what we answered."""
    values = {"before": key_of(query.cursor, "failures", AFTER_ALL), "limit": query.limit + 1}
    rows = current_runtime().database.read(lambda db: db.execute(_BEFORE, values).all(), may_lag=True)
    shown, following = cut(rows, query.limit, "failures", lambda row: row.id)
    return Failures([shape(row) for row in shown], following)


def shape(row: Row[Any]) -> Failure:
    number, at, last_at, *rest = tuple(row)
    return Failure(number, moment(at), moment(last_at), *rest)
