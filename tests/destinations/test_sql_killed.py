"""A process that is killed while it writes a company's table leaves rows and positions that agree, and whoever repeats
everything from the beginning ends with the cohort."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from destinations.contract import Change
from tests.destinations.far_end import change
from tests.destinations.test_sql import FEED, adapter, rows, url

__all__ = ["url"]  # the fixture
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 40
STEPS = 150


def history() -> list[Change]:
    """People who come and go; the same at every call."""
    dice, inside, changes = random.Random(7), dict[str, int](), list[Change]()
    stays = dict.fromkeys((f"p{number:02}" for number in range(PEOPLE)), 0)
    for position in range(1, STEPS + 1):
        who = dice.choice(list(stays))
        kind = "left" if who in inside else "entered"
        if kind == "entered":
            stays[who] += 1
            inside[who] = stays[who]
        else:
            del inside[who]
        changes.append(change(position, who, kind, entry_number=stays[who]))
    return changes


def tell(address: str) -> None:
    """Tell all of it, a change a call, and say when it begins."""
    with closing(adapter(address)) as table:
        for number, told in enumerate(history()):
            assert table.send(FEED, [told]).refusal is None
            if number == 0:
                sys.stdout.write("begun\n")
                sys.stdout.flush()


def killed(address: str, after: float) -> None:
    """The same in a process of its own, which is killed so many seconds after its first call."""
    code = f"from tests.destinations.test_sql_killed import tell; tell({address!r})"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    time.sleep(after)
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_rows_and_positions_agree_wherever_it_is_killed(url: str) -> None:
    wanted = {}
    for told in history():
        wanted[told.identity] = told.entry_number if told.kind == "entered" else None
    for after in (0.05, 0.15, 0.3):
        killed(url, after)
        marks = {row["identity"] for row in rows(url, FEED, "cohort_relay_position") if row["ours"]}
        assert {row["identity"] for row in rows(url, FEED)} == marks
    tell(url)
    assert {row["identity"]: row["entry_number"] for row in rows(url, FEED)} == {
        who: entry for who, entry in wanted.items() if entry
    }
