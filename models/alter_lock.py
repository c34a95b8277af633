"""The turn of whoever changes PostgreSQL's tables: one process at a time, and as long as it needs."""

import time

from sqlalchemy import Connection

from models.pooler import POOLED

SECONDS = 600  # how long one process waits while another one changes the tables
LOCK = 0x636F686F7274  # of PostgreSQL's advisory locks, the one that changing the tables takes


class Busy(Exception):
    """Another process did not come to its end in time."""


def take(turn: Connection) -> None:
    """Wait for PostgreSQL's lock on changing the tables, and hold it for as long as this transaction lives: a session's
    lock would not survive a pooler. It is asked for again and again: a statement that waits would hold up an index that
    is built CONCURRENTLY, and that one the lock. A transaction that does nothing holds up neither."""
    patient_until = time.monotonic() + SECONDS
    while not _is_ours(turn):
        turn.rollback()
        if time.monotonic() > patient_until:
            raise Busy("another process is changing the tables")
        time.sleep(0.1)


def _is_ours(turn: Connection) -> bool:
    turn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    return bool(turn.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({LOCK})").scalar_one())


def be_patient(connection: Connection) -> None:
    """Let statements take as long as they need; through a pooler their transactions say so themselves."""
    if not connection.info.get(POOLED):
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.commit()
