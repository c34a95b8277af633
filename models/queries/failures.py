"""When a call was last taken: a failure from before that is over.

A cohort knows when its own last call was taken. A connection's is that of the cohorts whose newest session it brought.
The last use of a password says less: a call that was refused has used it as well.
"""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection, text

# Of each connection with a cohort: `connection_id`, and `at`, when its last call was taken.
LAST_TAKEN = """
    SELECT n.connection_id, max(c.last_call_at) AS at FROM cohort c
    JOIN sync_session n ON n.cohort_id = c.id AND n.number = c.session_count GROUP BY n.connection_id"""

_BY_NAME = text(f"SELECT k.name, t.at FROM ({LAST_TAKEN}) t JOIN connection k ON k.id = t.connection_id")  # noqa: S608


class Failure(Protocol):
    """What is asked of a failure: its connection's name, its last call, and the last of its cohort that was taken."""

    @property
    def connection(self) -> str | None: ...
    @property
    def last_at(self) -> int: ...
    @property
    def last_call_at(self) -> int | None: ...


def last_taken(db: Connection) -> dict[str, int]:
    """Return when the last call of each connection was taken, by the connection's name."""
    return {row.name: row.at for row in db.execute(_BY_NAME)}


def taken_since(failure: Failure, by_connection: Mapping[str, int]) -> int:
    """When a call of this failure's cohort, or of its connection where no cohort is known, was last taken; 0 for never.
    `by_connection` is what `last_taken` returns."""
    return failure.last_call_at or by_connection.get(failure.connection or "", 0)


def is_over(failure: Failure, by_connection: Mapping[str, int]) -> bool:
    """Whether a call like the one that failed has been taken since."""
    return taken_since(failure, by_connection) > failure.last_at
