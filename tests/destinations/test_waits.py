"""What vendors write into their headers is read in every form, and never believed beyond a day."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.waits import HEADERS, LONGEST, wait_of

NOW = 1_780_000_000_000  # milliseconds
MOMENT = st.integers(1_600_000_000, 2_000_000_000)  # seconds


@given(st.sampled_from(HEADERS), st.integers(0, 10**9 - 1))
def test_a_number_below_a_billion_is_a_delay(header: str, seconds: int) -> None:
    assert wait_of({header: str(seconds)}, NOW) == min(seconds, LONGEST)


@given(st.sampled_from(HEADERS), MOMENT, MOMENT)
def test_a_moment_is_the_same_in_seconds_milliseconds_and_as_a_date(header: str, now: int, until: int) -> None:
    wait = float(min(max(until - now, 0), LONGEST))
    date = format_datetime(datetime.fromtimestamp(until, UTC), usegmt=True)
    assert [wait_of({header: text}, now * 1000) for text in (str(until), f"{until}000", date)] == [wait] * 3


@given(MOMENT, st.integers(-10_000, 10_000), st.integers(0, 3600))
def test_the_clock_of_the_far_end_may_be_wrong(now: int, off: int, wait: int) -> None:
    theirs = now + off
    headers = {
        "Date": format_datetime(datetime.fromtimestamp(theirs, UTC), usegmt=True),
        "X-RateLimit-Reset": str(theirs + wait),
    }
    assert wait_of(headers, now * 1000) == wait


@given(st.dictionaries(st.sampled_from([*HEADERS, "Date"]), st.text(max_size=40)))
def test_whatever_stands_there_is_a_wait_of_a_day_at_most_or_none(headers: dict[str, str]) -> None:
    found = wait_of(headers, NOW)
    assert found is None or 0 <= found <= LONGEST


@given(st.dictionaries(st.sampled_from([*HEADERS, "Date"]), st.from_regex(r"-?[0-9.e+]{0,400}", fullmatch=True)))
def test_numbers_of_any_length_and_form_are_no_trouble(headers: dict[str, str]) -> None:
    found = wait_of(headers, NOW)
    assert found is None or 0 <= found <= LONGEST


@pytest.mark.parametrize("text", ["", " ", "soon", "-5", "1e3", "٣", "½", "1,5", "nan", "inf", "0x10"])
def test_what_cannot_be_read_asks_for_nothing(text: str) -> None:
    assert wait_of({"Retry-After": text}, NOW) is None


def test_what_says_it_plainly_goes_before_what_resets_a_limit_and_names_are_read_in_any_case() -> None:
    assert wait_of({"x-ratelimit-reset": "90", "retry-after": "7"}, NOW) == 7
    assert wait_of({"RATELIMIT-RESET": "90", "retry-after": "soon"}, NOW) == 90
    assert wait_of({"X-Ratelimit-Retry-After": "2.5"}, NOW) == 2.5
