"""How much memory the export of a large cohort takes: the real server, a real database, one cohort.

    python -m benchmarks.export_memory [--members 1000000] [--postgresql postgresql://…/any_database]

Stores a cohort by raw SQL, starts the server on it, reads `members.ndjson` and counts its lines, while the resident
memory of the server's processes is sampled. Prints one line a database. Exits 1 where the count is wrong or the
serving process reached 150 MB. On PostgreSQL it makes a database of its own beside the given one, and drops it.
"""

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import Connection, text

from app import create_app
from benchmarks import server, stored
from benchmarks.key import SECRET_KEY
from benchmarks.pages import PROJECT
from config.settings import load
from security import tokens

LIMIT_MB = 150
SAMPLE_SECONDS = 0.05
READ_BYTES = 1 << 16
COHORT = "7"
PATH = f"/api/v1/projects/{PROJECT}/cohorts/{COHORT}/members.ndjson"

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :members)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, :members))",
}
_PEOPLE = """{numbers}
    INSERT INTO person (id, project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
        properties, created_at, updated_at)
    SELECT i, :project, 'c0ffee00-0000-4000-8000-' || i, i, 15, 'user' || i || '@example.com', 'Ada', 'Example',
        '+49 30 1234567', {properties}, 1, 1 FROM n"""
_PROPERTIES = {
    "sqlite": "json_object('plan', 'enterprise', 'city', 'Berlin', 'seats', i % 100)",
    "postgresql": "jsonb_build_object('plan', 'enterprise', 'city', 'Berlin', 'seats', i % 100)",
}
_COHORT = text("""
    INSERT INTO cohort (id, project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
        change_count, newest_refresh, complete_refresh, created_at, last_call_at)
    VALUES (1, :project, :cohort, 'Everybody', '', :members, 1, 1, :members, 1, 1, 1, 1)""")
_MEMBERS = text("""
    INSERT INTO membership (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
    SELECT 1, id, 1750000000000, NULL, 1, 1, id FROM person ORDER BY id""")


class Memory:
    """The highest resident memory, in MB, that any process started by this one has had since the last `forget`."""

    def __init__(self) -> None:
        self.highest = 0.0
        self._stop = threading.Event()

    def forget(self) -> None:
        self.highest = 0.0

    @contextmanager
    def watched(self) -> Iterator["Memory"]:
        sampler = threading.Thread(target=self._sample)
        sampler.start()
        try:
            yield self
        finally:
            self._stop.set()
            sampler.join()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            for process in psutil.Process().children(recursive=True):
                try:
                    self.highest = max(self.highest, process.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue


def main() -> int:
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(description="The memory that an export takes.")
    arguments.add_argument("--members", type=int, default=1_000_000)
    arguments.add_argument("--postgresql", help="address of any database of the server to measure besides SQLite")
    given = arguments.parse_args()
    results = [measure("sqlite", "", given.members)]
    if given.postgresql:
        results.append(measure("postgresql", given.postgresql, given.members))
    return 0 if all(results) else 1


def measure(dialect: str, address: str, members: int) -> bool:
    """Store, serve, export and print; whether count and memory are as they must be."""
    with tempfile.TemporaryDirectory() as name, stored.database(dialect, Path(name), address) as url:
        folder = Path(name)
        environ = {"INSTANCE_PATH": name, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "LOG_LEVEL": "warning"}
        token = prepare(environ, members)
        with (
            server.process(["flask", "serve", "--without-worker"], environ, "/healthz") as port,
            Memory().watched() as memory,
        ):
            export(port, token)  # one that warms up: caches and pools count as well
            memory.forget()
            started = time.monotonic()
            counted = export(port, token)
            seconds = time.monotonic() - started
        size = sum(file.stat().st_size for file in folder.glob("*.db")) >> 20
    print(
        f"{dialect:10}  {counted:,} members  {seconds:.1f} s  {counted / seconds:,.0f} rows a second  "
        f"highest resident {memory.highest:.0f} MB" + (f"  database {size} MB" if size else ""),
        flush=True,
    )
    return counted == members and memory.highest < LIMIT_MB


def prepare(environ: dict[str, str], members: int) -> str:
    """Store the cohort; returns a token that may read it."""
    settings = load(environ)
    database = create_app(settings).extensions["runtime"].database
    database.write(lambda db: everybody(db, members))
    token: str = database.write(lambda db: tokens.add(db, settings.secret_key, "bench", "read", 1))
    database.dispose()
    return token


def everybody(db: Connection, members: int) -> None:
    """So many people, all of them in one cohort."""
    people = _PEOPLE.format(numbers=_NUMBERS[db.dialect.name], properties=_PROPERTIES[db.dialect.name])
    db.execute(text(people), {"members": members, "project": PROJECT})
    db.execute(_COHORT, {"members": members, "project": PROJECT, "cohort": COHORT})
    db.execute(_MEMBERS)


def export(port: int, token: str) -> int:
    """Read the whole export; returns its lines."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    line.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
    answer = line.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read().decode()}")
    lines = 0
    while piece := answer.read(READ_BYTES):
        lines += piece.count(b"\n")
    line.close()
    return lines


if __name__ == "__main__":
    sys.exit(main())
