"""A database that keeps nothing: what would be transactions of their own are parts of one, which is rolled back.

For tests that play thousands of histories with one worker: each begins in the same tables, and none waits for a commit.
Whatever raises within a part ends the whole, so that nobody sees a half of it.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection

from models.database import Database

T = TypeVar("T")
PLAYED = count()


def played(kept: Database, play: Callable[[Database], None]) -> None:
    """Play on a database of which nothing stays."""

    def whole(db: Connection) -> None:
        if kept.dialect == "postgresql":
            _prepare(db)
        try:
            play(_Unkept(kept, db))
        finally:
            _roll_back(db)

    if kept.dialect == "postgresql" and next(PLAYED) % 50 == 0:
        _vacuum(kept)
    kept.write(whole)


class _Unkept(Database):
    """`read` and `write` over one connection whose transaction has begun."""

    def __init__(self, kept: Database, connection: Connection) -> None:
        super().__init__(kept.reader, kept.writer)
        self._connection = connection
        self._broken = False

    def read(self, work: Callable[[Connection], T], **_options: Any) -> T:
        return self._part(work)

    def write(self, work: Callable[[Connection], T], **_options: Any) -> T:
        return self._part(work)

    def empty_log(self) -> bool:
        return True  # nothing of it is in there

    def _part(self, work: Callable[[Connection], T]) -> T:
        assert not self._broken, "a part has failed before"
        try:
            return work(self._connection)
        except BaseException:
            self._broken = True
            raise


def _vacuum(kept: Database) -> None:
    """What was rolled back lies in the tables like what was deleted, and not every server cleans up by itself."""
    with kept.writer.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")


def _prepare(db: Connection) -> None:
    """Statements are planned once: planning them is two thirds of what PostgreSQL does for tables that are nearly
    empty."""
    driver = db.connection.dbapi_connection
    driver.prepare_threshold, driver.prepared_max = 0, None
    db.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")


def _roll_back(db: Connection) -> None:
    """The driver forgets what it has prepared where it sees a rollback: a table may be gone. Here none is."""
    if db.dialect.name == "postgresql":
        db.connection.dbapi_connection.pgconn.exec_(b"ROLLBACK")
    db.get_transaction().rollback()
