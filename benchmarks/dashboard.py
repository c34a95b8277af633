"""`make bench-pages`: what each page of the dashboard takes with a company's worth of data stored.

    python -m benchmarks.dashboard [--databases sqlite postgresql] [--people 1000000] [--rounds 30]

Starts the real server on each database, signs in by the form, asks for every page `rounds` times, and prints the
milliseconds until the whole answer is here (p50, p95), its size, and the goal of 100 ms. The ends of long lists are
asked for beside their beginnings: keyset paging costs the same everywhere.
"""

import argparse
import re
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import requests

from app import create_app
from benchmarks import company, server, stored
from benchmarks.company import Company
from benchmarks.key import SECRET_KEY
from benchmarks.pages import distinct_ids, member
from config.clock import now
from config.settings import load
from security import connections, operators, tokens
from tests.browser import places

GOAL_MS = 100.0
GOAL_BYTES = 200_000
EMAIL, PASSWORD = "bench@example.org", "of the bench, and long"


@dataclass(frozen=True)
class Call:
    """One page to ask for; `form` makes it a POST."""

    path: str
    form: tuple[tuple[str, str], ...] = ()
    name: str = ""


class Reader:
    """An operator at a browser: one session, its cookies, and the token of its forms."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        page = self.session.get(f"{url}/sign-in", timeout=30).text
        data = {"csrf_token": token_in(page), "email": EMAIL, "password": PASSWORD}
        self.session.post(f"{url}/sign-in", data=data, timeout=30).raise_for_status()
        self.token = token_in(self.session.get(f"{url}/account", timeout=30).text)

    def ask(self, call: Call) -> tuple[float, int]:
        """(milliseconds, bytes) of one answer."""
        started = perf_counter()
        if call.form:
            data = {"csrf_token": self.token, **dict(call.form)}
            answer = self.session.post(self.url + call.path, data=data, timeout=60)
        else:
            answer = self.session.get(self.url + call.path, timeout=60)
        took = (perf_counter() - started) * 1000
        answer.raise_for_status()
        return took, len(answer.content)


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the page has no form")
    return found.group(1)


def calls(paths: list[str], people: int) -> Iterator[Call]:
    """Every page, and what only much data makes slow."""
    for path in paths:
        yield Call(path)
    some = member(distinct_ids(people, seed=1)[people // 2])
    for what in ("mixpanel_distinct_id", "email", "last_name"):
        value = str(some[what])
        yield Call("/people/search", (("q", value),), f"people by {what}")
        yield Call("/search", (("q", value[:4]),), f"everything by the beginning of {what}")
        yield Call("/cohorts/1", (("q", value),), f"members by {what}")
    for share in (0.0, 0.5, 0.99):
        yield Call(f"/cohorts/1?after={int(people * share)}", name=f"members from {share:.0%}")
    yield Call("/cohorts/1?since=7d")
    yield Call("/cohorts?sort=size")


def measure(dialect: str, people: int, rounds: int, address: str) -> list[str]:
    """Print one database's table; returns what missed its goal."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(stored.database(dialect, folder, address))
        environ = {"INSTANCE_PATH": name, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "LOG_LEVEL": "error"}
        app = create_app(load(environ))
        database = app.extensions["runtime"].database
        email, password_hash = operators.checked(EMAIL, PASSWORD)
        database.write(lambda db: operators.add(db, email, password_hash, "admin", "terminal", now()))
        database.write(lambda db: connections.add(db, SECRET_KEY, "crm", now()))
        database.write(lambda db: tokens.add(db, SECRET_KEY, "bench", "read", now()))
        company.fill(url, now(), Company(people=people))
        paths = places.pages(app)
        database.dispose()
        port = stack.enter_context(server.process(["flask", "serve", "--without-worker"], environ, "/healthz"))
        return report(dialect, people, Reader(f"http://127.0.0.1:{port}"), list(calls(paths, people)), rounds)


def report(dialect: str, people: int, reader: Reader, asked: list[Call], rounds: int) -> list[str]:
    print(f"\n{dialect}, {people:,} people: milliseconds a page")
    print(f"{'':44}{'p50':>8}{'p95':>8}{'KB':>8}")
    missed = []
    for call in asked:
        reader.ask(call)  # what the first one pays for is not the page
        found = [reader.ask(call) for _ in range(rounds)]
        times, size = [took for took, _ in found], max(size for _, size in found)
        p95 = statistics.quantiles(times, n=20, method="inclusive")[18]
        name = call.name or call.path
        print(f"{name[:43]:44}{statistics.median(times):8.1f}{p95:8.1f}{size / 1000:8.1f}")
        if p95 > GOAL_MS or size > GOAL_BYTES:
            missed.append(f"{dialect} {name}: {p95:.0f} ms, {size / 1000:.0f} KB")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    options = parser.parse_args()
    missed = []
    for dialect in options.databases:
        missed += measure(dialect, options.people, options.rounds, options.postgresql)
    print("\n" + ("\n".join(["Over the goal:", *missed]) if missed else "Every page reaches its goal."))


if __name__ == "__main__":
    main()
