"""Where a page reads: at a replica, if there is one, but for whoever has just changed something."""

from collections.abc import Callable
from typing import TypeVar

from flask import g, session
from sqlalchemy import Connection

from config.clock import SECOND
from models.replica import MOST_BEHIND
from runtime import current_runtime
from security.sign_in_guard import CHANGED

T = TypeVar("T")


def read(work: Callable[[Connection], T], *, one_statement: bool = False) -> T:
    """Return what `work` returns, for a page that may be some seconds old and says so at its foot. Raises
    DatabaseUnavailable."""
    database, may_lag = current_runtime().database, not _has_just_changed()
    if may_lag and database.replica is not None and database.replica.follows():
        g.read_behind = round(database.replica.behind or 0)
    return database.read(work, one_statement=one_statement, may_lag=may_lag)


def _has_just_changed() -> bool:
    at = session.get(CHANGED, 0)
    return isinstance(at, int) and current_runtime().clock() - at < MOST_BEHIND * SECOND
