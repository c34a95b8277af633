"""Calls that we refused or could not apply, kept for the operator without member data (P29, P30)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from config.clock import HOUR, MINUTE
from models.database import Database, DatabaseUnavailable

MOST_AN_HOUR = 500  # rows of one connection

_REPEAT = text("""
    UPDATE failure SET count = count + 1, last_at = :at
    WHERE id = (SELECT max(id) FROM failure WHERE at > :since AND status = :status AND cause = :cause
            AND coalesce(connection, '') = coalesce(:connection, '')
            AND coalesce(cohort_id, '') = coalesce(:cohort_id, '')
            AND coalesce(project_id, '') = coalesce(:project_id, ''))""")

_INSERT = text("""
    INSERT INTO failure (at, last_at, count, connection, project_id, cohort_id, action, status, cause, message,
        request_id, body_bytes, traceback)
    VALUES (:at, :at, 1, :connection, :project_id, :cohort_id, :action, :status, :cause, :message, :request_id,
        :body_bytes, :traceback) RETURNING id""")
_KEEP_REQUEST = text("INSERT INTO refused_request (failure_id, sealed) VALUES (:id, :sealed)")


_EXISTS = text("SELECT 1 FROM connection WHERE name = :connection")
_ROWS = text("SELECT count(*) FROM failure WHERE at > :since AND connection = :connection")


@dataclass(frozen=True)
class Refusal:
    """A failure to be kept; see `models.failures.Failure`. Where `is_signed_in` is false anybody may have called: then
    `connection` is what they said, and nothing else of what they said is kept. `seal` gives the sealed request, where
    it is to be kept; it is only asked where the failure makes a row."""

    at: int
    status: int
    cause: str
    message: str
    request_id: str
    connection: str | None = None
    project_id: str | None = None
    cohort_id: str | None = None
    action: str | None = None
    body_bytes: int | None = None
    traceback: str | None = None
    is_signed_in: bool = True
    seal: Callable[[], bytes] | None = None


class FailureLog:
    """Keeps failures; those that the database itself caused wait in memory until it is back, the newest 1,000."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Refusal] = deque(maxlen=1000)

    def keep(self, refusal: Refusal) -> None:
        self._waiting.append(refusal)
        if refusal.cause != "database_unavailable":  # do not make the call wait for it twice
            self.flush()

    def flush(self) -> None:
        """Write what waits, if the database can be written. Several threads may."""
        while True:
            try:
                refusal = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._database.write(lambda db, r=refusal: _write(db, r))  # type: ignore[misc]
            except DatabaseUnavailable:
                self._waiting.appendleft(refusal)
                return

    def __bool__(self) -> bool:
        return bool(self._waiting)


def _write(db: Connection, refusal: Refusal) -> None:
    """Write a failure, or count a repeat on the row that is there. So nobody without an account makes more rows than
    there are causes and connections (in an hour, and in a minute), and no connection more than MOST_AN_HOUR and a few.
    """
    if not refusal.is_signed_in:
        refusal = _named_by_us(db, refusal)
    fold = MINUTE if refusal.connection else HOUR
    if _repeats(db, refusal, fold):
        return
    if refusal.cohort_id and _has_many(db, refusal):
        refusal, fold = replace(refusal, project_id=None, cohort_id=None), HOUR
        if _repeats(db, refusal, fold):
            return
    number = db.execute(_INSERT, vars(refusal)).scalar_one()
    if refusal.seal is not None:
        db.execute(_KEEP_REQUEST, {"id": number, "sealed": refusal.seal()})


def _named_by_us(db: Connection, refusal: Refusal) -> Refusal:
    """Return the refusal without a name that no connection has: it would be a stranger's own text."""
    exists = refusal.connection and db.execute(_EXISTS, {"connection": refusal.connection}).first()
    return refusal if exists else replace(refusal, connection=None)


def _repeats(db: Connection, refusal: Refusal, fold: int) -> bool:
    return db.execute(_REPEAT, {**vars(refusal), "since": refusal.at - fold}).rowcount > 0


def _has_many(db: Connection, refusal: Refusal) -> bool:
    values = {"since": refusal.at - HOUR, "connection": refusal.connection}
    return int(db.execute(_ROWS, values).scalar_one()) >= MOST_AN_HOUR
