"""Who is in a cohort: now, since a moment, or at a moment. Every list goes on by its last key and looks at a bounded
number of rows, so that its last page costs what its first does."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text

from blueprints import members
from blueprints.cohorts import Cohort
from blueprints.members import MemberRow
from blueprints.paging import AFTER_ALL, split
from blueprints.rows import every
from config.clock import DAY, Zone, utc
from config.words import later
from models.database import Database
from models.queries.trail import trail

SHOWN = 50
PIECE = 500  # members of an export of then that are read at once
EXAMINED = 2000  # rows that one page looks at
SINCE = {"today": later("Today"), "7d": later("Last 7 days"), "30d": later("Last 30 days")}
PROPERTY_COLUMNS = 3

_PEOPLE = text("""
    SELECT id, distinct_id, email, first_name, last_name, phone_number, CAST(properties AS text) AS properties
    FROM person WHERE id IN :ids""").bindparams(bindparam("ids", expanding=True))

# The last page of a session is never before its first change; see also cohort_history.
_BOUND = text("""
    SELECT min(first_change) FROM sync_session
    WHERE cohort_id = :cohort AND started_at >= :started AND last_page_at >= :since AND first_change > 0""")

# Whoever has left again, or came back later, has another last change.
_ENTERED = text("""
    SELECT x.number, x.person_id, x.at, x.entry_number FROM (
        SELECT number, person_id, at, entry_number, entered FROM membership_change
        WHERE cohort_id = :cohort AND number >= :first AND number < :before) x
    CROSS JOIN membership m
    WHERE x.entered AND x.at >= :since
        AND m.cohort_id = :cohort AND m.person_id = x.person_id AND m.change_number = x.number
    ORDER BY x.number DESC LIMIT :limit""")

_WINDOW = text("""
    SELECT max(person_id) AS last, count(*) AS examined FROM (
        SELECT person_id FROM membership WHERE cohort_id = :cohort AND person_id > :after
        ORDER BY person_id LIMIT :most) m""")

# A membership row tells of the latest stay alone. Only for those who came back after the moment the log is asked: from
# their last change back to the newest that is not after the moment, each found by its primary key.
_TRAIL = trail(
    ("number", "entered", "at"),
    "SELECT number FROM trail WHERE at <= :moment AND entered",
    begins="membership_change x WHERE x.cohort_id = m.cohort_id AND x.number = m.change_number",
    goes_on="t.at > :moment",
)
_AS_OF = text(f"""
    SELECT person_id, entered_at, entry_number, number FROM (
        SELECT m.person_id, m.entered_at, m.entry_number, m.left_at, CASE
            WHEN m.entered_at > :moment AND m.entry_number > 1 THEN (
                {_TRAIL})
            END AS number
        FROM membership m
        WHERE m.cohort_id = :cohort AND m.person_id > :after AND m.person_id <= :last AND m.entry_number > 0) stays
    WHERE number IS NOT NULL OR (entered_at <= :moment AND (left_at IS NULL OR left_at > :moment))
    ORDER BY person_id LIMIT :limit""")  # noqa: S608 - our own words

_CHANGES = text("""
    SELECT person_id, at, entry_number FROM membership_change
    WHERE cohort_id = :cohort AND number IN :numbers""").bindparams(bindparam("numbers", expanding=True))


class Profile(NamedTuple):
    """A person's row; `properties` is a JSON object."""

    id: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: str


class MemberStayThen(NamedTuple):
    """Somebody who was in at a moment: their latest stay, and the `number` of the change that began that one of then,
    where it is another."""

    person_id: int
    entered_at: int
    entry_number: int
    number: int | None


@dataclass(frozen=True)
class MemberStay:
    """A person's stay in the cohort since `at`, their `entry_number`th."""

    person_id: int
    at: int
    entry_number: int


Found = tuple[list[MemberStay], int | None]  # some stays, and the key that leads on; None at the end


@dataclass(frozen=True)
class Shown:
    """A member as a row of the list."""

    person_id: int
    distinct_id: str
    email: str
    name: str
    properties: dict[str, str]
    entered_at: int
    entry_number: int


@dataclass(frozen=True)
class Listing:
    """A page of members; `key` leads to the next one, None at the end. `columns` are property names."""

    rows: Sequence[Shown]
    key: int | None = None
    columns: list[str] = field(default_factory=list)


def now_in(db: Connection, cohort: int, after: int) -> Listing:
    rows = members.page(db, cohort, after, SHOWN + 1)
    shown, last = split(rows, SHOWN)
    key = last.person_id if last else None
    return listing([shape(row, row.person_id, row.entered_at, row.entry_number) for row in shown], key)


def entered_since(db: Connection, cohort: Cohort, since: int, before: int) -> Listing:
    """Members whose present stay began at `since` or later, the newest first. `before` is a number of the log, whose
    numbers have no gaps (S11); 0 for the first page."""
    stays, key = _have_entered(db, cohort, since, before, SHOWN)
    return listing(people(db, stays), key)


def _have_entered(db: Connection, cohort: Cohort, since: int, before: int, most: int) -> Found:
    bound = db.execute(_BOUND, {"cohort": cohort.id, "since": since, "started": since - 31 * DAY}).scalar()
    before = min(before or AFTER_ALL, cohort.change_count + 1)
    if bound is None or bound >= before:
        return [], None
    first = max(bound, before - EXAMINED)
    values = {"cohort": cohort.id, "first": first, "before": before, "since": since, "limit": most + 1}
    rows = db.execute(_ENTERED, values).all()
    shown, last = split(rows, most)
    key = last.number if last else first if first > bound else None
    return [MemberStay(row.person_id, row.at, row.entry_number) for row in shown], key


def as_of(db: Connection, cohort: Cohort, moment: int, after: int) -> Listing:
    """List who was a member at `moment`, with what happened in that very millisecond."""
    stays, key = _were_in(db, cohort, moment, after, SHOWN)
    return listing(people(db, stays), key)


def pieces_as_of(database: Database, cohort: Cohort, moment: int) -> Iterator[Sequence[Any]]:
    """All who were members at `moment`, some at a time, as rows of `blueprints.members.COLUMNS`."""
    return _pieces(database, partial(_were_in, cohort=cohort, moment=moment, most=PIECE))


def pieces_entered_since(database: Database, cohort: Cohort, since: int) -> Iterator[Sequence[Any]]:
    """All whose present stay began at `since` or later, in the same way."""
    return _pieces(database, partial(_entered_before, cohort=cohort, since=since))


def _entered_before(db: Connection, cohort: Cohort, since: int, after: int) -> Found:
    return _have_entered(db, cohort, since, after, PIECE)


def _pieces(database: Database, stays_after: Callable[..., Found]) -> Iterator[Sequence[Any]]:
    key: int | None = 0
    while key is not None:
        rows, key = database.read(partial(_piece, stays_after=partial(stays_after, after=key)), may_lag=True)
        yield rows


def _piece(db: Connection, stays_after: Callable[[Connection], Found]) -> tuple[list[Any], int | None]:
    stays, key = stays_after(db)
    found = _profiles(db, stays)
    return [(*found[stay.person_id], stay.at, stay.entry_number) for stay in stays], key


def _were_in(db: Connection, cohort: Cohort, moment: int, after: int, most: int) -> Found:
    if moment < cohort.created_at:
        return [], None
    window = db.execute(_WINDOW, {"cohort": cohort.id, "after": after, "most": EXAMINED}).one()
    if not window.examined:
        return [], None
    values = {"cohort": cohort.id, "moment": moment, "after": after, "last": window.last, "limit": most + 1}
    rows = every(db.execute(_AS_OF, values), MemberStayThen)
    shown, last = split(rows, most)
    key = last.person_id if last else window.last if window.examined == EXAMINED else None
    return _stays_then(db, cohort.id, shown), key


def _stays_then(db: Connection, cohort: int, rows: Sequence[MemberStayThen]) -> list[MemberStay]:
    """The stays of that time; of those who came back since, as the log has them."""
    numbers = [row.number for row in rows if row.number is not None]
    found = db.execute(_CHANGES, {"cohort": cohort, "numbers": numbers}).all() if numbers else []
    earlier = {row.person_id: MemberStay(row.person_id, row.at, row.entry_number) for row in found}
    return [earlier.get(row.person_id) or MemberStay(row.person_id, row.entered_at, row.entry_number) for row in rows]


def _profiles(db: Connection, stays: Sequence[MemberStay]) -> dict[int, Profile]:
    """The rows of these people by id; one statement, none for nobody."""
    if not stays:
        return {}
    found = every(db.execute(_PEOPLE, {"ids": [stay.person_id for stay in stays]}), Profile)
    return {profile.id: profile for profile in found}


def people(db: Connection, stays: Sequence[MemberStay]) -> list[Shown]:
    """These stays as rows, in their order; one statement."""
    if not stays:
        return []
    found = _profiles(db, stays)
    return [shape(found[stay.person_id], stay.person_id, stay.at, stay.entry_number) for stay in stays]


def listing(rows: Sequence[Shown], key: int | None) -> Listing:
    names = Counter(name for row in rows for name in row.properties)
    return Listing(rows, key, [name for name, _count in names.most_common(PROPERTY_COLUMNS)])


def shape(row: Profile | MemberRow, person_id: int, entered_at: int, entry_number: int) -> Shown:
    properties = {name: _written(value) for name, value in json.loads(row.properties).items() if value is not None}
    name = " ".join(filter(None, (row.first_name, row.last_name)))
    return Shown(person_id, row.distinct_id, row.email or "", name, properties, entered_at, entry_number)


def _written(value: Any, longest: int = 40) -> str:
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return written if len(written) <= longest else f"{written[: longest - 1]}…"


def start_of(since: str, now: int, zone: Zone) -> int:
    """When a stretch of SINCE began; today begins at midnight of the zone."""
    return {"today": zone.start(zone.day(now)), "7d": now - 7 * DAY, "30d": now - 30 * DAY}[since]


def days_back(now: int, zone: Zone) -> dict[str, str]:
    """Dates in the zone that are often asked about, by their words."""
    back = {"Yesterday": 1, "A week ago": 7, "30 days ago": 30}
    return {word: str(zone.day(now) - timedelta(days=days)) for word, days in back.items()}


def moment_of(given: str, zone: Zone) -> int | None:
    """Read a moment, or a date, whose end it means, in the zone, in milliseconds since 1970; None where it is neither,
    or nobody could write it."""
    try:
        there = datetime.fromisoformat(given).replace(tzinfo=None)
        moment = _end_of(there.date(), zone) if is_date(given) else zone.moment(there)
        zone.written(moment), utc(moment)
    except (ValueError, OverflowError):
        return None
    return moment


def _end_of(day: date, zone: Zone) -> int:
    return (zone.start(day) + DAY if day == date.max else zone.start(day + timedelta(days=1))) - 1


def is_date(given: str) -> bool:
    """Whether it is a date alone, without a time."""
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True
