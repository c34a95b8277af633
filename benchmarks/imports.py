"""`make bench-imports`: events a second of an import, the ratio to the floor in one run, memory, and five SIGKILLs."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import requests
from sqlalchemy import text

from app import create_app
from benchmarks.key import SECRET_KEY
from benchmarks.stored import database
from config.clock import now
from config.settings import load
from models.database import Database
from outbound import projects
from outbound.imports import jobs
from outbound.imports.jobs import Import
from outbound.projects import ProjectFields

PROJECT = ProjectFields("bench", "us", "1", "a-token", "an-account", "a-secret")
_RUN_OUT = text("UPDATE import_job SET claimed_until = 0 WHERE id = :id")
GOAL, GOAL_MB = 0.60, 200
PYTHON = [sys.executable]
FLASK = [sys.executable, "-m", "flask", "--app", "app"]
STEP = 0.05  # seconds between two looks at the memory


@contextmanager
def taking(*flags: str) -> Iterator[str]:
    """The address of a server that takes imports."""
    command = [*PYTHON, "-m", "benchmarks.import_server", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


def write(path: Path, events: int) -> None:
    """Events of some 250 bytes, as trackers send them."""
    dice = random.Random(3)
    with path.open("w") as file:
        for number in range(events):
            properties = {
                "time": 1_763_000_000 + number,
                "distinct_id": f"user-{dice.randrange(events // 5 + 1)}",
                "$insert_id": f"e-{number}",
                "plan": dice.choice(["free", "pro", "team"]),
                "amount": round(dice.random() * 100, 2),
                "$browser": dice.choice(["Chrome", "Safari", "Firefox"]),
                "page": f"/products/{dice.randrange(10_000)}?ref=mail",
            }
            file.write(json.dumps({"event": dice.choice(["Viewed", "Added", "Paid"]), "properties": properties}) + "\n")


class Relay:
    """A relay with a project, whose calls go to `base_url`; its imports are run by processes of their own."""

    def __init__(self, url: str, folder: Path, base_url: str) -> None:
        ours = {
            "INSTANCE_PATH": str(folder),
            "DATABASE_URL": url,
            "SECRET_KEY": SECRET_KEY,
            "LOG_LEVEL": "error",
            "MIXPANEL_BASE_URL": base_url,
        }
        self.environ = os.environ | ours
        runtime = create_app(load(ours)).extensions["runtime"]
        self.database: Database = runtime.database
        if not self.database.read(projects.listed):
            self.database.write(lambda db: projects.add(db, runtime.cipher, PROJECT, now()))

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [*FLASK, "import", *words, "--json"]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, text=True)

    def newest(self) -> Import | None:
        found = self.database.read(lambda db: jobs.listed(db, 2**62, 1))
        return found[0] if found else None

    def run_out(self, import_id: int) -> None:
        """The claim of a dead process runs out after 20 s; nobody has to wait for that here."""
        self.database.write(lambda db: db.execute(_RUN_OUT, {"id": import_id}))


def floor(path: Path, url: str) -> float:
    command = [*PYTHON, "-m", "benchmarks.import_floor", str(path), url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ours(path: Path, relay: Relay) -> tuple[float, float]:
    """Seconds between its start and its end as the import itself says, and its largest resident MB."""
    process = relay.start(str(path), "--project", PROJECT.name)
    largest, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            largest = max(largest, watched.memory_info().rss)
        time.sleep(STEP)
    job = relay.newest()
    if job is None or job.ended_at is None or job.started_at is None:
        raise SystemExit("the import did not end")
    return (job.ended_at - job.started_at) / 1000, largest / 1e6


def killed(path: Path, relay: Relay, kills: int, events: int) -> Import:
    """Kill the import some times in the middle, and let it go on each time; how it ended."""
    before = relay.newest()
    process = relay.start(str(path), "--project", PROJECT.name)
    while (job := relay.newest()) is None or job == before:
        time.sleep(STEP)
    for number in range(1, kills + 1):
        while (job := relay.newest() or job).read < events * number / (kills + 2) and process.poll() is None:
            time.sleep(STEP)
        process.kill()
        process.communicate()
        print(f"  killed at {job.read:,} records")
        relay.run_out(job.id)
        process = relay.start("--resume", str(job.id))
    process.communicate()
    return relay.newest() or job


def measure(dialect: str, events: int, rounds: int, kills: int, address: str) -> list[str]:
    """Print one database's figures; returns what missed its goal."""
    missed = []
    with tempfile.TemporaryDirectory() as name, database(dialect, Path(name), address) as url:
        path = Path(name) / "events.ndjson"
        write(path, events)
        with taking() as base_url:
            relay = Relay(url, Path(name), base_url)
            ratios, largest = [], 0.0
            for _ in range(rounds):
                lowest = floor(path, base_url)
                took, memory = ours(path, relay)
                ratios.append(lowest / took)
                largest = max(largest, memory)
                rates = f"floor {events / lowest:9,.0f}/s   import {events / took:9,.0f}/s"
                print(f"  {rates}   {lowest / took:.2f}   {memory:.0f} MB")
        ratio = sorted(ratios)[len(ratios) // 2]
        print(f"{dialect}: {ratio:.2f} of the floor, {largest:.0f} MB at most")
        if ratio < GOAL or largest > GOAL_MB:
            missed.append(f"{dialect}: {ratio:.2f}, {largest:.0f} MB")
        with taking("--keep") as base_url:
            job = killed(path, Relay(url, Path(name), base_url), kills, events)
            seen = requests.get(f"{base_url}/seen", timeout=10).json()
        told = f"{kills} kills, {job.state} with {job.accepted:,} accepted, the server saw {seen}"
        print(f"{dialect}: {told}")
        if seen["different"] != events or job.accepted != events:
            missed.append(f"{dialect}: {told}")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    given = parser.parse_args()
    missed = [
        line
        for one in given.databases
        for line in measure(one, given.events, given.rounds, given.kills, given.postgresql)
    ]
    for line in missed:
        print(f"MISSED  {line}")
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
