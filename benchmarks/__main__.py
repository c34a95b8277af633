"""`make bench`: pages a second, milliseconds a page and the ratio to the floor, in one run."""

import argparse
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks import floor_postgresql, floor_sqlite, server, stored
from benchmarks.pages import PAGE, body, distinct_ids, sliced
from server import garbage

BLOCK = 30  # pages a side before the other side's turn, so that drift of the machine hits both
FLOORS = {"sqlite": floor_sqlite.Floor, "postgresql": floor_postgresql.Floor}
GOALS = {"new people": {"sqlite": 0.65, "postgresql": 0.70}}
GOAL = 0.75
NAIVE_GOAL = 20.0
NAIVE_PAGES = 4
Send = Callable[[bytes], None]


@dataclass
class Side:
    """One way of taking pages, and what its pages took in seconds."""

    send: Send
    times: dict[str, list[float]] = field(default_factory=dict)

    def take(self, case: str, bodies: Sequence[bytes]) -> None:
        times = self.times.setdefault(case, [])
        for one in bodies:
            started = perf_counter()
            self.send(one)
            times.append(perf_counter() - started)


def cases(known: list[str], pages: int) -> Iterator[tuple[str, list[bytes]]]:
    """The bodies of each case, in the order in which they build on one another. A refresh announces one page more than
    is sent, so that its sweep does not blur the pages."""
    dice = random.Random(7)
    fresh = sliced(distinct_ids(pages * PAGE, seed=2))
    yield "new people", [body("members", "new", "n", page, pages + 1, ids) for page, ids in enumerate(fresh, 1)]
    regulars = sliced(dice.sample(known, pages * PAGE) if known else distinct_ids(pages * PAGE, seed=3))
    numbered = list(enumerate(regulars, 1))
    yield "", [body("members", "known", "first", page, pages, ids) for page, ids in numbered]
    yield "unchanged refresh", [body("members", "known", "u", page, pages + 1, ids) for page, ids in numbered]
    versions = [1 if place % 10 == 0 else 0 for place in range(PAGE)]
    changed = [body("members", "known", "c", page, pages + 1, ids, versions) for page, ids in numbered]
    yield "10 % changed refresh", changed
    diffs = []
    for page, _ in numbered:
        action = "remove_members" if page % 2 else "add_members"
        again = regulars[(page - 1) // 2 * 2]
        diffs.append(body(action, "known", f"d{page}", 1, 1, again, versions))
    yield "diffs of 1,000", diffs


def measure(sides: list[Side], known: list[str], pages: int) -> None:
    for case, bodies in cases(known, pages):
        for start in range(0, len(bodies), BLOCK):
            for side in sides:
                side.take(case, bodies[start : start + BLOCK])


def compare(dialect: str, people: int, pages: int, address: str) -> list[tuple[str, float, float]]:
    """Measure one database at one size; returns (case, ratio, goal) of each."""
    known = distinct_ids(people, seed=1)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        urls = [stack.enter_context(stored.database(dialect, folder, address)) for _ in range(2)]
        for url in urls:
            stored.fill(url, known)
        floor = FLOORS[dialect](urls[0])
        stack.callback(floor.close)
        client = stack.enter_context(server.relay(urls[1], folder))
        sides = [Side(floor.page), Side(client.page)]
        measure(sides, known, pages)
        found = report(dialect, people, *sides)
        if people == 0:
            found += against_naive(dialect, stack.enter_context(stored.database(dialect, folder, address)), sides[1])
        return found


def against_naive(dialect: str, url: str, ours: Side) -> list[tuple[str, float, float]]:
    """The same cases, a few pages each, at the handler that most people would write."""
    with server.naive(url.replace("postgresql://", "postgresql+psycopg://")) as client:
        naive = Side(client.page)
        measure([naive], [], NAIVE_PAGES)
    print(f"\n{dialect}, against get-or-create a member at a time: how many times faster")
    found = []
    for case, times in naive.times.items():
        if case:
            ratio = statistics.fmean(times) / statistics.fmean(ours.times[case])
            goal = NAIVE_GOAL if "refresh" in case else 1.0
            print(f"{case:22}{statistics.fmean(times) * 1000:9.0f} ms a page{ratio:10.1f} times{goal:7.0f}")
            found.append((f"{dialect} against get-or-create, {case}", ratio, goal))
    return found


def report(dialect: str, people: int, floor: Side, ours: Side) -> list[tuple[str, float, float]]:
    print(f"\n{dialect}, {people:,} people stored")
    print(f"{'':22}{'pages/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'floor p50':>11}{'ratio':>8}{'goal':>7}")
    found = []
    for case, times in ours.times.items():
        if not case:
            continue
        ratio = statistics.fmean(floor.times[case]) / statistics.fmean(times)
        goal = GOALS.get(case, {}).get(dialect, GOAL)
        p50, p95, p99 = (percentile(times, share) * 1000 for share in (50, 95, 99))
        base = percentile(floor.times[case], 50) * 1000
        speed = 1 / statistics.fmean(times)
        print(f"{case:22}{speed:9.1f}{p50:9.1f}{p95:9.1f}{p99:9.1f}{base:11.1f}{ratio:8.2f}{goal:7.2f}")
        found.append((f"{dialect} {people:,} {case}", ratio, goal))
    return found


def percentile(times: Sequence[float], share: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[share - 1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=FLOORS, default=list(FLOORS))
    parser.add_argument("--people", nargs="+", type=int, default=[0, 1_000_000], help="people stored beforehand")
    parser.add_argument("--pages", type=int, default=90, help="pages a case")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    options = parser.parse_args()
    garbage.spare_what_is_loaded()  # the floor pays no more for Python's garbage collector than our server does
    found = []
    for dialect in options.databases:
        for people in options.people:
            found += compare(dialect, people, options.pages, options.postgresql)
    missed = [f"{what}: {ratio:.2f} under {goal:.2f}" for what, ratio, goal in found if ratio < goal]
    print("\n" + ("\n".join(["Under the goal:", *missed]) if missed else "Every ratio reaches its goal."))


if __name__ == "__main__":
    main()
