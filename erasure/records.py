"""The proof of each erasure: a row that is written last, by which whoever has the id can tell that it was erased."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

import models
from models.columns import columns_of
from models.insert_once import insert_once
from security.secrets import key_id, keyed_digests

PURPOSE = "erasure"


@dataclass(frozen=True)
class DataSubject:
    """Whom an erasure is about, by Mixpanel's ids."""

    project_id: str
    distinct_id: str

    def digests(self, keys: Sequence[str]) -> list[bytes]:
        """Return what is kept of the id under each key, that of now first: nobody can read it back, and nobody can
        compute it without the relay's key."""
        return keyed_digests(keys, PURPOSE, json.dumps([self.project_id, self.distinct_id]))


@dataclass(frozen=True)
class Erasure:
    """One erasure; `counts` is what went, by kind. `erased_at` is None where it was interrupted."""

    id: int
    asked_at: int
    erased_at: int | None
    who: str
    project_id: str
    counts: dict[str, int]


def open_for(db: Connection, person: DataSubject, keys: Sequence[str], who: str, now: int) -> int:
    """Return the erasure of this person that is not through yet, made where there is none."""
    digests = person.digests(keys)
    known = db.execute(_open(digests[1:])).scalar() if digests[1:] else None
    if known is not None:  # begun under an earlier key
        return known
    values = {"asked_at": now, "who": who, "project_id": person.project_id, "digest": digests[0], "counts": "{}"}
    values["key_id"] = key_id(keys[0])
    insert_once(db, models.Erasure, "digest", values, where=models.Erasure.erased_at.is_(None))
    return db.execute(_open(digests[:1])).scalar_one()


def is_open(db: Connection, person: DataSubject, keys: Sequence[str]) -> bool:
    """Tell whether an erasure of this person was interrupted."""
    return db.execute(_open(person.digests(keys))).first() is not None


def lock(db: Connection, erasure_id: int) -> dict[str, int]:
    """Return the counts of an erasure so far, and lock them until the transaction ends."""
    kept = select(models.Erasure.counts).where(models.Erasure.id == erasure_id).with_for_update()
    found: dict[str, int] = json.loads(db.execute(kept).scalar_one())
    return found


def add(db: Connection, erasure_id: int, went: Mapping[str, int]) -> None:
    """Count what has gone, in the transaction in which it goes."""
    counts = lock(db, erasure_id)
    for kind, rows in went.items():
        if rows:
            counts[kind] = counts.get(kind, 0) + rows
    db.execute(update(models.Erasure).where(models.Erasure.id == erasure_id).values(counts=json.dumps(counts)))


def end(db: Connection, erasure_id: int, now: int) -> bool:
    """Return the proof; whether it was this call that gave it."""
    is_open = (models.Erasure.id == erasure_id, models.Erasure.erased_at.is_(None))
    return db.execute(update(models.Erasure).where(*is_open).values(erased_at=now)).rowcount == 1


def by_id(db: Connection, erasure_id: int) -> Erasure | None:
    row = db.execute(_newest().where(models.Erasure.id == erasure_id)).one_or_none()
    return None if row is None else _erasure(row)


def of(db: Connection, person: DataSubject, keys: Sequence[str]) -> list[Erasure]:
    """Return every erasure of this person, the newest first."""
    return [_erasure(row) for row in db.execute(_newest().where(models.Erasure.digest.in_(person.digests(keys))))]


def listed(db: Connection, before: int, limit: int) -> list[Erasure]:
    """Return the newest first, from before an id on."""
    return [_erasure(row) for row in db.execute(_newest().where(models.Erasure.id < before).limit(limit))]


def _open(digests: list[bytes]) -> Select[int]:
    return select(models.Erasure.id).where(models.Erasure.digest.in_(digests), models.Erasure.erased_at.is_(None))


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(**row._asdict() | {"counts": json.loads(row.counts)})


def _newest() -> Select[Any]:
    return select(*columns_of(models.Erasure, Erasure)).order_by(models.Erasure.id.desc())
