"""`make bench-backfill`: whoever is in already, told of while Mixpanel goes on sending.

    python -m benchmarks.destinations.backfill [--people 10000000] [--kinds table api]

PostgreSQL is a cluster of the measurement's own, with the settings of benchmarks/scale/postgresql.conf; the people are
put in by COPY. For each kind of destination two stretches are compared, with one server and one worker: calls of
Mixpanel's at a steady pace while nobody is to be told of anything, and the same ones while the whole cohort is. In the
second one somebody enters the cohort every few seconds. Exits 1 where a bar does not hold.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks.destinations import backfilled
from benchmarks.destinations.backfilled import KINDS, FarEnd
from benchmarks.destinations.traffic import Arrivals, Pages
from benchmarks.pages import PROJECT
from benchmarks.scale import stored
from benchmarks.scale.report import Verdicts, percentile
from benchmarks.scale.stage import MB, Stage, stage
from config.clock import now
from destinations import destinations, subscriptions
from destinations.destinations import NewDestination
from destinations.subscriptions import NewSubscription, Subscription

MEMORY_MB, MEMORY_GROWTH = 250, 1.2
LATE_SECONDS = 5.0
SLOWER = 1.2  # a page's p99 over that without a backfill
WARM_SECONDS, QUIET_SECONDS = 10, 60
PARTS = 10  # lines that a table has
LOOK = 0.25  # seconds


@dataclass(frozen=True)
class Backfill:
    """One subscription whose backfill is under way."""

    stage: Stage
    id: int
    people: int

    @property
    def now(self) -> Subscription:
        """Return how it stands."""
        found = self.stage.database.read(lambda db: subscriptions.by_id(db, self.id))
        if found is None:
            raise SystemExit("the subscription is gone")
        return found


def connect(stage: Stage, there: FarEnd) -> int:
    """Subscribe a far end to everybody who is in; return the subscription's id."""
    draft = NewDestination(there.name, there.type, there.settings, there.secrets)
    wanted = NewSubscription(there.name, PROJECT, "big", start="present", guard_percent=0)
    stage.database.write(lambda db: destinations.add(db, stage.runtime.cipher, draft, now()))
    return stage.database.write(lambda db: subscriptions.add(db, wanted, now()))


def watch(backfill: Backfill, worker: psutil.Process) -> list[float]:
    """Print a line for each tenth of the people; return the worker's memory in MB after each. Returns when nothing is
    left to be told."""
    print(f"{'told of':>12}{'people/s':>11}{'RSS MB':>9}", flush=True)
    memory: list[float] = []
    started, before, whole = perf_counter(), 0, False
    while not whole:
        time.sleep(LOOK)
        known = backfill.now
        told = known.counts["applied"] + known.counts["accepted"]
        whole = known.backfill_after is None and not known.counts["waiting"] and not known.counts["sending"]
        if whole or told >= backfill.people * (len(memory) + 1) // PARTS:
            memory.append(worker.memory_info().rss / MB)
            speed = (told - before) / (perf_counter() - started)
            print(f"{told:>12,}{speed:11,.0f}{memory[-1]:9.0f}", flush=True)
            started, before = perf_counter(), told
    return memory


def measure(stage: Stage, there: FarEnd, people: int, verdicts: Verdicts) -> None:
    """One kind of destination; `people` are in the cohort when it begins."""
    print(f"\n{there.name}: {people:,} people are in", flush=True)
    with stage.serving() as port, stage.working() as worker:
        with Pages(stage.client(port, "beside").page, f"{there.name}-warm"):
            time.sleep(WARM_SECONDS)
        stage.settle()
        with Pages(stage.client(port, "beside").page, f"{there.name}-quiet") as quiet:
            time.sleep(QUIET_SECONDS)
        stage.settle()
        started = perf_counter()
        backfill = Backfill(stage, connect(stage, there), people)
        arrivals = Arrivals(lambda: stage.client(port, "big"), there)
        with Pages(stage.client(port, "beside").page, f"{there.name}-busy") as busy, arrivals:
            memory = watch(backfill, worker)
            took = perf_counter() - started
    known = backfill.now
    stage.database.write(lambda db: subscriptions.pause(db, known, "measured", now()))
    print(f"{people / took:,.0f} people a second, {took:,.0f} s")
    print(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'calls':>8}")
    found = {"pages before": quiet.times, "pages during the backfill": busy.times, "who entered": arrivals.late}
    for name, times in found.items():
        rates = "".join(f"{percentile(times, share):9.1f}" for share in (50, 99, 100))
        print(f"{name:34}{rates}{len(times):8}")
    judge(verdicts, there, memory, arrivals)
    verdicts.at_most("pages, p99 over that before", percentile(busy.times, 99) / percentile(quiet.times, 99), SLOWER)
    verdicts.true(
        f"{there.name}, {there.told():,} are told of, each once: {people:,} and {len(arrivals.late)} who entered",
        holds=there.told() == people + len(arrivals.late) == known.counts["applied"] + known.counts["accepted"],
    )


def judge(verdicts: Verdicts, there: FarEnd, memory: list[float], arrivals: Arrivals) -> None:
    verdicts.at_most(f"{there.name}, highest memory of the worker", max(memory), MEMORY_MB, " MB")
    verdicts.at_most(f"{there.name}, memory's last reading over its first", memory[-1] / memory[0], MEMORY_GROWTH)
    verdicts.at_most(f"{there.name}, the latest of those who entered", max(arrivals.late), LATE_SECONDS, " s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.destinations.backfill", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    verdicts, started = Verdicts(), perf_counter()
    with (
        tempfile.TemporaryDirectory() as name,
        stage("postgresql", Path(name), ALLOW_PRIVATE_DESTINATIONS="1") as made,
    ):
        stored.fill(made, options.people)
        made.connect("beside")
        people = options.people
        for kind in options.kinds:
            with backfilled.FAR_ENDS[kind](made) as there:
                measure(made, there, people, verdicts)
            ((people,),) = made.rows("SELECT member_count FROM cohort WHERE mixpanel_cohort_id = 'big'")
    print(f"\n{(perf_counter() - started) / 60:.0f} minutes in all.")
    print("\n".join(["Under the bar:", *verdicts.missed]) if verdicts.missed else "Every bar holds.")
    return 1 if verdicts.missed else 0


if __name__ == "__main__":
    sys.exit(main())
