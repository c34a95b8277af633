"""A copy of the SQLite database, made while it is in use, and the way back (SQLite's online backup)."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from models.database import DatabaseUnavailable

PATIENCE = 30  # seconds for others to let go of the file


class NoBackup(Exception):
    """The file is no copy of this app's database, or a damaged one."""


def copy(source: Path, target: Path, *, alone: bool = False) -> None:
    """All of `source` into `target`, as of one moment; what `target` held before is gone in one transaction. `alone`
    makes it a single file, with nothing beside it.

    Raises DatabaseUnavailable where one of them stays locked.
    """
    with closing(sqlite3.connect(source, timeout=PATIENCE)) as original, closing(_opened(target)) as copy:
        try:
            # In one step: WAL lets writers go on, and a copy in steps would start over at each page.
            original.backup(copy)
            if alone:
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise DatabaseUnavailable(f"the copy did not come about ({error.sqlite_errorname})") from error


def revision_of(path: Path, *, thorough: bool = False) -> str:
    """The revision of the tables in a copy that nobody else has open; `thorough` looks at every index as well. Raises
    NoBackup."""
    check = "PRAGMA integrity_check(1)" if thorough else "PRAGMA quick_check(1)"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)) as db:
            (sound,) = db.execute(check).fetchone()
            (revision,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, TypeError):
        raise NoBackup("It is no copy of Cohort Relay's database.") from None
    if sound != "ok":
        raise NoBackup("The copy is damaged.")
    return str(revision)


def _opened(path: Path) -> sqlite3.Connection:
    """Whoever sees the database sees everything that is in it: nobody else may read the file."""
    path.touch(mode=0o600)
    return sqlite3.connect(path, timeout=PATIENCE)
