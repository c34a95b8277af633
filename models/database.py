"""The database discipline: the only place that begins and commits.

All reading goes through `Database.read`, all writing through `Database.write`. Both take a function of one
connection, because a function can be run again: a deadlock, a serialisation failure or a connection that died while
idle is retried here and nowhere else. Work inside must therefore have no effect but on the database.

SQLite allows one writer. Every write of the process goes through one connection behind one lock: waiting in our own
queue keeps the slowest page at 86 ms where SQLite's busy handler made it 790 ms, and the writer keeps its cache.
"""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase

from models import alter_lock
from models.database_errors import (
    NO_ANSWER,
    NO_ROOM,
    NO_STANDBY,
    ConnectionLost,
    ReadOnly,
    code_of,
    is_lost,
    is_read_only,
    is_unavailable,
    may_work_at_once,
    reason_of,
    trouble_of,
)
from models.engines import WAIT_SECONDS
from models.pooler import PATIENT, Connector
from models.replica import Replica
from models.statement import DRIVER_ERRORS
from models.synchronous_standby import is_awaited

T = TypeVar("T")

ATTEMPTS = 4


class Base(DeclarativeBase):
    """Constraints have names that a later migration can refer to, the same on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class DatabaseUnavailable(Exception):
    """The database is locked, full or out of reach; the same call may work later.

    `reason` is what the server or its client library said where it let nobody in, for operators alone: it names hosts,
    users and databases, never a password or a value. `trouble` is for everybody, and follows "The database".
    """

    def __init__(self, what: str, reason: str = "", trouble: str = NO_ANSWER) -> None:
        super().__init__(what)
        self.reason = reason
        self.trouble = trouble

    @property
    def told(self) -> str:
        """Return both in one line."""
        return f"{self}: {self.reason}" if self.reason else str(self)


class Database:
    """`read` and `write` over the app's engines. One object a process."""

    def __init__(
        self, reader: Engine, writer: Engine, connector: Connector | None = None, replica: Replica | None = None
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.replica = replica
        self._connector = connector
        self.dialect = writer.dialect.name
        self._queue = threading.Lock()
        self._writing: Connection | None = None
        self.is_full = False  # what was written last found no room
        self.commits_wait = False  # what was written last was left to wait for a standby
        # A single statement needs no transaction around it, which on PostgreSQL would be two more round trips.
        options = {} if self.dialect == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._glancer = reader.execution_options(**options)

    def read(self, work: Callable[[Connection], T], *, one_statement: bool = False, may_lag: bool = False) -> T:
        """Return what `work` returns. On SQLite all its statements see one moment, on PostgreSQL each sees its own.
        `one_statement` says that `work` runs only one, `may_lag` that what a replica has will do.

        Raises DatabaseUnavailable.
        """
        if may_lag and self.replica is not None and self.replica.follows():
            try:
                return self._attempt(self.replica.engine, work, None)
            except Exception:  # noqa: BLE001, S110 - whatever it has not got, or cannot answer, the primary says
                pass
        # Through a pooler a statement has its time limit from the transaction around it.
        alone = one_statement and not self.is_pooled
        return self._attempts(self._glancer if alone else self.reader, work)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler was found between us and PostgreSQL, as far as a connection was made."""
        return self._connector is not None and self._connector.found

    def write(self, work: Callable[[Connection], T], *, patience: float = WAIT_SECONDS) -> T:
        """Return what `work` returns, once its transaction is committed; it is rolled back where `work` raises.
        `patience` is how many seconds SQLite's other writers are waited for.

        Raises DatabaseUnavailable.
        """
        if self.commits_wait:
            self._look_for_standby()
        done = self._attempts(self.writer, work) if self.dialect != "sqlite" else self._alone(work, patience)
        self.is_full = False
        return done

    def _look_for_standby(self) -> None:
        """Raises DatabaseUnavailable while commits still wait."""
        self.commits_wait = self.read(is_awaited, one_statement=True)
        if self.commits_wait:
            raise DatabaseUnavailable("commits wait for a synchronous standby", trouble=NO_STANDBY)

    def alter(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, which changes the tables. One process at a time does so; the others wait for it
        and find nothing left to do. Statements may take as long as they need.

        On SQLite it is one transaction, in which a table may be made anew under those that refer to it. On PostgreSQL
        `work` gets a connection on which nothing has begun: Alembic commits migration by migration, so that an index
        can be built while pages arrive.

        Raises DatabaseUnavailable.
        """
        if self.dialect == "sqlite":
            return self._alone(work, alter_lock.SECONDS, referring=False)
        try:
            with self.writer.connect() as turn, self.writer.connect() as plain:
                connection = plain.execution_options(**{PATIENT: True})
                try:
                    alter_lock.take(turn)
                    alter_lock.be_patient(connection)
                    return work(connection)
                finally:
                    connection.invalidate()  # not for the pool: its settings end with it
        except alter_lock.Busy as error:
            raise DatabaseUnavailable(str(error)) from error
        except PoolTimeout as error:
            raise DatabaseUnavailable("no connection became free in time") from error
        except (DBAPIError, *DRIVER_ERRORS) as error:
            if is_unavailable(error):
                raise DatabaseUnavailable(code_of(error), reason_of(error)) from error
            raise

    def _alone(self, work: Callable[[Connection], T], seconds: float, *, referring: bool = True) -> T:
        """Write to SQLite. Wait so many seconds for the queue and for the file's lock together. `referring` says
        whether foreign keys are held meanwhile, which can only be changed between two transactions."""
        patient_until = time.monotonic() + seconds
        if not self._queue.acquire(timeout=seconds):
            raise DatabaseUnavailable("other writers did not finish in time")
        try:
            if not referring:
                _hold_references(self._only_writer(), "OFF")
            return self._attempts(self.writer, work, patient_until)
        finally:
            if not referring:
                _hold_references(self._only_writer(), "ON")
            self._queue.release()

    def write_over(self, work: Callable[[Connection], T]) -> T:
        """Write, and let SQLite overwrite with zeros what goes, instead of leaving it in the file as free space."""

        def thoroughly(connection: Connection) -> T:
            before = _overwrite(connection, "ON")
            try:
                return work(connection)
            finally:
                _overwrite(connection, before)

        return self.write(thoroughly if self.dialect == "sqlite" else work)

    def empty_log(self) -> bool:
        """Empty SQLite's write-ahead log, in which old versions of pages stand until then; False where a reader or
        another process holds it. PostgreSQL recycles its own.

        Raises DatabaseUnavailable.
        """
        if self.dialect != "sqlite":
            return True
        if not self._queue.acquire(timeout=WAIT_SECONDS):
            raise DatabaseUnavailable("other writers did not finish in time")
        try:
            cursor = self._only_writer().connection.cursor()
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        finally:
            self._queue.release()

    def dispose(self) -> None:
        if self._writing is not None:
            self._writing.close()
        self.reader.dispose()
        self.writer.dispose()
        if self.replica is not None:
            self.replica.engine.dispose()

    def _attempts(self, engine: Engine, work: Callable[[Connection], T], patient_until: float | None = None) -> T:
        began = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(engine, work, patient_until)
            except PoolTimeout as error:
                raise DatabaseUnavailable("no connection became free in time") from error
            except (DBAPIError, *DRIVER_ERRORS) as error:
                if attempt < ATTEMPTS and may_work_at_once(error, time.monotonic() - began):
                    time.sleep(0.01 * attempt)
                    continue
                if is_unavailable(error):
                    trouble = trouble_of(error)
                    self.is_full = self.is_full or trouble == NO_ROOM
                    self.commits_wait = self.commits_wait or trouble == NO_STANDBY
                    raise DatabaseUnavailable(code_of(error), reason_of(error), trouble) from error
                raise
        raise AssertionError("unreachable")

    def _attempt(self, engine: Engine, work: Callable[[Connection], T], patient_until: float | None) -> T:
        if patient_until is not None:
            connection = self._only_writer()
            _wait_for_lock(connection, patient_until - time.monotonic())
            with connection.begin():
                return work(connection)
        with engine.connect() as connection, nullcontext() if engine is self._glancer else connection.begin():
            try:
                return work(connection)
            except (DBAPIError, psycopg.Error) as error:
                # SQLAlchemy's pool does not hear by itself of a Statement's errors, nor of a server that was demoted.
                if is_lost(connection) or is_read_only(error):
                    connection.invalidate(error)
                    raise (ReadOnly if is_read_only(error) else ConnectionLost) from error
                raise

    def _only_writer(self) -> Connection:
        """Return SQLite's writing connection, which is never given back: taking it from the pool costs as much as two
        statements."""
        if self._writing is None or self._writing.closed:
            self._writing = self.writer.connect()
        return self._writing


def _wait_for_lock(connection: Connection, seconds: float) -> None:
    """Set how many seconds BEGIN waits while another process has the file (SQLite)."""
    connection.connection.cursor().execute(f"PRAGMA busy_timeout={max(0, round(seconds * 1000))}")


def _hold_references(connection: Connection, how: str) -> None:
    """Set whether SQLite holds foreign keys, ON or OFF; where it does, dropping a table deletes what refers to it."""
    connection.connection.cursor().execute(f"PRAGMA foreign_keys={how}").close()


def _overwrite(connection: Connection, how: str) -> str:
    """Set whether SQLite overwrites what goes; returns how it was, which depends on how SQLite was built."""
    cursor = connection.connection.cursor()
    (before,) = cursor.execute("PRAGMA secure_delete").fetchone()
    cursor.execute(f"PRAGMA secure_delete={how}").close()
    return ("OFF", "ON", "FAST")[before]
