"""`make bench-destinations`: rates beside the floor, the delay from a page's commit to the far end, and whether a dead
destination slows another one down."""

import argparse
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from benchmarks.destinations import floor, floor_table
from benchmarks.destinations.floor import Floor, Tell
from benchmarks.destinations.relay import FAST, OTHER, POLL, Relay, far_end, relay, seen
from benchmarks.pages import distinct_ids
from destinations import destinations, subscriptions
from destinations.registry import TYPES
from server import garbage

GOAL, GOAL_SECONDS, GOAL_DEAD = 0.60, 2.0, 0.95
DEAD = "dead"
POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True)
class Case:
    """One kind of destination: how many changes it is told of, how many at once, and how the floor tells it."""

    name: str
    changes: int
    batch: int
    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    tell: Callable[[], Tell]


def cases(made: Relay, url: str, scale: float) -> list[Case]:
    """The kinds that are measured."""
    some = round(2_000 * scale), round(60_000 * scale)
    found = [
        Case("webhook, 1", some[0], 1, "webhook", {"url": url}, {}, lambda: floor.webhook(url, 1)),
        Case("webhook, 500", some[1], 500, "webhook", {"url": url, "batch": 500}, {}, lambda: floor.webhook(url, 500)),
        Case("table", some[1], 500, "sql", {"url": _table(made)}, {}, lambda: _floor_table(made)),
    ]
    if "customerio" in TYPES:
        settings = {"base_url": url, "segment_id": "7", "region": "us"}
        secrets = {"site_id": "5" * 20, "api_key": "6" * 20}
        found.append(Case("level, 1000", some[1], 1000, "customerio", settings, secrets, lambda: floor.listed(url)))
    return found


def _table(made: Relay) -> str:
    return made.url if made.url.startswith("postgresql") else f"sqlite:///{made.folder}/company.db"


def _floor_table(made: Relay) -> Tell:
    if made.url.startswith("postgresql"):
        return floor_table.postgresql_table(made.url)
    return floor_table.sqlite_table(f"{made.folder}/company.db")


def rate(dialect: str, place: int, scale: float, address: str) -> tuple[str, float, float]:
    """Return a case's name, and the changes a second of the floor and of the relay."""
    with far_end() as url, relay(dialect, address) as made:
        case = cases(made, url, scale)[place]
        low = made.connect("floor", case.kind, case.settings | FAST, case.secrets)
        made.runtime.database.write(lambda db: _stop(db, low))
        ids = distinct_ids(case.changes, 7)
        ours = made.connect("ours", case.kind, case.settings | FAST, case.secrets)
        made.change("add_members", ids)
        known = made.runtime.database.read(lambda db: subscriptions.by_id(db, low))
        if known is None:
            raise SystemExit("the floor's subscription is not there")
        ids_of = (known.destination_id, low, known.cohort)
        floor_of = Floor(made.url, ids_of, of_a_set=known.kind.family == "level")
        lowest = floor_of.run(case.batch, known.position, case.tell())
        with made.working():
            took = made.seconds_until(ours, case.changes)
        return case.name, case.changes / lowest, case.changes / took


def _stop(db: Any, subscription_id: int) -> None:
    """The floor writes for this subscription, and the worker does not."""
    known = subscriptions.by_id(db, subscription_id)
    if known is not None:
        subscriptions.pause(db, known, "the floor's", 0)


def delay(dialect: str, seconds: int, address: str) -> float:
    """Return the 99th percentile of seconds from a page's commit to the far end, at 1,000 changes a second."""
    with far_end() as url, relay(dialect, address) as made, made.worker():
        ours = made.connect("ours", "webhook", {"url": url, "batch": 500, **FAST})
        made.change("add_members", distinct_ids(10, 1))
        made.seconds_until(ours, 10, within=60)  # the worker runs
        seen(url)
        ids, started = distinct_ids(1000, 2), time.monotonic()
        for turn in range(seconds):
            time.sleep(max(0.0, started + turn - time.monotonic()))
            made.change("add_members" if turn % 2 == 0 else "remove_members", ids)
        made.seconds_until(ours, 10 + 1000 * seconds, within=60)
        return float(seen(url)["p99"])


def beside_a_dead_one(dialect: str, changes: int, address: str) -> float:
    """Return how fast a destination is told beside one that never answers, as a part of how fast it is alone: alone,
    twice beside it, and alone again, because tables grow meanwhile. Each time as many enter as leave."""
    with socket.create_server(("127.0.0.1", 0)) as silent, far_end() as url, relay(dialect, address) as made:
        ours = made.connect("ours", "webhook", {"url": url, "batch": 500, **FAST})
        _add_dead(made, f"http://127.0.0.1:{silent.getsockname()[1]}", changes)
        seconds = {True: 0.0, False: 0.0}
        for is_dead_there in (False, True, True, False):
            _let(made, DEAD, is_told=is_dead_there)
            for action in ("add_members", "remove_members"):
                seconds[is_dead_there] += _seconds(made, ours, action, changes)
        return seconds[False] / seconds[True]


def _seconds(made: Relay, subscription_id: int, action: str, changes: int) -> float:
    before = made.told(subscription_id)
    made.change(action, distinct_ids(changes, 3))
    with made.working():
        return made.seconds_until(subscription_id, before + changes)


def _let(made: Relay, name: str, *, is_told: bool) -> None:
    """Pause or resume a destination."""

    def change(db: Connection) -> bool:
        known, now = destinations.by_name(db, name), made.runtime.clock()
        if known is None:
            raise SystemExit(f"{name} is not there")
        return destinations.resume(db, known, now) if is_told else destinations.pause(db, known, "not now", now)

    made.runtime.database.write(change)


def _add_dead(made: Relay, url: str, changes: int) -> None:
    """Connect a destination of another cohort that takes calls and never answers, and plan what it has to be told."""
    made.change("add_members", distinct_ids(1, 98), OTHER)
    dead = made.connect(DEAD, "webhook", {"url": url, "timeout_seconds": 5}, cohort=OTHER)
    made.change("add_members", distinct_ids(changes, 5), OTHER)
    with made.working():
        while sum(made.counted(dead).values()) < changes:
            time.sleep(POLL)


def measure(dialect: str, scale: float, address: str) -> list[str]:
    """Print one database's figures; return what missed its goal."""
    missed = []
    print(f"\n{dialect}\n{'':16}{'floor/s':>12}{'relay/s':>12}{'ratio':>8}")
    for place in range(4 if "customerio" in TYPES else 3):
        name, low, ours = rate(dialect, place, scale, address)
        print(f"{name:16}{low:12,.0f}{ours:12,.0f}{ours / low:8.2f}", flush=True)
        if ours / low < GOAL:
            missed.append(f"{dialect}, {name}: {ours / low:.2f}")
    late = delay(dialect, round(20 * scale) or 5, address)
    print(f"from commit to far end, 1,000 changes a second: p99 {late:.2f} s", flush=True)
    part = beside_a_dead_one(dialect, round(60_000 * scale), address)
    print(f"beside a destination that never answers: {part:.2f} of the rate alone", flush=True)
    missed += [f"{dialect}, delay: {late:.2f} s"] if late > GOAL_SECONDS else []
    return missed + ([f"{dialect}, beside a dead one: {part:.2f}"] if part < GOAL_DEAD else [])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.destinations")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of changes")
    parser.add_argument("--postgresql", default=POSTGRESQL)
    given = parser.parse_args()
    garbage.spare_what_is_loaded()  # as `flask work` does; the floor has the good of it as well
    missed = [line for dialect in given.databases for line in measure(dialect, given.scale, given.postgresql)]
    for line in missed:
        print(f"MISSED  {line}")
    if not missed:
        print("Every goal is reached.")
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
