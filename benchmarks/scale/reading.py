"""Bar 5: the dashboard's pages and the API's lists at this size, and the whole cohort as a stream."""

import http.client
import statistics
from time import perf_counter

import requests

from benchmarks.dashboard import EMAIL, PASSWORD, Call, Reader
from benchmarks.pages import PROJECT
from benchmarks.scale.crowd import distinct_id
from benchmarks.scale.report import Verdicts
from benchmarks.scale.stage import Stage, resident_mb
from blueprints.paging import cursor
from config.clock import now
from security import operators

GOAL_MS = 100.0
EXPORT_GROWTH = 1.2
ROUNDS = 20
PAGES = (
    "/",
    "/overview/now",
    "/cohorts",
    "/cohorts?sort=size",
    "/cohorts/1",
    "/cohorts/1?since=7d",
    "/cohorts/1/now",
    "/cohorts/1/sessions",
    "/cohorts/1/rejected",
    "/cohorts/1/failures",
    "/cohorts/1/settings",
    "/sessions",
    "/sessions/{session}",
    "/sessions/{session}/now",
    "/sessions/{session}/members/received",
    "/sessions/{session}/members/entered",
    "/sessions/{session}/members/left",
    "/sessions/{session}/members/unchanged",
    "/people",
    "/people/1",
    "/failures",
    "/connections",
    "/connections/big",
    "/send/cohorts/1",
    "/audit",
    "/settings",
)
COHORT = f"/api/v1/projects/{PROJECT}/cohorts/big"


def measure(stage: Stage, people: int, verdicts: Verdicts) -> None:
    email, password_hash = operators.checked(EMAIL, PASSWORD)
    stage.database.write(lambda db: operators.add(db, email, password_hash, "admin", "terminal", now()))
    one = distinct_id(people // 2 + 1)
    paths = [Call(path.format(session=_newest(stage))) for path in PAGES]
    for what, value in (("id", one), ("e-mail", f"{one[:13]}@example.com"), ("last name", "Costa")):
        paths += [
            Call("/people/search", (("q", value),), f"people by {what}"),
            Call("/cohorts/1", (("q", value),), f"members by {what}"),
        ]
    paths += [Call(f"/cohorts/1?after={people * share // 100}", name=f"members from {share} %") for share in (50, 99)]
    with stage.serving() as port:
        reader = Reader(f"http://127.0.0.1:{port}")
        print(f"\n{'the dashboard, and the API':44}{'p50 ms':>9}{'p95 ms':>9}")
        for call in paths:
            _note(call.name or call.path, [reader.ask(call)[0] for _ in range(ROUNDS + 1)][1:], verdicts)
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {stage.token}"
        for path in _lists(people, one):
            _note(path, [_asked(session, port, path) for _ in range(ROUNDS + 1)][1:], verdicts)
        _stream(stage, port, verdicts)


def _newest(stage: Stage) -> int:
    """Our id of the newest refresh."""
    ((found,),) = stage.rows("SELECT max(id) FROM sync_session WHERE action = 'members' AND cohort_id = 1")
    return int(str(found))


def _lists(people: int, one: str) -> list[str]:
    half = people // 2
    return [
        "/api/v1/cohorts",
        COHORT,
        f"{COHORT}/members?limit=1000",
        f"{COHORT}/members?limit=1000&cursor={cursor('members 1', half)}",
        f"{COHORT}/members/{one}",
        f"{COHORT}/changes?after={half}&limit=1000",
        f"/api/v1/people/{PROJECT}/{one}",
        "/api/v1/sessions",
        "/api/v1/failures",
    ]


def _asked(session: requests.Session, port: int, path: str) -> float:
    started = perf_counter()
    session.get(f"http://127.0.0.1:{port}{path}", timeout=60).raise_for_status()
    return (perf_counter() - started) * 1000


def _note(name: str, times: list[float], verdicts: Verdicts) -> None:
    p95 = statistics.quantiles(times, n=20, method="inclusive")[18]
    print(f"{name[:43]:44}{statistics.median(times):9.1f}{p95:9.1f}", flush=True)
    if p95 > GOAL_MS:
        verdicts.at_most(f"reading {name}, p95", p95, GOAL_MS, " ms")


def _stream(stage: Stage, port: int, verdicts: Verdicts) -> None:
    """The whole cohort as NDJSON, read as fast as it comes."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    line.request("GET", f"{COHORT}/members.ndjson", headers={"Authorization": f"Bearer {stage.token}"})
    answer = line.getresponse()
    started, lines, readings, due = perf_counter(), 0, [], 0.0
    while chunk := answer.read(1 << 18):
        lines += chunk.count(b"\n")
        if perf_counter() - started > due:
            readings.append(resident_mb())
            due += 1
    took = perf_counter() - started
    ((members,),) = stage.rows("SELECT member_count FROM cohort WHERE mixpanel_cohort_id = 'big'")
    print(
        f"\nmembers.ndjson: {lines:,} lines in {took:.0f} s ({lines / took:,.0f} a second); the app held "
        f"{readings[0]:.0f} MB at first, {max(readings):.0f} MB at most, {readings[-1]:.0f} MB at last"
    )
    verdicts.true(f"stream, {lines:,} lines for {members:,} members", holds=lines == members)
    warm = readings[min(2, len(readings) - 1)]
    verdicts.at_most("stream, memory's last reading over its third", readings[-1] / warm, EXPORT_GROWTH)
