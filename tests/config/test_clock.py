"""Times: whole milliseconds inside; written in one way for programs and in one for people."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.clock import iso, now, utc

ROOT = Path(__file__).resolve().parents[2]
LAST = 253_402_300_799_999  # of the year 9999
ROOMS = [
    *("alerts", "blueprints", "commands", "config", "erasure", "models", "outbound", "security", "server"),
    *("simulator", "sync"),
]

# Whoever writes a date without a time, a file's name, or text of Mixpanel's.
OTHER_WAYS = {
    "blueprints/dashboard/cohorts/history.py": "labels of a chart",
    "commands/backup.py": "a file's name",
    "simulator/history.py": "a property",
    "simulator/people.py": "a property",
    "simulator/stand_in/answers.py": "Mixpanel's own table",
    "config/clock.py": "this is it",
    "outbound/request/param_values.py": "a date",
    "sync/status/text.py": "a day",
}


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_714_558_530_123, "2024-05-01T10:15:30.123Z"),
        (1_714_558_530_999, "2024-05-01T10:15:30.999Z"),
        (None, None),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(milliseconds: int | None, written: str | None) -> None:
    assert iso(milliseconds) == written


@given(st.integers(0, LAST))
def test_programs_get_every_moment_back(moment: int) -> None:
    written = iso(moment)
    assert written is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert round(datetime.fromisoformat(written).timestamp() * 1000) == moment


@given(st.integers(0, LAST))
def test_people_get_the_same_moment_to_the_second(moment: int) -> None:
    assert utc(moment) == (iso(moment) or "")[:19].replace("T", " ") + " UTC"


def test_a_moment_that_never_was_is_said_so() -> None:
    assert (utc(None), utc(None, never="")) == ("never", "")


def test_nothing_else_writes_a_time() -> None:
    writers = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"strftime|[^m]isoformat\(|:%[HYbd]|:%b|TimeStamper", path.read_text())
    }
    assert writers == set(OTHER_WAYS)


def test_now_is_in_this_century() -> None:
    assert 1_700_000_000_000 < now() < 4_102_444_800_000
