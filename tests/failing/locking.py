"""Other sessions that hold what the app needs: a process that locks an SQLite file, a session that locks a row."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
db.execute("ROLLBACK")
"""


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Another process locks the SQLite database in `path` until the block ends."""
    command = [sys.executable, "-c", LOCKER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            process.stdin.close()


@contextmanager
def locked_cohort(url: str, cohort: str = "7") -> Iterator[None]:
    """Another session locks the cohort's row in PostgreSQL until the block ends."""
    with psycopg.connect(url) as db:
        db.execute("SELECT 1 FROM cohort WHERE mixpanel_cohort_id = %s FOR UPDATE", [cohort])
        yield
        db.rollback()
