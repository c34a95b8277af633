"""One budget per project for all processes, kept with a clock that the test turns (mixpanel-facts 5)."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from outbound.transport import budget
from runtime import Runtime
from tests.servers import SECRET_KEY

pytestmark = pytest.mark.slow

HOUR = 3_600_000
START = 1_770_000_000_000

# Another process takes what it can at a moment: it prints how many places it got. It gives each back, unless it holds.
TAKER = """
import sys
from app import create_app
from config.settings import load
from dataclasses import replace
from outbound.transport import budget
moment, wanted, holds = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "hold"
runtime = replace(create_app(load()).extensions["runtime"], clock=lambda: moment)
got = 0
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
for _ in range(wanted):
    try:
        place = budget.take(runtime, "2891273", "query")
        got += 1
        if not holds:
            budget.give_back(runtime, place)
    except budget.Spent:
        pass
print(got)
"""


def taken(runtime: Runtime, many: int, family: str = "query") -> int:
    got = 0
    for _ in range(many):
        try:
            budget.give_back(runtime, budget.take(runtime, "2891273", family))
            got += 1
        except budget.Spent:
            break
    return got


def two_processes(database_url: str, folder: Path, moment: int, wanted: int, way: str) -> int:
    """How many places two processes get together, when both want so many at one moment."""
    ours = {"INSTANCE_PATH": str(folder), "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY, "LOG_LEVEL": "error"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(moment), str(wanted), way],
            env=os.environ | ours,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    return sum(int(one.communicate("go\n")[0]) for one in both)


def test_two_processes_together_never_exceed_the_hour(runtime: Runtime, database_url: str, tmp_path: Path) -> None:
    assert two_processes(database_url, tmp_path, START, 45, "give back") == 60
    assert taken(replace(runtime, clock=lambda: START + HOUR - 1), 1) == 0
    assert taken(replace(runtime, clock=lambda: START + HOUR), 100) == 60


def test_two_processes_together_never_run_more_than_five_at_once(
    runtime: Runtime, database_url: str, tmp_path: Path
) -> None:
    assert two_processes(database_url, tmp_path, START, 5, "hold") == 5


def test_five_run_at_once_and_a_dead_process_keeps_its_place_for_a_while(runtime: Runtime) -> None:
    places = [budget.take(runtime, "1", "query") for _ in range(5)]
    with pytest.raises(budget.Spent, match="5 calls run at once"):
        budget.take(runtime, "1", "query")
    budget.give_back(runtime, places[0])
    budget.take(runtime, "1", "query")
    later = replace(runtime, clock=lambda: runtime.clock() + budget.ABANDONED + 1)
    budget.take(later, "1", "query")


def test_exports_are_three_a_second_and_sixty_an_hour(runtime: Runtime) -> None:
    moment = START
    for _ in range(20):
        assert taken(replace(runtime, clock=lambda: moment), 5, "export") == 3  # noqa: B023
        moment += 1000
    assert taken(replace(runtime, clock=lambda: moment + 1000), 5, "export") == 0


def test_projects_do_not_share_and_what_is_left_is_told(runtime: Runtime) -> None:
    fixed = replace(runtime, clock=lambda: START)
    taken(fixed, 7)
    now = runtime.database.read(lambda db: budget.left(db, "2891273", START + 1))
    other = runtime.database.read(lambda db: budget.left(db, "999", START + 1))
    assert [(one.left, one.frees_at) for one in now if one.family == "query"] == [(53, START + HOUR)]
    assert [one.left for one in other if one.family == "query"] == [60]


def test_a_spent_budget_says_when_the_next_call_is_free(runtime: Runtime) -> None:
    fixed = replace(runtime, clock=lambda: START)
    taken(fixed, 60)
    with pytest.raises(
        budget.Spent, match=r"60 queries of an hour are used; the next is free at [\d-]{10} [\d:]{8} UTC"
    ):
        budget.take(fixed, "2891273", "query")
