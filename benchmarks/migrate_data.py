"""How long the move from SQLite to PostgreSQL takes, and what it takes: `flask migrate-data` as an operator runs it.

    python -m benchmarks.migrate_data [--people 1000000] [--postgresql postgresql://…/any_database]

Stores people in a few cohorts with a log of every entry and exit by raw SQL, moves them, and prints a table: rows of
each table, whether they are equal on both sides, seconds, rows a second and the highest resident memory. Exits 1 where
something is not equal. It makes databases of its own, and removes them.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil

from benchmarks import server, stored
from benchmarks.key import SECRET_KEY
from benchmarks.pages import PROJECT, distinct_ids
from sync import id_sets

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
AT = 1_750_000_000_000
PAGE = 1000
# Mixpanel's cohort id, and everybody whose number it divides is in it; of these, each tenth has left again.
COHORTS = {1: "Everybody", 2: "Half of them", 5: "A fifth", 100: "A few"}

_COHORT = """
    INSERT INTO cohort (id, project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
        change_count, newest_refresh, complete_refresh, created_at, first_synced_at, last_synced_at, last_call_at)
    VALUES (:id, :project, :id, :name, '', :members, 1, 2, :members + 2 * :gone, 1, 1, :at, :at, :at, :at)"""
_SESSION = """
    INSERT INTO sync_session (id, cohort_id, number, mixpanel_session_id, action, connection_id, status, unclear,
        total_pages, pages_received, received, entered, left_count, unchanged, rejected, replayed, first_change,
        last_change, started_at, last_page_at, completed_at)
    VALUES (2 * :id + :number - 1, :id, :number, 's' || :number, :action, 1, 'complete', 0, :pages, :pages, :rows,
        :entered, :gone, 0, 0, 0, :first, :last, :at, :at, :at)"""
_ENTRIES = """
    INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
    SELECT :id, row_number() OVER (ORDER BY id), id, 1, 1, 2 * :id, :at, 0 FROM person WHERE id % :id = 0"""
_EXITS = """
    INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
    SELECT :id, :all + row_number() OVER (ORDER BY number), person_id, 0, 1, 2 * :id + 1, :at, number
    FROM membership_change WHERE cohort_id = :id AND number % 10 = 0"""
_MEMBERS = """
    INSERT INTO membership (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
    SELECT :id, person_id, :at, CASE WHEN max(number) > :all THEN :at END, 1,
        CASE WHEN max(number) > :all THEN 2 ELSE 1 END, max(number)
    FROM membership_change WHERE cohort_id = :id GROUP BY person_id ORDER BY person_id"""
_PAGE = """
    INSERT INTO sync_page (session_id, page, body_digest, received, entered, left_count, unchanged, rejected, replays,
        applied, seen, received_at)
    VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 1, ?, ?)"""


def main() -> int:
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(description="The move from SQLite to PostgreSQL.")
    arguments.add_argument("--people", type=int, default=1_000_000)
    arguments.add_argument("--postgresql", default=POSTGRESQL, help="address of any database of the server")
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        stored.database("sqlite", Path(name), "") as here,
        stored.database("postgresql", Path(name), given.postgresql) as there,
    ):
        stored.fill(here, distinct_ids(given.people, 1))
        file = Path(here.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file)) as db, db:
            for number, words in COHORTS.items():
                cohort(db, number, words)
        print(f"{given.people:,} people in SQLite, {file.stat().st_size >> 20:,} MB", flush=True)
        report, seconds, memory = move(here, there, Path(name))
    show(report, seconds, memory)
    return 0 if report["equal"] and not report["unbalanced_cohorts"] else 1


def cohort(db: sqlite3.Connection, number: int, name: str) -> None:
    """One cohort after a refresh and a diff that removed each tenth."""
    (everybody,) = db.execute("SELECT count(*) FROM person WHERE id % ? = 0", [number]).fetchone()
    gone = everybody // 10
    pages = -(-everybody // PAGE)
    values = {"id": number, "project": PROJECT, "name": name, "at": AT, "all": everybody, "gone": gone}
    db.execute(_COHORT, values | {"members": everybody - gone})
    refresh = {"number": 1, "action": "members", "pages": pages, "rows": everybody, "entered": everybody, "gone": 0}
    diff = {"number": 2, "action": "remove_members", "pages": 1, "rows": gone, "entered": 0}
    db.execute(_SESSION, values | refresh | {"first": 1, "last": everybody})
    db.execute(_SESSION, values | diff | {"first": everybody + 1, "last": everybody + gone})
    for statement in (_ENTRIES, _EXITS, _MEMBERS):
        db.execute(statement, values)
    ids = [row[0] for row in db.execute("SELECT person_id FROM membership WHERE cohort_id = ?", [number])]
    named = (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
    rows = (
        (2 * number, page, os.urandom(16), len(one), len(one), id_sets.encode(one), AT)
        for page, one in enumerate(named, 1)
    )
    db.executemany(_PAGE, rows)


def move(here: str, there: str, folder: Path) -> tuple[dict[str, object], float, float]:
    """Run the command; returns its report, its seconds and its highest resident memory in MB."""
    environ = {"INSTANCE_PATH": str(folder), "DATABASE_URL": here, "SECRET_KEY": SECRET_KEY, "LOG_LEVEL": "error"}
    command = [server.BIN / "flask", "migrate-data", "--to", there, "--json"]
    began, highest = time.monotonic(), 0.0
    with subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.PIPE) as running:
        process = psutil.Process(running.pid)
        while running.poll() is None:
            try:
                highest = max(highest, process.memory_info().rss / 2**20)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
        assert running.stdout is not None
        said = running.stdout.read()
    return json.loads(said), time.monotonic() - began, highest


def show(report: dict[str, object], seconds: float, memory: float) -> None:
    tables = report["tables"]
    assert isinstance(tables, list)
    print(f"{'table':20}{'rows':>12}{'in PostgreSQL':>15}  equal")
    for one in tables:
        equal = "yes" if one["rows"] == one["stored"] and not one["differing"] else "no"
        if one["rows"]:
            print(f"{one['table']:20}{one['rows']:>12,}{one['stored']:>15,}  {equal}")
    rows = report["rows"]
    assert isinstance(rows, int)
    print(
        f"{rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows a second (copied, indexed, compared);"
        f" highest resident {memory:.0f} MB; cohorts out of balance {report['unbalanced_cohorts']}"
    )


if __name__ == "__main__":
    sys.exit(main())
