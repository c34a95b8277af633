"""People: the profile of one, and every stay in every cohort."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Raw
from sqlalchemy import Connection, Row, text

from blueprints.api import blueprint
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem
from blueprints.api.types import Erased, Person, Stay
from blueprints.json_types import moment
from erasure import DataSubject, InTheWay, NothingToErase, eraser
from erasure.labels import AGAIN
from models.queries.trail import trail
from runtime import current_runtime
from security.tokens import token_name

_PERSON = text("""
    SELECT id, project_id, distinct_id, digest, email, first_name, last_name, phone_number,
        CAST(properties AS text) AS properties
    FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id""")

_TRAIL = text(
    trail(
        ("number", "entered", "entry_number", "session_id", "at"),
        """SELECT t.cohort_id, c.mixpanel_cohort_id, c.name, t.entered, t.entry_number, t.session_id, t.at
        FROM trail t CROSS JOIN cohort c WHERE c.id = t.cohort_id ORDER BY t.cohort_id, t.number""",
    )
)


@operation(
    blueprint,
    "/people/<project_id>/<distinct_id:distinct_id>",
    summary="One person",
    answer=Person,
    errors=(404,),
)
def show_person(_query: NoQuery, project_id: str, distinct_id: str) -> Person:
    """The profile and every stay in every cohort. The id is the rest of the path, slashes included."""

    def read(db: Connection) -> tuple[Row[Any] | None, Sequence[Row[Any]]]:
        row = db.execute(_PERSON, {"project_id": project_id, "distinct_id": distinct_id}).one_or_none()
        if row is None:
            return None, []
        return row, db.execute(_TRAIL, {"project_id": project_id, "person": row.id}).all()

    row, trail = current_runtime().database.read(read)
    if row is None or (row.digest is None and not trail):  # only a removal has ever named them
        raise Problem(404, "There is no such person.")
    return Person(
        project_id=row.project_id,
        distinct_id=row.distinct_id,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        phone_number=row.phone_number,
        properties=Raw(row.properties),
        stays=stays(project_id, trail),
    )


@operation(
    blueprint,
    "/people/<project_id>/<distinct_id:distinct_id>",
    summary="Erase one person",
    answer=Erased,
    errors=(403, 404, 409),
    scope="erase",
    method="DELETE",
)
def erase_person(_query: NoQuery, project_id: str, distinct_id: str) -> Erased:
    """Erase the person everywhere, for good, and give the proof. A call that broke off is repeated as it is, and goes
    on where it was; of whom nothing is left it answers the last proof. 409 where something is under way with the
    person in it."""
    try:
        done = eraser(current_runtime()).erase(DataSubject(project_id, distinct_id), f"token {token_name()}")
    except NothingToErase:
        raise Problem(404, "Nothing of this person is stored, and nobody of this id was ever erased.") from None
    except InTheWay as error:
        raise Problem(409, str(error)) from None
    return Erased(done.id, done.project_id, moment(done.erased_at or done.asked_at), done.who, done.counts, AGAIN)


def stays(project_id: str, trail: Iterable[Row[Any]]) -> list[Stay]:
    """A stay for every entry of the trail, closed by the exit that has its number; the oldest first."""
    found: dict[tuple[int, int], Stay] = {}
    for row in trail:
        key = (row.cohort_id, row.entry_number)
        if row.entered:
            found[key] = Stay(
                project_id=project_id,
                cohort_id=row.mixpanel_cohort_id,
                cohort_name=row.name,
                entry_number=row.entry_number,
                entered_at=moment(row.at),
                left_at=None,
                entered_session_id=row.session_id,
                left_session_id=None,
            )
        else:
            found[key].left_at, found[key].left_session_id = moment(row.at), row.session_id
    return sorted(found.values(), key=lambda stay: stay.entered_at)
