"""Lengths and ages in words: every kind of them, on both sides of each unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.clock import DAY, HOUR, MINUTE, SECOND
from config.durations import UNITS, age, duration, roughly

YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (0.2, "0 s"),
        (400, "400 ms"),
        (999.7, "1 s"),
        (1_400, "1 s"),
        (72_000, "1 min 12 s"),
        (6_000_000, "1 h 40 min"),
        (HOUR, "1 h"),
        (HOUR + 5 * SECOND, "1 h"),
        (90_061_000, "1 d 1 h"),
        (YEAR - 1, "364 d 23 h"),
        (YEAR, "1 y"),
        (400 * DAY, "1 y 35 d"),
    ],
)
def test_a_length_is_written_in_its_two_largest_units(milliseconds: float, words: str) -> None:
    assert duration(milliseconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "just now"),
        (400, "just now"),
        (-4_999, "just now"),
        (5 * SECOND, "5 s ago"),
        (MINUTE - 1, "59 s ago"),
        (YEAR - 1, "364 d ago"),
        (2 * YEAR, "2 y ago"),
        (-3 * HOUR, "in 3 h"),
    ],
)
def test_an_age_is_written_in_its_largest_unit(milliseconds: int, words: str) -> None:
    assert age(milliseconds) == words


@given(st.integers(0, 200 * YEAR))
def test_the_rough_length_is_how_the_exact_one_begins(milliseconds: int) -> None:
    assert duration(milliseconds).startswith(roughly(milliseconds))
    lengths = {name: length for length, name in UNITS}
    counts = duration(milliseconds).split()
    written = sum(int(count) * lengths[name] for count, name in zip(counts[::2], counts[1::2], strict=True))
    assert 0 <= milliseconds - written < max(SECOND, milliseconds / 10)
