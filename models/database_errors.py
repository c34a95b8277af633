"""What an error of the database means: whether the same work may be tried at once, or later, and what is said of it."""

import sqlite3

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from models.synchronous_standby import CommitWaits

LONGEST_REASON = 600  # characters
AT_ONCE = 1.0  # seconds
RETRYABLE = {"40001", "40P01"}  # serialisation failure, deadlock
UNAVAILABLE_SQLITE = {5, 6, 8, 10, 13, 14}  # busy, locked, readonly, i/o error, full, cannot open
CLOSED_SQLITE = sqlite3.SQLITE_CONSTRAINT_TRIGGER  # see models.maintenance.close_for_writes


DISK_FULL = "53100"  # of PostgreSQL
NO_ANSWER = "does not answer"
NO_ROOM = "has no room left: its disk is full"
NO_STANDBY = "keeps nothing new: its synchronous standby does not answer"
UNTRUSTED = "has a certificate that is not to be trusted: it may have expired"


class ConnectionLost(psycopg.OperationalError):
    """The server ended this connection; another one may be had."""


class ReadOnly(ConnectionLost):
    """The server takes no writes any more; after a failover another one of the address does."""


def _original(error: Exception) -> BaseException:
    """Return the driver's error, whether it came by SQLAlchemy or by a Statement."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_lost(connection: Connection) -> bool:
    """Whether the server has ended this connection, and the pool does not know it."""
    if connection.invalidated:
        return False
    driver = connection.connection.driver_connection
    return isinstance(driver, psycopg.Connection) and driver.closed


def is_read_only(error: Exception) -> bool:
    """Whether the server takes no writes."""
    return getattr(_original(error), "sqlstate", None) == "25006"


def may_work_at_once(error: Exception, seconds: float) -> bool:
    """Whether the same work may be tried again now: after a deadlock, or where a pooled connection died while idle.
    That shows at once: a server that has gone silent shows after `seconds`, and a second wait for it would make the
    reply late. A new connection that was refused is not tried again."""
    original = _original(error)
    if getattr(original, "sqlstate", None) in RETRYABLE:
        return True
    is_gone = isinstance(original, ConnectionLost) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    return is_gone and seconds < AT_ONCE


def is_unavailable(error: Exception) -> bool:
    """Whether the same work may do later, because the database is locked, full or out of reach."""
    original = _original(error)
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in UNAVAILABLE_SQLITE or code == CLOSED_SQLITE
    sqlstate = getattr(original, "sqlstate", None)
    if sqlstate is None:
        return isinstance(original, psycopg.OperationalError | psycopg.InterfaceError)
    # connection trouble, out of resources, operator intervention, system error, lock or serialisation
    return sqlstate[:2] in {"08", "53", "57", "58", "40", "55"} or sqlstate == "25006"


def code_of(error: Exception) -> str:
    """Return the driver's class and code; never its text, which may hold values."""
    original = _original(error)
    if getattr(original, "sqlite_errorcode", None) == CLOSED_SQLITE:
        return "closed for writing, because it has moved to PostgreSQL"
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or "no connection"
    return f"{type(original).__name__} ({code})"


def trouble_of(error: Exception) -> str:
    """Return what is the matter with the database in a few words for everybody: what follows "The database"."""
    original = _original(error)
    if getattr(original, "sqlstate", None) == DISK_FULL or _sqlite_code(original) == sqlite3.SQLITE_FULL:
        return NO_ROOM
    if isinstance(original, CommitWaits):
        return NO_STANDBY
    if isinstance(original, psycopg.OperationalError) and "certificate verify failed" in str(original):
        return UNTRUSTED
    return NO_ANSWER


def _sqlite_code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF


def reason_of(error: Exception) -> str:
    """Return why a connection did not come about, in the words of the server or its client library; else nothing."""
    original = _original(error)
    if isinstance(original, ReadOnly):
        return "the server takes no writes; is it a standby?"
    if not isinstance(original, psycopg.OperationalError) or original.sqlstate or isinstance(original, ConnectionLost):
        return ""
    return " ".join(str(original).split())[:LONGEST_REASON]
