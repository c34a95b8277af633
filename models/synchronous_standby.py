"""Commits of PostgreSQL that wait for a synchronous standby which does not answer.

Such a commit waits without an end, with its locks held, and no time limit of the server ends it. To end it from outside
would be worse: it counts as done then, and the next call would be answered by what may be lost with the primary. So
whoever waits is let go, the commit waits on by itself, and meanwhile nobody begins another one: each would take a
connection of the server with it.
"""

import psycopg
from sqlalchemy import Connection, text

LONGEST = 3  # seconds that a commit may wait for its standby

_WAITS = f"""wait_event = 'SyncRep' AND datname = current_database()
    AND query_start < clock_timestamp() - interval '{LONGEST} seconds'"""
_IS_AWAITED = text(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {_WAITS})")  # noqa: S608 - no value of anybody's
# Through a pooler nobody knows the server's process that works for us.
_WAITS_FOR_US = f"""
    SELECT FROM pg_stat_activity
    WHERE {_WAITS} AND (pid = %(ours)s OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %(ours)s))"""  # noqa: S608
# Of what is no loss: a commit that is kept by the primary alone.
LOCALLY = text("SET LOCAL synchronous_commit = local")


class CommitWaits(psycopg.OperationalError):
    """A commit was left to wait for its standby. Whether it will hold is not known."""


def is_awaited(connection: Connection) -> bool:
    """Return whether a commit of this database, anybody's, has waited for too long; False on SQLite."""
    return connection.dialect.name == "postgresql" and bool(connection.execute(_IS_AWAITED).scalar_one())


def has_our_commit_waiting(connection: psycopg.Connection, process: int) -> bool:
    """Return whether the server's process `process` waits for a standby, asked on another connection than its own."""
    return connection.execute(_WAITS_FOR_US, {"ours": process}).fetchone() is not None


def commit_locally(connection: Connection) -> None:
    """Let the transaction that has begun wait for no standby; on SQLite there is none."""
    if connection.dialect.name == "postgresql":
        connection.execute(LOCALLY)
