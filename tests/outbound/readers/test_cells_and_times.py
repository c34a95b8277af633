"""Cells that are numbers, and times, however they are written."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.readers import cells, times
from outbound.readers.times import NoTime


@given(st.text(max_size=20) | st.from_regex(r"[-+]?[0-9._eE]{1,20}", fullmatch=True) | st.floats().map(str))
def test_a_cell_is_a_number_only_where_it_is_written_back_the_same(text: str) -> None:
    found = cells.value(text)
    if isinstance(found, int | float) and not isinstance(found, bool):
        assert json.dumps(found) == text
        assert abs(found) <= 2**53


@pytest.mark.parametrize(
    "text",
    ["1.10", "5e92", "007", "+1", "1_000", "\uff11\uff12", "-0", " 1", "NaN", "Infinity", "1e400", "9007199254740993",
     "89014103211118510720", "True", "null", "[NaN]", "[1e400]", '{"a": 1, "a": 2}', "[12345678901234567890]",
     "9" * 5000, "[" * 5000],
)  # fmt: skip
def test_what_would_change_as_a_number_stays_a_text(text: str) -> None:
    assert cells.value(text) == text


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("-2.5", -2.5), ("9007199254740992", 2**53), ("true", True), ('["a"]', ["a"])]
)
def test_what_is_written_as_json_is_that(text: str, value: object) -> None:
    assert cells.value(text) == value


moments = st.datetimes(datetime(1974, 1, 1), datetime(2199, 1, 1)).map(  # noqa: DTZ001
    lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000)
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moments, zones, st.sampled_from("T "), st.booleans())
def test_a_time_in_any_zone_keeps_its_milliseconds(at: datetime, zone: timezone, sign: str, spaced: bool) -> None:
    aware = at.replace(tzinfo=zone)
    text = f" {at.isoformat(sign, 'milliseconds')}{' ' * spaced}{aware.strftime('%z')}"
    assert times.milliseconds(text) == round(aware.timestamp() * 1000)


@given(moments)
def test_one_moment_is_the_same_however_its_digits_are_counted(at: datetime) -> None:
    whole = round(at.replace(tzinfo=UTC).timestamp() * 1000)
    ways = [whole, str(whole), str(whole * 1000), str(whole * 1_000_000), f"{whole // 1000}.{whole % 1000:03}",
            at.isoformat() + "Z", at.isoformat(" ") + " UTC", at.strftime("%Y%m%dT%H%M%S.%f")]  # fmt: skip
    assert {times.milliseconds(way) for way in ways} == {whole}


def test_seconds_stay_seconds_and_a_time_in_words_is_milliseconds() -> None:
    assert times.moment("1777629600") == 1777629600
    assert times.moment("1777629600.25") == 1777629600250
    assert times.moment("2026-05-01T10:00:00Z") == 1777629600000
    assert times.moment("20260501") == 1777593600000
    assert times.seconds("2026-05-01T10:00:00.250Z") == 1777629600.25


@pytest.mark.parametrize(
    "given_",
    ["", "yesterday", "NaN", "Infinity", "1_763_971_200", "+1763971200", "\uff11763971200", "1e9", "2026-13-01",
     "2026-02-30", "05/01/2026", "2026-05-01T25:00:00Z", "99999-01-01", True, float("nan"), float("inf"), [], None],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_the_forms_that_are(given_: object) -> None:
    with pytest.raises(NoTime, match="2026-11-24T09:30:00Z"):
        times.milliseconds(given_)
