"""PostgreSQL through a transaction pooler (PgBouncer and its like), which lends a server's session to each transaction.

What belongs to a session is refused there, lost, or left to whoever comes next: options at the start, SET, prepared
statements, locks of the session. So through a pooler time limits are set in every transaction, and the driver prepares
nothing. Without one both are the session's, which costs a page no statement.

A pooler says nothing of itself. It is found by what it does: it refuses options at the start, or it ignores them, or it
tells another process id than the server that answers.
"""

from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from models.silence import ListeningConnection

POOLED = "pooled"  # in the info of a connection: a pooler stands between it and the server
PATIENT = "patient"  # an execution option: statements may take as long as they need
NO_PREPARING = {"prepare_threshold": None}

_WHO_ANSWERS = """
    SELECT pg_backend_pid(), (SELECT setting FROM pg_settings WHERE name = 'lock_timeout')"""


class Connector:
    """How an engine connects. `limits` are the server's time limits by name, in seconds; `said` means that the address
    itself speaks of a pooler, so that nobody has to look for it."""

    def __init__(self, limits: dict[str, int], *, said: bool = False) -> None:
        self.found = said
        self._options = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
        self._lock_timeout = str(limits["lock_timeout"] * 1000)
        self._in_transaction = _set_local(limits)
        self._patiently = _set_local(limits | {"statement_timeout": 0, "idle_in_transaction_session_timeout": 0})

    def attach(self, engine: Engine) -> None:
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", self._limit)

    def _connect(
        self, _dialect: Dialect, record: ConnectionPoolEntry, arguments: tuple[Any, ...], parameters: dict[str, Any]
    ) -> Any:
        if not self.found:
            direct = self._direct(arguments, parameters)
            if direct is not None:
                return direct
            self.found = True
        record.info[POOLED] = True
        return ListeningConnection.connect(*arguments, **(parameters | NO_PREPARING))

    def _direct(self, arguments: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
        """A connection to the server itself; None where there is a pooler."""
        theirs = parameters.get("options", "")
        options = f"{self._options} {theirs}".rstrip()
        try:
            connection: Any = ListeningConnection.connect(*arguments, **(parameters | {"options": options}))
        except psycopg.OperationalError as error:
            if _refuses_options(error):
                return None
            raise
        if self._answers_itself(connection, keeps_limits=not theirs):
            return connection
        connection.close()
        return None

    def _answers_itself(self, connection: psycopg.Connection, *, keeps_limits: bool) -> bool:
        connection.autocommit = True
        process, lock_timeout = connection.execute(_WHO_ANSWERS).fetchone() or (0, "")
        connection.autocommit = False
        is_server = process == connection.info.backend_pid
        return is_server and (lock_timeout == self._lock_timeout or not keeps_limits)

    def _limit(self, connection: Connection) -> None:
        """Through a pooler: the limits of the transaction that begins. They go as one message."""
        if not connection.info.get(POOLED):
            return
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            cursor = connection.connection.cursor()
            cursor.execute(self._patiently if options.get(PATIENT) else self._in_transaction)
            cursor.close()


def _set_local(limits: dict[str, int]) -> str:
    return "; ".join(f"SET LOCAL {name} = '{seconds}s'" for name, seconds in limits.items())


def _refuses_options(error: psycopg.Error) -> bool:
    """Whether a pooler refused to start because of our options (the words of PgBouncer, Neon, pgcat and Odyssey)."""
    said = str(error).lower()
    return "startup parameter" in said or "options" in said or "start-up parameter" in said
