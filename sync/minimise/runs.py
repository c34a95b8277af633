"""Applying a connection's choice to what is stored: asked for by a person, or once a day for fields that have days.

`flask work` walks, in steps; any number of workers may run, and one that dies is followed by the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, insert, select, text, update

import models
from config.clock import DAY, MINUTE
from models.claims import Claim, Claims, Lease
from models.columns import columns_of
from models.database import Database
from models.encryption import Digest
from models.profile_choice import ProfileChoice, of_column
from sync.minimise.fields import Minimiser
from sync.minimise.steps import Place, Walk

LEASE = Lease(MINUTE)
CLAIMS = Claims("minimisation", "ended_at IS NULL")
MOST_COUNTED = 10_000  # people of a question
FIRST_STAYS = 2 * MOST_COUNTED  # where more people than that are seldom fewer
NOBODY = ""  # asks for the daily one

_NOTE = text(
    CLAIMS.update(
        "stage = :stage, cohort_id = :cohort_id, position = :position, seen = :seen, changed = :changed,"
        " claimed_until = :until"
    )
)
_END = text(CLAIMS.update("ended_at = :now, claimed_until = NULL"))
_COHORTS = """SELECT c.id FROM cohort c WHERE EXISTS (
    SELECT 1 FROM sync_session s WHERE s.cohort_id = c.id AND s.connection_id = :connection)"""
_STAYS = f"SELECT person_id FROM membership WHERE cohort_id IN ({_COHORTS})"  # noqa: S608
_PEOPLE = """SELECT count(*) FROM (SELECT DISTINCT person_id FROM ({stays}) s LIMIT {most}) m"""
_ALL_PEOPLE = text(_PEOPLE.format(stays=_STAYS, most=MOST_COUNTED + 1))
_FIRST_PEOPLE = text(_PEOPLE.format(stays=f"{_STAYS} LIMIT {FIRST_STAYS}", most=MOST_COUNTED + 1))
_REQUESTS = text("""
    SELECT count(*) FROM refused_request r JOIN failure f ON f.id = r.failure_id
    WHERE f.connection = (SELECT name FROM connection WHERE id = :connection)""")
_REJECTED = text("""
    SELECT coalesce(sum(rejected), 0) FROM sync_session WHERE connection_id = :connection AND rejected > 0""")
_WITH_DAYS = text("""
    SELECT c.id, c.keeps FROM connection c WHERE c.keeps IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM minimisation m WHERE m.connection_id = c.id AND m.who = '' AND m.asked_at > :since
            AND m.asked_at <= :now)""")
_FORGET_DAILY = text("DELETE FROM minimisation WHERE connection_id = :connection AND who = '' AND ended_at IS NOT NULL")


@dataclass(frozen=True)
class Minimisation:
    """One that was asked for; see `models.minimisations`. `seen` of the people were looked at so far."""

    id: int
    connection_id: int
    asked_at: int
    who: str
    choice: str
    stage: str
    cohort_id: int
    position: int
    seen: int
    changed: int
    ended_at: int | None


@dataclass(frozen=True)
class Extent:
    """What applying a choice would go through: people, at most MOST_COUNTED and one; rejected members; refused
    requests, which go as a whole."""

    people: int
    rejected: int
    requests: int


def extent(db: Connection, connection_id: int) -> Extent:
    """Count what a connection has brought that is stored.

    PostgreSQL reads every stay before it gives out the first of distinct people (1.4 s with a million), so that the
    first stays are looked at alone before all are.
    """

    def count(counted: TextClause) -> int:
        return int(db.execute(counted, {"connection": connection_id}).scalar_one())

    people = count(_FIRST_PEOPLE)
    if people <= MOST_COUNTED:
        people = count(_ALL_PEOPLE)
    return Extent(people, count(_REJECTED), count(_REQUESTS))


def ask(db: Connection, connection_id: int, choice: ProfileChoice, who: str, now: int) -> int:
    """Have a choice applied to what is stored, instead of one that is under way."""
    made = models.Minimisation
    under_way = (made.connection_id == connection_id, made.ended_at.is_(None), made.who != NOBODY)
    db.execute(update(made).where(*under_way).values(ended_at=now))
    return _begin(db, connection_id, choice, who, now)


def _begin(db: Connection, connection_id: int, choice: ProfileChoice, who: str, now: int) -> int:
    made = models.Minimisation
    values = {"connection_id": connection_id, "asked_at": now, "who": who, "choice": choice.stored() or "{}"}
    return db.execute(insert(made).values(values | Place().values).returning(made.id)).scalar_one()


def latest(db: Connection, connection_id: int) -> Minimisation | None:
    """Return the newest one that a person has asked for."""
    made = models.Minimisation
    asked = select(*columns_of(made, Minimisation)).where(made.connection_id == connection_id, made.who != NOBODY)
    row = db.execute(asked.order_by(made.id.desc()).limit(1)).one_or_none()
    return None if row is None else Minimisation(*row)


def ask_daily(db: Connection, now: int) -> int:
    """Have fields dropped whose days have passed, where that was not done for a day; return at how many connections."""
    asked = 0
    for row in db.execute(_WITH_DAYS, {"since": now - DAY, "now": now}).all():
        choice = of_column(row.keeps).only_days()
        if choice.days:
            db.execute(_FORGET_DAILY, {"connection": row.id})
            _begin(db, row.id, choice, NOBODY, now)
            asked += 1
    return asked


def work_once(database: Database, digest: Digest, clock: Callable[[], int], stops: Callable[[], bool]) -> bool:
    """Walk through one that waits, to its end or until we are to stop; whether there was one. Raises
    DatabaseUnavailable."""
    now = clock()
    due = database.read(lambda db: CLAIMS.due(db, LEASE, now), one_statement=True)
    if not due or database.write(lambda db: CLAIMS.claim(db, due[0], LEASE, now)) is None:
        return False
    claim = Claim(due[0], now + LEASE.length)
    known = database.read(lambda db: _by_id(db, claim.id))
    place: Place | None = Place(known.stage, known.cohort_id, known.position, known.seen, known.changed)
    while place is not None and place.stage and not stops():
        walk = Walk(known.connection_id, Minimiser(of_column(known.choice), digest), known.who == NOBODY, clock())
        place = _stepped(database, walk, place, claim)
    if place is not None:
        database.write(lambda db: _leave(db, claim, clock(), is_over=not place.stage))
    return True


def _stepped(database: Database, walk: Walk, place: Place, claim: Claim) -> Place | None:
    """Do a step and note it, in one transaction that leaves nothing of what went in the file; None where the claim is
    another worker's by now, and nothing was done."""
    until = walk.now + LEASE.length

    def step(db: Connection) -> Place | None:
        if not CLAIMS.renew(db, claim, until):
            return None
        after = walk.step(db, place)
        db.execute(_NOTE, {"id": claim.id, "claim": until, "until": until, **after.values})
        return after

    found = database.write_over(step)
    claim.until = until
    if found is not None and not found.stage:
        database.empty_log()
    return found


def _leave(db: Connection, claim: Claim, now: int, *, is_over: bool) -> None:
    if is_over:
        db.execute(_END, {**claim.values, "now": now})
    else:
        CLAIMS.release(db, claim)


def _by_id(db: Connection, number: int) -> Minimisation:
    made = models.Minimisation
    return Minimisation(*db.execute(select(*columns_of(made, Minimisation)).where(made.id == number)).one())
