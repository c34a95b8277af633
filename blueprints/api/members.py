"""Members: who is in a cohort now. A list by pages, and one of them."""

from typing import Any

from sqlalchemy import Connection, Row, text

from blueprints.api import blueprint, cohorts
from blueprints.api.query_types import Listing, NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, Versioned
from blueprints.api.types import Members
from blueprints.members import Member, MemberRow, page, shape
from blueprints.paging import cut, key_of
from models.queries.members import COLUMNS
from runtime import current_runtime

COHORT = "/projects/<project_id>/cohorts/<cohort_id>"

# The person by themselves first: they and their cohorts may lie on two nodes (docs/scaling.md).
_ONE = text(f"""
    SELECT {COLUMNS} FROM (
        SELECT * FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id LIMIT 1) p
    CROSS JOIN membership m WHERE m.cohort_id = :cohort AND m.person_id = p.id AND m.left_at IS NULL""")  # noqa: S608


@operation(blueprint, f"{COHORT}/members", summary="A cohort's members", query=Listing, answer=Members, errors=(404,))
def list_members(query: Listing, project_id: str, cohort_id: str) -> Versioned:
    """Who is in the cohort now, in the order in which we first heard of them."""

    def read(db: Connection) -> tuple[Row[Any], str, list[MemberRow]]:
        cohort = cohorts.find(db, project_id, cohort_id)
        place = f"members {cohort.id}"
        return cohort, place, page(db, cohort.id, key_of(query.cursor, place, 0), query.limit + 1)

    cohort, place, rows = current_runtime().database.read(read, may_lag=True)
    shown, following = cut(rows, query.limit, place, lambda row: row.person_id)
    return Versioned(Members([shape(row) for row in shown], following), cohort.version)


@operation(blueprint, f"{COHORT}/members/<distinct_id:distinct_id>", summary="One member", answer=Member, errors=(404,))
def show_member(_query: NoQuery, project_id: str, cohort_id: str, distinct_id: str) -> Versioned:
    """Whether a person is in the cohort: the member, or 404. The id is the rest of the path, slashes included."""

    def read(db: Connection) -> tuple[Row[Any], Row[Any] | None]:
        cohort = cohorts.find(db, project_id, cohort_id)
        values = {"project_id": project_id, "cohort": cohort.id, "distinct_id": distinct_id}
        return cohort, db.execute(_ONE, values).one_or_none()

    cohort, row = current_runtime().database.read(read)
    if row is None:
        raise Problem(404, "This person is not in the cohort.")
    return Versioned(shape(row), cohort.version)
