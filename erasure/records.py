"""The proof of each erasure: a row that is written last, by which whoever has the id can tell that it was erased."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from security.secrets import keyed_digest

PURPOSE = "erasure"

_COLUMNS = "id, asked_at, erased_at, who, project_id, counts"
_BEGIN = text("""
    INSERT INTO erasure (asked_at, who, project_id, digest, counts) VALUES (:now, :who, :project_id, :digest, '{}')
    ON CONFLICT (digest) WHERE erased_at IS NULL DO NOTHING""")
_OPEN = text("SELECT id FROM erasure WHERE digest = :digest AND erased_at IS NULL")
_LOCK = {
    "sqlite": text("SELECT counts FROM erasure WHERE id = :id"),
    "postgresql": text("SELECT counts FROM erasure WHERE id = :id FOR UPDATE"),
}
_COUNT = text("UPDATE erasure SET counts = :counts WHERE id = :id")
_END = text("UPDATE erasure SET erased_at = :now WHERE id = :id AND erased_at IS NULL")
_ONE = text(f"SELECT {_COLUMNS} FROM erasure WHERE id = :id")  # noqa: S608 - our own columns
_OF = text(f"SELECT {_COLUMNS} FROM erasure WHERE digest = :digest ORDER BY id DESC")  # noqa: S608
_BEFORE = text(f"SELECT {_COLUMNS} FROM erasure WHERE id < :before ORDER BY id DESC LIMIT :limit")  # noqa: S608


@dataclass(frozen=True)
class DataSubject:
    """Whom an erasure is about, by Mixpanel's ids."""

    project_id: str
    distinct_id: str

    def digest(self, key: str) -> bytes:
        """Return what is kept of the id: nobody can read it back, and nobody can compute it without the relay's key."""
        return keyed_digest(key, PURPOSE, json.dumps([self.project_id, self.distinct_id]))


@dataclass(frozen=True)
class Erasure:
    """One erasure; `counts` is what went, by kind. `erased_at` is None where it was interrupted."""

    id: int
    asked_at: int
    erased_at: int | None
    who: str
    project_id: str
    counts: dict[str, int]


def open_for(db: Connection, person: DataSubject, key: str, who: str, now: int) -> int:
    """Return the erasure of this person that is not through yet, made where there is none."""
    digest = person.digest(key)
    db.execute(_BEGIN, {"now": now, "who": who, "project_id": person.project_id, "digest": digest})
    return int(db.execute(_OPEN, {"digest": digest}).scalar_one())


def is_open(db: Connection, person: DataSubject, key: str) -> bool:
    """Tell whether an erasure of this person was interrupted."""
    return db.execute(_OPEN, {"digest": person.digest(key)}).scalar_one_or_none() is not None


def lock(db: Connection, erasure_id: int) -> dict[str, int]:
    """Return the counts of an erasure so far, and lock them until the transaction ends."""
    found: dict[str, int] = json.loads(db.execute(_LOCK[db.dialect.name], {"id": erasure_id}).scalar_one())
    return found


def add(db: Connection, erasure_id: int, went: Mapping[str, int]) -> None:
    """Count what has gone, in the transaction in which it goes."""
    counts = lock(db, erasure_id)
    for kind, rows in went.items():
        if rows:
            counts[kind] = counts.get(kind, 0) + rows
    db.execute(_COUNT, {"id": erasure_id, "counts": json.dumps(counts)})


def end(db: Connection, erasure_id: int, now: int) -> bool:
    """Return the proof; whether it was this call that gave it."""
    return db.execute(_END, {"id": erasure_id, "now": now}).rowcount == 1


def by_id(db: Connection, erasure_id: int) -> Erasure | None:
    row = db.execute(_ONE, {"id": erasure_id}).one_or_none()
    return None if row is None else _erasure(row)


def of(db: Connection, person: DataSubject, key: str) -> list[Erasure]:
    """Return every erasure of this person, the newest first."""
    return [_erasure(row) for row in db.execute(_OF, {"digest": person.digest(key)})]


def listed(db: Connection, before: int, limit: int) -> list[Erasure]:
    """Return the newest first, from before an id on."""
    return [_erasure(row) for row in db.execute(_BEFORE, {"before": before, "limit": limit})]


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(**row._asdict() | {"counts": json.loads(row.counts)})
