"""Bar 4: a refresh that drops a tenth of a cohort: the last page's reply, the sweep, and what readers of the cohort and
its next diffs feel meanwhile."""

import threading
from collections.abc import Iterator
from time import perf_counter, sleep

import requests

from benchmarks.pages import PAGE, PROJECT
from benchmarks.scale.crowd import body, shuffled
from benchmarks.scale.refresh import export, heading, timed
from benchmarks.scale.report import Verdicts, middle, percentile
from benchmarks.scale.stage import Stage, resident_mb

REPLY_SECONDS = 10
PATIENCE = 900  # seconds that the sweep may take before the measurement gives up


def remaining(people: int) -> Iterator[list[int]]:
    """Nine of ten, in full pages."""
    left: list[int] = []
    for some in shuffled(people, 3):
        left += [one for one in some if one % 10]
        while len(left) >= PAGE:
            yield left[:PAGE]
            left = left[PAGE:]
    if left:
        yield left


def measure(stage: Stage, people: int, verdicts: Verdicts) -> None:
    staying = people - -(-people // 10)
    total = -(-staying // PAGE)
    pages = remaining(people)
    with stage.serving() as port, stage.working():
        send = stage.client(port, "big").page
        heading(f"a refresh that names {staying:,} of {people:,}")
        export(send, "big", "third", (next(pages) for _ in range(total - 1)), total)
        quiet = _reads(stage, port, threading.Event(), 200)
        (reply,) = timed(send, [body("members", "big", "third", total, total, next(pages))])
        started = perf_counter()
        busy: list[float] = []
        diffs: list[float] = []
        stop = threading.Event()
        threads = [
            threading.Thread(target=lambda: busy.extend(_reads(stage, port, stop))),
            threading.Thread(target=lambda: diffs.extend(_diffs(stage, port, stop))),
        ]
        for thread in threads:
            thread.start()
        memory = _until_swept(stage)
        took = perf_counter() - started
        stop.set()
        for thread in threads:
            thread.join()
    print(f"\n{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'calls':>8}")
    for name, times in (
        ("readers before", quiet),
        ("readers during the sweep", busy),
        ("diffs during the sweep", diffs),
    ):
        if times:
            print(
                f"{name:34}{middle(times):9.1f}{percentile(times, 99):9.1f}{percentile(times, 100):9.1f}{len(times):8}"
            )
    ((left, inside, counted),) = stage.rows(
        """SELECT s.left_count, (SELECT count(*) FROM membership m WHERE m.cohort_id = c.id AND m.left_at IS NULL),
            c.member_count FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
        WHERE s.mixpanel_session_id = 'third' AND c.mixpanel_cohort_id = 'big'"""
    )
    print(f"the sweep took {took:.1f} s, the reply of the last page {reply:.2f} s, the worker held {memory:.0f} MB")
    verdicts.at_most("sweep, reply of the last page", reply, REPLY_SECONDS, " s")
    verdicts.at_most("sweep, slowest reader", percentile(busy, 100) / 1000, 1, " s")
    verdicts.true(f"sweep, {left:,} left and {inside:,} are in, as counted", holds=inside == counted)


def _api(stage: Stage) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {stage.token}"
    return session


def _read(session: requests.Session, port: int, turn: int) -> float:
    """One of the questions that services ask: the cohort, a page of its members, what changed."""
    cohort = f"http://127.0.0.1:{port}/api/v1/projects/{PROJECT}/cohorts/big"
    path = ("", "/members?limit=100", "/changes?after=5&limit=100")[turn % 3]
    started = perf_counter()
    session.get(cohort + path, timeout=60).raise_for_status()
    return perf_counter() - started


def _reads(stage: Stage, port: int, stop: threading.Event, most: int = 1_000_000) -> list[float]:
    """What reading takes until we are told to stop, or have asked `most` times."""
    session, times = _api(stage), []  # type: requests.Session, list[float]
    while not stop.is_set() and len(times) < most:
        times.append(_read(session, port, len(times)))
        stop.wait(0.02)
    return times


def _diffs(stage: Stage, port: int, stop: threading.Event) -> list[float]:
    """Mixpanel's next calls for the same cohort: each waits for at most a step of the sweep."""
    client, times = stage.client(port, "big"), []
    staying = [one for one in range(PAGE * 2) if one % 10][:PAGE]
    while not stop.is_set():
        times += timed(client.page, [body("add_members", "big", f"meanwhile-{len(times)}", 1, 1, staying)])
        stop.wait(0.5)
    return times


def _until_swept(stage: Stage) -> float:
    """Wait for the worker; returns the most memory that a process of ours had, in MB."""
    until, memory = perf_counter() + PATIENCE, 0.0
    while perf_counter() < until:
        ((status,),) = stage.rows("SELECT status FROM sync_session WHERE mixpanel_session_id = 'third'")
        memory = max(memory, resident_mb())
        if status == "complete":
            return memory
        if status not in {"sweeping", "receiving"}:
            raise RuntimeError(f"the sweep ended as {status}")
        sleep(0.2)
    raise RuntimeError("the sweep did not end")
