"""A whole crowd over HTTP: first load, unchanged refresh, diffs; by each million, with the memory of the app."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle, islice
from time import perf_counter

from benchmarks.pages import PAGE
from benchmarks.scale.crowd import body, shuffled
from benchmarks.scale.report import Verdicts, middle, percentile
from benchmarks.scale.stage import Stage, resident_mb

PAGE_MS = 180  # so that ten million people fit into Mixpanel's cycle of half an hour
GROWTH = 1.5  # of the last stretch's p50 over the first's
MEMORY_MB, MEMORY_GROWTH = 250, 1.2
DIFFS = 400
PARTS = 10  # stretches that a table has

Send = Callable[[bytes], None]


@dataclass
class Stretch:
    """A tenth of an export: what its pages took in seconds, and the app's memory after it."""

    times: list[float] = field(default_factory=list)
    memory: float = 0.0


def timed(send: Send, bodies: Iterable[bytes]) -> list[float]:
    times = []
    for one in bodies:
        started = perf_counter()
        send(one)
        times.append(perf_counter() - started)
    return times


def export(
    send: Send, cohort: str, session: str, pages: Iterable[list[int]], total: int, *, parts: int = PARTS
) -> list[Stretch]:
    """Send a refresh page by page, and print a line for each stretch of it."""
    stretches, numbered = [], enumerate(pages, 1)
    each = -(-total // parts)
    while chunk := list(islice(numbered, each)):
        made = (body("members", cohort, session, page, total, people) for page, people in chunk)
        stretches.append(Stretch(timed(send, made), resident_mb()))
        line(chunk[-1][0] * PAGE, stretches[-1])
    return stretches


def line(people: int, stretch: Stretch) -> None:
    shares = "".join(f"{percentile(stretch.times, share):9.1f}" for share in (50, 95, 99, 100))
    speed = PAGE * len(stretch.times) / sum(stretch.times)
    print(f"{people:>12,}{shares}{speed:11,.0f}{stretch.memory:9.0f}", flush=True)


def heading(what: str) -> None:
    print(f"\n{what}")
    columns = "".join(f"{name:>9}" for name in ("p50 ms", "p95 ms", "p99 ms", "max ms"))
    print(f"{'people':>12}{columns}{'people/s':>11}{'RSS MB':>9}", flush=True)


def judge(verdicts: Verdicts, what: str, stretches: list[Stretch]) -> None:
    first, last = stretches[0], stretches[-1]
    verdicts.at_most(f"{what}, last p50 over first", middle(last.times) / middle(first.times), GROWTH)
    worst = max(percentile(stretch.times, 99) for stretch in stretches)
    verdicts.at_most(f"{what}, worst p99", worst, PAGE_MS, " ms")
    verdicts.at_most(f"{what}, memory's last reading over its first", last.memory / first.memory, MEMORY_GROWTH)
    verdicts.at_most(f"{what}, highest memory", max(one.memory for one in stretches), MEMORY_MB, " MB")


def measure(stage: Stage, people: int, verdicts: Verdicts) -> None:
    """Bars 1 and 7: leaves the cohort `big` with everybody in it."""
    total = -(-people // PAGE)
    stage.connect("big")
    with stage.serving() as port, stage.working():
        send = stage.client(port, "big").page
        heading(f"{stage.dialect}: first load of {people:,} people over HTTP, in random order")
        judge(verdicts, "first load", export(send, "big", "first", shuffled(people), total))
        heading("unchanged refresh, in another random order")
        judge(verdicts, "unchanged refresh", export(send, "big", "second", shuffled(people, 1), total))
        stage.settle()
        heading("diffs of 1,000 members, removed and added again")
        judge(verdicts, "diffs", diffs(send, "big", people))


def diffs(send: Send, cohort: str, people: int, count: int = DIFFS) -> list[Stretch]:
    """Remove a thousand and add them again, `count` calls in all, in stretches that print a line each."""
    stretches = []
    crowd = cycle(islice(shuffled(people, 2), count))
    for part in range(2):
        made = [
            body(action, cohort, f"{action}-{part}-{number}", 1, 1, some)
            for number, some in enumerate(islice(crowd, count // 4))
            for action in ("remove_members", "add_members")
        ]
        stretches.append(Stretch(timed(send, made), resident_mb()))
        line(PAGE * len(made), stretches[-1])
    return stretches
