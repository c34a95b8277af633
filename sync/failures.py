"""Calls that we refused or could not apply, kept for the operator without member data (P29, P30)."""

from collections import deque
from dataclasses import dataclass

from sqlalchemy import Connection, text

from models.database import Database, DatabaseUnavailable

FOLD = 60_000  # milliseconds within which repeats of one cause share a row

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
        :body_bytes, :traceback)""")


@dataclass(frozen=True)
class Refusal:
    """A failure to be kept; see `models.failures.Failure`."""

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
    if db.execute(_REPEAT, {**vars(refusal), "since": refusal.at - FOLD}).rowcount == 0:
        db.execute(_INSERT, vars(refusal))
