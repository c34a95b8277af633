"""Claims: which of several workers works on a row. One protocol for every table whose rows wait for a worker.

    claim    an UPDATE that changes a row only where it is free: whoever changes it works on it
    look     or first a look at the free rows, locked, where what is claimed depends on what they say
    renew    put off the end of the claim, at each step of long work
    release  leave the row to whoever comes next
    end      write what came of the work, by an `update` of the table's own columns

`claimed_until` says, in milliseconds since 1970, until when a row is somebody's; null is nobody's. A worker that dies
leaves a claim that runs out by itself: at that millisecond the row is free again. A worker that only slept may wake
when another one has its row. So whatever is done under a claim changes the row only while it holds the value that the
claim wrote, and tells whether it did.

Clocks may be set back. A `claimed_until` further ahead than any claim reaches was written before that, and the row is
free.

Nothing here begins or commits: it runs inside `Database.write`, and each step is one statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from models.statement import Statement

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Lease:
    """`length` is how long a claim holds, in milliseconds; `furthest` how far ahead a `claimed_until` can lie.

    0 stands for two lengths, because the clocks of two machines differ. It must be more where rows also wait by that
    column, say until a budget frees.
    """

    length: int
    furthest: int = 0

    def at(self, now: int) -> dict[str, int]:
        """Return the values `now`, `until` and `beyond` of a statement."""
        return {"now": now, "until": now + self.length, "beyond": now + (self.furthest or 2 * self.length)}


@dataclass
class Claim:
    """A row that is ours while its `claimed_until` is `until`. Whoever renews it sets that once it is committed."""

    id: int
    until: int

    @property
    def values(self) -> dict[str, int]:
        """Return the values of a statement that `Claims.update` makes."""
        return {"id": self.id, "claim": self.until}


class Claims:
    """The claims on the rows of one table.

    `waiting` is SQL: which rows are to be worked on. `sets` is what a claim changes beside `claimed_until`, and
    `returning` the columns that it returns. `proof` is the column that shows whose a row is: another one than
    `claimed_until` where several threads work under one claim and one of them renews it meanwhile; `sets` then gives
    it the value `:claim`.
    """

    def __init__(
        self,
        table: str,
        waiting: str,
        *,
        sets: str = "",
        returning: str = "id",
        order: str = "id",
        proof: str = "claimed_until",
    ) -> None:
        self.free = f"{waiting} AND (claimed_until IS NULL OR claimed_until <= :now OR claimed_until > :beyond)"
        self._table, self._proof = table, proof
        first = f"FROM {table} WHERE {self.free} ORDER BY {order} LIMIT :limit"
        claimed = f"claimed_until = :until{', ' if sets else ''}{sets}"
        self._due = text(f"SELECT id {first}")
        self._claim = text(f"UPDATE {table} SET {claimed} WHERE id = :id AND {self.free} RETURNING {returning}")  # noqa: S608
        look = f"SELECT {returning} {first}"
        self._look = {"sqlite": Statement(look), "postgresql": Statement(f"{look} FOR UPDATE SKIP LOCKED")}
        self._renew = text(self.update("claimed_until = :until"))
        self._release = text(self.update("claimed_until = NULL"))

    def update(self, sets: str, returning: str = "") -> str:
        """Return SQL that changes a row under its claim, and no row where that is another worker's by now. It takes the
        values `id` and `claim` beside those of `sets`."""
        tail = f" RETURNING {returning}" if returning else ""
        return f"UPDATE {self._table} SET {sets} WHERE id = :id AND {self._proof} = :claim{tail}"  # noqa: S608

    def due(self, db: Connection, lease: Lease, now: int, limit: int = 1) -> Sequence[int]:
        """Return the ids of the first free rows. Another worker may be faster: only `claim` says whose they are."""
        return db.execute(self._due, {**lease.at(now), "limit": limit}).scalars().all()

    def claim(
        self, db: Connection, row_id: int, lease: Lease, now: int, values: Values | None = None
    ) -> Row[Any] | None:
        """Claim a row until `now` and the lease's length; None where it is not free. `values` are those of `sets`."""
        return db.execute(self._claim, {**(values or {}), **lease.at(now), "id": row_id}).one_or_none()

    def look(
        self, db: Connection, limit: int, lease: Lease, now: int, values: Values | None = None
    ) -> list[tuple[Any, ...]]:
        """Return `returning` of the first free rows in their order, locked for this transaction: what it writes to
        `claimed_until` of some of them claims these."""
        statement = self._look[db.dialect.name]
        return statement.all(db, {**(values or {}), **lease.at(now), "limit": limit})

    def renew(self, db: Connection, claim: Claim, until: int) -> bool:
        """Put off the end of the claim; False where the row is another worker's by now."""
        return db.execute(self._renew, {**claim.values, "until": until}).rowcount == 1

    def release(self, db: Connection, claim: Claim) -> bool:
        """Free the row; False where it is another worker's by now."""
        return db.execute(self._release, claim.values).rowcount == 1
