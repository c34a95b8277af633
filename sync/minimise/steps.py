"""One step through what a connection has brought: some people, some pages with rejected members, some refused requests.

Each step is a transaction of its own, in which it also notes where to go on. People are read under their cohort's lock,
which every page takes first, and in the order in which pages lock them.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

import models
from config.clock import DAY
from models.sessions import SyncPage, SyncSession
from sync.apply import cohorts
from sync.contract.profile import FIELDS, Profile
from sync.minimise.fields import Minimiser
from sync.minimise.page import without_members

STEP = 1000  # people
SESSIONS = 5  # with rejected members, of which a session keeps at most 10,000
REQUESTS = 500
NO_DIGEST = 0  # of no member object, so that the next page looks at the person

_NEXT_COHORT = text("""
    SELECT c.id FROM cohort c
    WHERE c.id > :after AND EXISTS (SELECT 1 FROM sync_session s
        WHERE s.cohort_id = c.id AND s.connection_id = :connection)
    ORDER BY c.id LIMIT 1""")
_IDS = text("""
    SELECT person_id FROM membership WHERE cohort_id = :cohort AND person_id > :position
    ORDER BY person_id LIMIT :step""")
_WRITE = (
    update(models.Person)
    .where(models.Person.id == bindparam("person"), models.Person.distinct_id == bindparam("who"))
    .values({name: bindparam(name) for name in (*FIELDS, "properties", "digest")})
)
_BLANK_REJECTED = (
    update(SyncPage)
    .where(SyncPage.session_id == bindparam("session"), SyncPage.page == bindparam("number"))
    .values(rejected_members=bindparam("kept"))
)
_FORGET = text("""
    DELETE FROM refused_request WHERE failure_id IN (
        SELECT r.failure_id FROM refused_request r JOIN failure f ON f.id = r.failure_id
        WHERE f.connection = (SELECT name FROM connection WHERE id = :connection) LIMIT :step)""")


@dataclass(frozen=True)
class Place:
    """How far it has come: `seen` and `changed` count people. An empty `stage` is the end."""

    stage: str = "people"
    cohort_id: int = 0
    position: int = 0
    seen: int = 0
    changed: int = 0

    @property
    def values(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Walk:
    """Whose, how, when. One that is `daily` only drops what has been kept for its days."""

    connection_id: int
    minimiser: Minimiser
    daily: bool
    now: int

    def step(self, db: Connection, place: Place) -> Place:
        """Do the next step. Return where to go on."""
        if place.stage == "people":
            return self._people(db, place)
        return self._pages(db, place) if place.stage == "pages" else self._requests(db, place)

    def _people(self, db: Connection, place: Place) -> Place:
        if not place.cohort_id:
            return self._next_cohort(db, place)
        cohort = cohorts.lock_by_id(db, place.cohort_id)
        values = {"cohort": cohort.id, "position": place.position, "step": STEP}
        ids = list(db.execute(_IDS, values).scalars())
        changed = self._rewrite(db, ids)
        if changed:
            cohort.version += 1
            cohorts.save(db, cohort)
        after = replace(place, seen=place.seen + len(ids), changed=place.changed + changed)
        return replace(after, position=ids[-1]) if len(ids) == STEP else self._next_cohort(db, after)

    def _next_cohort(self, db: Connection, place: Place) -> Place:
        values = {"after": place.cohort_id, "connection": self.connection_id}
        found = db.execute(_NEXT_COHORT, values).scalar_one_or_none()
        if found is not None:
            return replace(place, cohort_id=found, position=0)
        return replace(place, stage="" if self.daily else "pages", cohort_id=0, position=0)

    def _rewrite(self, db: Connection, ids: list[int]) -> int:
        """Write the people of these ids of whom less is to be kept; return how many. When a profile was written stays
        as it is: the days of its other fields are counted from there."""
        person = models.Person
        wanted = (
            person.id,
            person.distinct_id,
            *(getattr(person, field) for field in FIELDS),
            person.properties,
            person.updated_at,
        )
        rows = db.execute(
            select(*wanted, person.digest)
            .where(person.id.in_(ids), person.erased_at.is_(None))
            .order_by(person.distinct_id)
            .with_for_update()
        ).all()
        changed = []
        for row in rows:
            stored = Profile((row.email, row.first_name, row.last_name, row.phone_number), row.properties)
            kept = self.minimiser.stored(stored, (self.now - row.updated_at) // DAY)
            if kept != stored:
                fields = dict(zip(FIELDS, kept.fields, strict=True))
                digest = row.digest if self.daily else NO_DIGEST
                which = {"person": row.id, "who": row.distinct_id}  # its key with the column of docs/scaling.md
                changed.append(which | {"properties": kept.properties, "digest": digest} | fields)
        if changed:
            db.execute(_WRITE, changed)
        return len(changed)

    def _pages(self, db: Connection, place: Place) -> Place:
        """Blank what rejected members have shown of themselves."""
        of_connection = (SyncSession.connection_id == self.connection_id, SyncSession.rejected > 0)
        found = select(SyncSession.id).where(*of_connection, SyncSession.id > place.position)
        ids = list(db.execute(found.order_by(SyncSession.id).limit(SESSIONS)).scalars())
        pages = db.execute(
            select(SyncPage.session_id, SyncPage.page, SyncPage.rejected_members)
            .where(SyncPage.session_id.in_(ids), SyncPage.rejected > 0, SyncPage.rejected_members.is_not(None))
            .with_for_update()
        ).all()
        blanked = [
            {"session": row.session_id, "number": row.page, "kept": without_members(row.rejected_members)}
            for row in pages
        ]
        if blanked:
            db.execute(_BLANK_REJECTED, blanked)
        return replace(place, position=ids[-1]) if len(ids) == SESSIONS else replace(place, stage="requests")

    def _requests(self, db: Connection, place: Place) -> Place:
        gone = db.execute(_FORGET, {"connection": self.connection_id, "step": REQUESTS}).rowcount
        return place if gone == REQUESTS else replace(place, stage="")
