"""A SQLite database that is closed for writing, because everything that is in it has moved elsewhere.

A trigger on every table refuses every change, by whichever process: a relay that still runs on it answers 503, so that
Mixpanel tries again until the relay runs on the other database. Reading goes on.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from models.database import db as tables

SENTENCE = "closed for writing, because it has moved to PostgreSQL"
_CHANGES = ("INSERT", "UPDATE", "DELETE")
_MARK = "closed_"
_TRIGGERS = text(
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 7) = 'closed_' ORDER BY name"
)


def close(db: Connection, names: Iterable[str] = ()) -> None:
    """No table takes a change any more; `models.database` raises DatabaseUnavailable instead. `names` are the tables
    that are there, this version's where none is named. Safe to repeat."""
    for table in tuple(names) or tables.metadata.tables:
        for change in _CHANGES:
            db.exec_driver_sql(
                f'CREATE TRIGGER IF NOT EXISTS "{_MARK}{table}_{change.lower()}" BEFORE {change} ON "{table}"'
                f" BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            )


def reopen(db: Connection) -> None:
    for name in db.execute(_TRIGGERS).scalars().all():
        db.exec_driver_sql(f'DROP TRIGGER "{name}"')


def is_closed(db: Connection) -> bool:
    """Whether this is a SQLite database that is closed for writing."""
    return db.dialect.name == "sqlite" and db.execute(_TRIGGERS).first() is not None
