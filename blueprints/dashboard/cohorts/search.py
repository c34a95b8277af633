"""Finding members by id, e-mail or name. The whole id, or the beginning of the others in any case of letters.

Names are those of all people, so a common one may have a hundred thousand bearers of whom ten are in the cohort. A page
looks at a bounded number of them, in the order of their index, and says where the next one goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, TextClause, text

from blueprints.cohorts import Cohort
from blueprints.dashboard.cohorts.members import SHOWN, MemberStay
from blueprints.rows import every
from blueprints.urls import can_be_stored

EXAMINED = 1000  # people that one page looks at
_HIGHEST = "\U0010ffff"  # sorts behind every character
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")  # as both databases' lower() does

_BY_ID = text("""
    SELECT p.id, m.entered_at, m.entry_number FROM person p CROSS JOIN membership m
    WHERE p.project_id = :project_id AND p.distinct_id = :wanted
        AND m.cohort_id = :cohort AND m.person_id = p.id AND m.left_at IS NULL""")


def _by_field(name: str) -> TextClause:
    return text(f"""
        SELECT p.id, p.value, p.email, p.first_name, p.last_name, m.entered_at, m.entry_number,
            m.person_id IS NOT NULL AND p.project_id = :project_id AS is_member
        FROM (
            SELECT id, project_id, lower({name}) AS value, email, first_name, last_name FROM person
            WHERE {name} IS NOT NULL AND lower({name}) >= :start AND lower({name}) < :end
                AND (lower({name}), id) > (:start, :id)
            ORDER BY lower({name}), id LIMIT :most) p
        LEFT JOIN membership m ON m.cohort_id = :cohort AND m.person_id = p.id AND m.left_at IS NULL
        ORDER BY p.value, p.id""")  # noqa: S608


_BY_FIELD = {name: _by_field(name) for name in ("email", "first_name", "last_name")}


class Candidate(NamedTuple):
    """Somebody whose field begins as it was typed; `value` is that field in small letters. `is_member` says whether
    they are in the cohort, since `entered_at` then."""

    id: int
    value: str
    email: str | None
    first_name: str | None
    last_name: str | None
    entered_at: int
    entry_number: int
    is_member: bool


@dataclass(frozen=True)
class Way:
    """One way to match: the beginning of a field, and perhaps of the first name beside it."""

    field: str
    start: str
    first_name: str = ""

    def fits(self, row: Candidate) -> bool:
        return lower(getattr(row, self.field)).startswith(self.start) and lower(row.first_name).startswith(
            self.first_name
        )


@dataclass(frozen=True)
class SearchPosition:
    """Where a search goes on: on which way, behind which value and person."""

    way: int = 0
    value: str = ""
    id: int = 0


@dataclass(frozen=True)
class Found:
    stays: Sequence[MemberStay]
    following: SearchPosition | None


def lower(value: str | None) -> str:
    return (value or "").translate(_LOWER)


def ways(wanted: str) -> list[Way]:
    """How `wanted` may be meant: an e-mail, a first name, a last name, or both names."""
    start = " ".join(lower(wanted).split())
    if "@" in start:
        return [Way("email", start)]
    first, _, rest = start.partition(" ")
    names, _, last = start.rpartition(" ")
    both = dict.fromkeys([(first, rest), (names, last)]) if rest else {}
    single = [Way(field, start) for field in ("email", "first_name", "last_name")]
    return [*(Way("last_name", last_name, first_name) for first_name, last_name in both), *single]


def search(db: Connection, cohort: Cohort, wanted: str, place: SearchPosition) -> Found:
    """Members whom `wanted` may mean, from `place` on; at most six statements. `cohort` has id and project_id."""
    wanted = wanted.strip()
    if not wanted or not can_be_stored(wanted):
        return Found([], None)
    exact = _by_id(db, cohort, wanted)
    stays = list(exact) if place == SearchPosition() else []
    known, meanings, budget = {stay.person_id for stay in exact}, ways(wanted), EXAMINED
    for number in range(place.way, len(meanings)):
        start = place if number == place.way else SearchPosition(number)
        rows = _candidates(db, cohort, meanings[number], start, budget)
        for row in rows:
            if _is_new(row, meanings, number) and row.id not in known:
                stays.append(MemberStay(row.id, row.entered_at, row.entry_number))
            if len(stays) >= SHOWN:
                return Found(stays, SearchPosition(number, row.value, row.id))
        budget -= len(rows)
        if budget <= 0:
            return Found(stays, SearchPosition(number, rows[-1].value, rows[-1].id))
    return Found(stays, None)


def _by_id(db: Connection, cohort: Cohort, wanted: str) -> list[MemberStay]:
    values = {"project_id": cohort.project_id, "cohort": cohort.id, "wanted": wanted}
    return [MemberStay(row.id, row.entered_at, row.entry_number) for row in db.execute(_BY_ID, values)]


def _candidates(db: Connection, cohort: Cohort, way: Way, place: SearchPosition, most: int) -> Sequence[Candidate]:
    values = {
        "project_id": cohort.project_id,
        "cohort": cohort.id,
        "start": place.value or way.start,
        "end": way.start + _HIGHEST,
        "id": place.id,
        "most": most,
    }
    return every(db.execute(_BY_FIELD[way.field], values), Candidate)


def _is_new(row: Candidate, meanings: Sequence[Way], number: int) -> bool:
    """Whether this is a member who fits this way, and none of those before it, by which they were found already."""
    return bool(row.is_member) and meanings[number].fits(row) and not any(way.fits(row) for way in meanings[:number])
