"""Changes: who entered and who left a cohort, in the order in which it was committed."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from sqlalchemy import Connection, Row, text

from blueprints.api import blueprint, cohorts
from blueprints.api.query_types import ChangesAfter
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, Versioned
from blueprints.api.types import Change, Changes
from blueprints.json_types import moment
from blueprints.urls import MOST_DIGITS
from runtime import current_runtime

# The people are looked up one by one; see members.
_AFTER = text("""
    SELECT x.number, x.entered, p.distinct_id, x.entry_number, x.session_id, x.at, x.previous, p.erased_at FROM (
        SELECT number, entered, person_id, entry_number, session_id, at, previous FROM membership_change
        WHERE cohort_id = :cohort AND number > :after ORDER BY number LIMIT :limit) x
    CROSS JOIN person p WHERE p.id = x.person_id ORDER BY x.number""")


@operation(
    blueprint,
    "/projects/<project_id>/cohorts/<cohort_id>/changes",
    summary="A cohort's changes",
    query=ChangesAfter,
    answer=Changes,
    errors=(404, 410),
)
def list_changes(query: ChangesAfter, project_id: str, cohort_id: str) -> Versioned:
    """Entries and exits in order. Come back with `next` as `after`, at once or days later: no change is ever skipped,
    because the pages of one cohort are committed one after another. 410 where changes behind `after` are past their
    retention: begin anew, without `after` and with an empty set."""

    def read(db: Connection) -> tuple[Row[Any], int, Sequence[Row[Any]]]:
        cohort = cohorts.find(db, project_id, cohort_id)
        after = _number(query.after, cohort.change_count, cohort.log_gone)
        values = {"cohort": cohort.id, "after": after, "limit": query.limit}
        return cohort, after, db.execute(_AFTER, values).all()

    cohort, after, rows = current_runtime().database.read(read, may_lag=True)
    last = rows[-1].number if rows else after
    gone = cohort.log_gone
    found = Changes([shape(row) for row in rows], _cursor(last, gone), gone or UNSET)
    return Versioned(found, cohort.version)


def _cursor(last: int, gone: int) -> str:
    """Where to go on. Below what is gone it also says how much was gone: whoever has begun since then has missed
    nothing, as long as no more goes."""
    return str(last) if last == 0 or last >= gone else f"{last}-{gone}"


def _number(after: str, newest: int, gone: int) -> int:
    """The change that `after` names. Raises Problem: 400 also for one that has not happened yet, because whoever holds
    such a cursor read another cohort, or a database that was set back since, and would miss changes in silence; 410
    where an exit behind it is past its retention. From the beginning nothing is missed: whole stays are gone."""
    place, _, known = after.partition("-")
    number = int(place or 0) if len(place) <= MOST_DIGITS else newest + 1
    if number > newest:
        raise Problem(400, "after must be the next of an earlier answer about this cohort.")
    if 0 < number < gone and known != str(gone):
        raise Problem(410, f"Changes up to {gone} are past their retention. Begin anew: an empty set, without after.")
    return number


def shape(row: Row[Any]) -> Change:
    return Change(
        id=row.number,
        kind="entered" if row.entered else "left",
        distinct_id=row.distinct_id,
        entry_number=row.entry_number,
        session_id=row.session_id,
        at=moment(row.at),
        erased=UNSET if row.erased_at is None else True,
        entered_id=UNSET if row.erased_at is None or row.entered else row.previous,
    )
