"""Our side: a cohort's members, and what is known of it that may explain a difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from models.columns import is_storable
from models.database import Database
from models.queries.members import page_of_ids
from models.queries.sessions import unfinished

PIECE = 5000  # members that one read brings; each in a transaction of its own
ASKED = 500  # ids that one statement is asked about

_FACTS = text(f"""
    SELECT c.id, c.project_id, c.mixpanel_cohort_id, coalesce(nullif(c.name, ''), 'Cohort ' || c.mixpanel_cohort_id)
        AS label, c.member_count, c.change_count, c.session_count, c.last_synced_at,
        {unfinished("status")} AS unfinished,
        (SELECT sum(s.rejected) FROM sync_session s WHERE s.cohort_id = c.id AND s.number >= c.complete_refresh)
            AS rejected
    FROM cohort c WHERE c.id = :cohort""")  # noqa: S608 - our own words
_STAYS = text("""
    SELECT p.id, p.distinct_id, m.entered_at, m.left_at, m.entry_number FROM person p
    LEFT JOIN membership m ON m.cohort_id = :cohort AND m.person_id = p.id
    WHERE p.project_id = :project AND p.distinct_id IN :ids""").bindparams(bindparam("ids", expanding=True))


@dataclass(frozen=True)
class Facts:
    """`unfinished` is the status of the newest session under way; `rejected` counts members since the last complete
    refresh that could not be kept."""

    id: int
    project_id: str
    mixpanel_cohort_id: str
    label: str
    member_count: int
    change_count: int
    session_count: int
    last_synced_at: int | None
    unfinished: str | None
    rejected: int | None


@dataclass(frozen=True)
class IdCounts:
    """What we know of some ids: how many are people of ours, were members and left, entered lately."""

    asked: int = 0
    people: int = 0
    left: int = 0
    entered_since: int = 0


def facts(db: Connection, cohort: int) -> Facts | None:
    row = db.execute(_FACTS, {"cohort": cohort}).one_or_none()
    return None if row is None else Facts(*tuple(row))


def members(database: Database, cohort: int) -> Iterator[str]:
    """Yield the distinct ids of all members, with flat memory. Whoever enters or leaves meanwhile may or may not be
    there."""
    after = 0
    while rows := database.read(partial(page_of_ids, cohort=cohort, after=after, limit=PIECE), one_statement=True):
        yield from (row.distinct_id for row in rows)
        after = rows[-1].person_id


def known(database: Database, of: Facts, ids: Sequence[str], since: int) -> IdCounts:
    """Return what is known of these ids; `entered_since` counts members who entered from a moment on."""
    rows = [row for part in _parts(ids) for row in database.read(partial(stays, of=of, ids=part), one_statement=True)]
    return IdCounts(
        asked=len(ids),
        people=len(rows),
        left=sum(row.left_at is not None and row.entry_number > 0 for row in rows),
        entered_since=sum(row.left_at is None and (row.entered_at or 0) >= since for row in rows),
    )


def stays(db: Connection, of: Facts, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Return those of at most ASKED ids that are people of ours, with their place in the cohort where they have one."""
    storable = [identifier for identifier in ids if is_storable(identifier)]
    if not storable:
        return []
    return db.execute(_STAYS, {"cohort": of.id, "project": of.project_id, "ids": storable}).all()


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + ASKED] for start in range(0, len(ids), ASKED))
