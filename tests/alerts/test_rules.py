"""When a message is sent (F12): on change of state only, and rarely where a state flaps."""

import pytest

from alerts import rules
from alerts.rules import CHANGING, RECOVERED, Remembered
from config.clock import MINUTE

HOUR = 60 * MINUTE


def told(*seen: tuple[int, str]) -> list[str]:
    """The kinds of message that follow from seeing one subject at these minutes in these states."""
    known: Remembered | None = None
    kinds = []
    for minute, state in seen:
        step = rules.step(known, state, minute * MINUTE)
        known = step.known
        kinds += [step.tell] if step.tell else []
    return kinds


def flapping(start: int = 0, times: int = 5, gap: int = 1) -> list[tuple[int, str]]:
    """First well, then so many changes of state, one each `gap` minutes."""
    return [(start + place * gap, "failing" if place % 2 else "in_step") for place in range(times + 1)]


@pytest.mark.parametrize("state", ["in_step", "receiving", "settling", "sweeping", "off", "one_time", "never_called"])
def test_a_first_sight_without_trouble_says_nothing(state):
    assert told((0, state)) == []


@pytest.mark.parametrize("state", sorted(rules.TROUBLES))
def test_a_first_sight_in_trouble_is_told(state):
    assert told((0, state)) == [state]


@pytest.mark.parametrize("state", sorted(rules.TROUBLES))
def test_each_trouble_is_told_once_however_often_it_is_seen(state):
    assert told((0, "in_step"), (1, state), (2, state), (3000, state)) == [state]


@pytest.mark.parametrize("state", ["in_step", "receiving", "settling", "sweeping"])
def test_the_way_out_of_a_trouble_is_told_as_recovered(state):
    assert told((0, "failing"), (1, state), (2, "in_step")) == ["failing", RECOVERED]


def test_one_trouble_after_another_is_one_message_each():
    assert told((0, "stalled"), (1, "quiet"), (2, "failing")) == ["stalled", "quiet", "failing"]


def test_work_is_no_news():
    states = ["in_step", "receiving", "settling", "sweeping", "in_step", "receiving", "in_step", "receiving"]
    assert told(*enumerate(states)) == []


def test_work_is_no_change_that_counts_as_flapping():
    assert told(*enumerate(["in_step", "receiving"] * 20), (41, "failing")) == ["failing"]


@pytest.mark.parametrize("silent", ["off", "one_time"])
def test_going_silent_from_a_trouble_says_nothing_and_forgets_it(silent):
    assert told((0, "failing"), (1, silent), (2, "in_step")) == ["failing"]
    assert told((0, "failing"), (1, silent), (2, "failing")) == ["failing", "failing"]


def test_four_changes_within_an_hour_are_told_one_by_one():
    assert told(*flapping(times=4)) == ["failing", RECOVERED, "failing", RECOVERED]


def test_the_fifth_change_within_an_hour_is_told_as_changing_often_and_then_there_is_silence():
    kinds = told(*flapping(times=40))
    assert kinds == ["failing", RECOVERED, "failing", RECOVERED, CHANGING]


def test_five_changes_in_more_than_an_hour_are_told_one_by_one():
    assert told(*flapping(times=12, gap=16)) == ["failing", RECOVERED] * 6


def test_after_fifteen_steady_minutes_the_present_state_is_told():
    kinds = told(*flapping(times=5), (19, "failing"), (20, "failing"), (21, "failing"))
    assert kinds[4:] == [CHANGING, "failing"]
    assert told(*flapping(times=5), (19, "failing"))[4:] == [CHANGING]


def test_after_fifteen_steady_minutes_nothing_is_told_that_was_told_last():
    assert told(*flapping(times=6), (30, "in_step"))[4:] == [CHANGING]


def test_the_fifteen_minutes_begin_anew_with_each_change():
    assert told(*flapping(times=5), (18, "quiet"), (25, "quiet"), (33, "quiet"))[4:] == [CHANGING, "quiet"]


def test_after_the_silence_changes_are_told_one_by_one_again():
    assert told(*flapping(times=5), (20, "failing"), (21, "in_step"))[4:] == [CHANGING, "failing", RECOVERED]


def test_a_flapping_subject_that_is_switched_off_is_forgotten():
    assert told(*flapping(times=5), (6, "off"), (7, "failing"))[4:] == [CHANGING, "failing"]


def test_nothing_new_leaves_what_is_known_as_it_is():
    known = rules.step(None, "failing", 0).known
    assert rules.step(known, "failing", HOUR) == rules.Step(known)
