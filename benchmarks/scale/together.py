"""Bar 3: four processes and eight connections on eight cohorts that share their people, against one and one."""

import threading
from collections.abc import Sequence
from time import perf_counter

from benchmarks.pages import PAGE
from benchmarks.scale.crowd import body
from benchmarks.scale.report import Verdicts, percentile
from benchmarks.scale.stage import Stage

PROCESSES, CONNECTIONS = 4, 8
PAGES = 100  # of each connection and case, all with the same people
GOAL = 1.5
CASES = ("they enter", "unchanged", "all changed")


def measure(stage: Stage, people: int, verdicts: Verdicts) -> None:
    crowd = [number * 31 % people for number in range(PAGES * PAGE)]
    names = [f"together-{number}" for number in range(CONNECTIONS)]
    for name in ["warm", "alone", *names]:
        stage.connect(name)
    deadlocks = _deadlocks(stage)
    stage.settle()
    with stage.serving() as port:
        # Whoever goes first meets these people in cold caches, and writes their blocks whole into the log: that is
        # neither of the two sides.
        _cases(stage, port, ["warm"], crowd, version=1)
        alone = _cases(stage, port, ["alone"], crowd, version=2)
    with stage.serving(PROCESSES) as port:
        together = _cases(stage, port, names, crowd, version=3)
    print(f"\n{PROCESSES} processes and {CONNECTIONS} connections that share their people, against one and one")
    print(f"{'':14}{'people/s, 1':>13}{'people/s, 8':>13}{'times':>8}{'p99 ms':>9}")
    for case in CASES:
        one, _ = alone[case]
        many, p99 = together[case]
        print(f"{case:14}{one:13,.0f}{many:13,.0f}{many / one:8.2f}{p99:9.0f}", flush=True)
        verdicts.at_least(f"together, {case}", many / one, GOAL)
    verdicts.at_most("together, deadlocks", _deadlocks(stage) - deadlocks, 0)


def _deadlocks(stage: Stage) -> int:
    ((found,),) = stage.rows("SELECT coalesce(sum(deadlocks), 0)::int FROM pg_stat_database")
    return int(str(found))


def _cases(
    stage: Stage, port: int, names: Sequence[str], crowd: list[int], version: int
) -> dict[str, tuple[float, float]]:
    """(people a second, p99 in milliseconds) of each case, in their order. They enter and are named again with the
    profiles that they have, and then change to `version`."""
    found = {}
    for place, case in enumerate(CASES):
        then = version if case == "all changed" else version - 1
        found[case] = _at_once(stage, port, names, crowd, f"{case}-{place}", then)
    return found


def _at_once(
    stage: Stage, port: int, names: Sequence[str], crowd: list[int], session: str, version: int
) -> tuple[float, float]:
    """Every connection sends the same people into a cohort of its own, all starting together."""
    made = {name: [] for name in names}  # type: dict[str, list[bytes]]
    for name in names:
        for page in range(PAGES):
            some = crowd[page * PAGE : (page + 1) * PAGE]
            # Never complete, so that no sweep blurs the pages.
            made[name].append(body("members", name, session, page + 1, PAGES + 1, some, version))
    times: list[float] = []
    start = threading.Barrier(len(names) + 1)
    errors: list[BaseException] = []

    def send(name: str) -> None:
        client = stage.client(port, name)
        start.wait()
        try:
            for one in made[name]:
                started = perf_counter()
                client.page(one)
                times.append(perf_counter() - started)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=send, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    start.wait()
    started = perf_counter()
    for thread in threads:
        thread.join()
    took = perf_counter() - started
    if errors:
        raise RuntimeError(f"{len(errors)} connections failed: {errors[0]}")
    return len(names) * PAGES * PAGE / took, percentile(times, 99)
