"""The rhythm of a cohort (F5): when the next call is due, and when it has gone quiet."""

import pytest

from sync.status.cadence import Rhythm, learn
from tests.relay import MINUTE, SECOND, START

HOUR = 60 * MINUTE


def refreshes(*minutes: float) -> list[tuple[int, str]]:
    return [(START + int(minute * MINUTE), "members") for minute in minutes]


def diffs(*minutes: float) -> list[tuple[int, str]]:
    return [(start, action) for start, _ in refreshes(*minutes) for action in ("add_members", "remove_members")]


def test_rhythm_of_a_single_refresh_is_new_for_two_hours() -> None:
    assert learn(refreshes(0), START + 2 * HOUR) == Rhythm(START, None, "new")


def test_rhythm_of_a_refresh_that_nothing_followed_is_one_time() -> None:
    assert learn(refreshes(0), START + 2 * HOUR + 1) == Rhythm(START, None, "one_time")
    assert learn(refreshes(0, 20), START + 3 * HOUR) == Rhythm(START + 20 * MINUTE, None, "one_time")


@pytest.mark.parametrize("action", ["add_members", "remove_members"])
def test_rhythm_is_recurring_from_the_first_diff(action: str) -> None:
    sessions = [*refreshes(0), (START + HOUR, action)]
    assert learn(sessions, START + HOUR) == Rhythm(START + HOUR, 30 * MINUTE, "recurring")


def test_rhythm_is_recurring_from_the_third_beat() -> None:
    assert learn(refreshes(0, 60, 120), START).kind == "recurring"


def test_rhythm_is_mixpanels_own_until_three_gaps_are_known() -> None:
    assert learn(refreshes(0, 60, 120), START).every == 30 * MINUTE
    assert learn(refreshes(0, 60, 120, 180), START).every == 60 * MINUTE


def test_rhythm_is_the_usual_gap_whatever_the_odd_one() -> None:
    assert learn(diffs(0, 15, 30, 45, 600, 615), START).every == 15 * MINUTE


def test_rhythm_takes_an_add_and_a_remove_within_a_minute_as_one_beat() -> None:
    pairs = [(start, "members") for base, _ in refreshes(0, 60) for start in (base, base + 60 * SECOND)]
    assert learn(pairs, START + HOUR) == Rhythm(START + HOUR, None, "new")
    assert learn([*pairs, (START + HOUR + 61 * SECOND, "members")], START + HOUR).kind == "recurring"


def test_rhythm_does_not_depend_on_the_order_in_which_sessions_are_told() -> None:
    assert learn(diffs(0, 15, 30, 45)[::-1], START) == learn(diffs(0, 15, 30, 45), START)


def test_rhythm_is_quiet_after_three_missed_beats() -> None:
    rhythm = learn(diffs(0, 10, 20, 30), START)
    last = START + 30 * MINUTE
    assert rhythm.next_expected == last + 10 * MINUTE
    assert not rhythm.is_quiet(last + 30 * MINUTE)
    assert rhythm.is_quiet(last + 30 * MINUTE + 1)


def test_rhythm_is_not_quiet_while_pages_come() -> None:
    rhythm = learn(diffs(0, 10, 20, 30), START)
    assert not rhythm.is_quiet(START + 5 * HOUR, last_call_at=START + 5 * HOUR - MINUTE)


def test_rhythm_of_a_one_time_export_is_never_quiet() -> None:
    rhythm = learn(refreshes(0), START + 1000 * HOUR)
    assert not rhythm.is_quiet(START + 1000 * HOUR)
    assert rhythm.next_expected is None
