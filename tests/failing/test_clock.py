"""Bar: a clock that jumps changes no set. Sessions are ordered by number (S9), and nothing waits for a day that was
already over."""

import pytest
from sqlalchemy import text

from config.clock_watch import ClockWatch
from outbound.transport import budget
from runtime import Runtime
from sync import worker as sync_worker
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay, TestClock

DAY = 86_400_000
HOUR = 3_600_000
JUMPS = pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
before = [f"p{number:02}" for number in range(30)]
after = [f"p{number:02}" for number in range(10, 50)]


def numbers(relay: Relay) -> list[int]:
    return [row["number"] for row in relay.rows("SELECT number FROM membership_change ORDER BY number")]


def assert_exact(relay: Relay, members: set[str]) -> None:
    """The set, the log that leads to it, and the count."""
    inside: set[str] = set()
    for kind, person, _entry in relay.log():
        assert (person in inside) is (kind == "left")
        inside ^= {person}
    assert relay.members() == inside == members
    assert relay.cohort()["member_count"] == len(members)
    assert numbers(relay) == list(range(1, len(relay.log()) + 1))


def refresh_in_pages(relay: Relay, session: str, jump: int = 0) -> None:
    """An export of `after` in four pages, in whose middle the clock jumps and the worker looks around."""
    for page in range(1, 5):
        relay.refresh(after[10 * (page - 1) : 10 * page], page, 4, session=session)
        if page == 2:
            relay.wait(jump)


@JUMPS
def test_s5_s9_an_export_in_whose_middle_the_clock_jumps_ends_exact(relay: Relay, jump: int) -> None:
    relay.refresh(before, session="first")
    refresh_in_pages(relay, "second", jump)
    assert_exact(relay, set(after))
    assert relay.session()["status"] == "complete"
    overview = relay.sign_in("viewer").page("/")
    assert "The one cohort" in overview
    assert "needs you" not in overview


@JUMPS
def test_s9_sessions_are_ordered_by_number_and_not_by_time(relay: Relay, jump: int) -> None:
    relay.refresh(before, 1, 2, session="older")
    relay.wait(jump)
    relay.refresh(["A", "B"], session="newer")
    relay.refresh(before, 2, 2, session="older")
    assert_exact(relay, {"A", "B"})
    relay.add(["C"], session="diff")
    relay.wait(-jump)
    relay.remove(["A"], session="last")
    assert_exact(relay, {"B", "C"})


@JUMPS
def test_s8_a_refresh_settles_within_its_settling_time_though_the_clock_jumps(relay: Relay, jump: int) -> None:
    relay.refresh(before, session="first")
    relay.refresh(after, session="second", page=None)
    relay.wait(jump)
    relay.settle()
    assert_exact(relay, set(after))
    assert relay.session()["status"] == "complete"


def test_s8_a_clock_that_is_set_back_lets_the_whole_settling_time_pass_once_more(relay: Relay) -> None:
    relay.refresh(before, session="first")
    relay.refresh(after[:20], session="second", page=None)
    relay.wait(-DAY)
    relay.wait(relay.rules.settle - 1000)
    assert relay.session()["status"] == "settling"
    relay.refresh(after[20:], session="second", page=None)
    relay.settle()
    assert_exact(relay, set(after))


@JUMPS
def test_s8_an_export_without_a_session_id_is_not_taken_for_one_of_before_the_jump(relay: Relay, jump: int) -> None:
    relay.refresh(["A"], session=None, page=None)
    relay.settle()
    relay.wait(jump)
    relay.refresh(["B"], session=None, page=None)
    relay.settle()
    assert relay.session()["number"] == 2
    assert_exact(relay, {"B"})


@JUMPS
def test_s13_a_session_that_the_jump_shows_as_stalled_goes_on_with_its_next_page(relay: Relay, jump: int) -> None:
    relay.refresh(before, session="first")
    relay.refresh(after[:20], 1, 2, session="second")
    relay.wait(jump)
    assert relay.session()["status"] == "stalled"
    relay.refresh(after[20:], 2, 2, session="second")
    assert_exact(relay, set(after))


@JUMPS
def test_s5_the_claim_of_a_dead_worker_is_not_stuck_though_the_clock_jumps(make_relay: MakeRelay, jump: int) -> None:
    relay = make_relay(sweep_inline_members=0)
    relay.refresh(before, session="first")
    relay.work()
    relay.refresh(after, session="second")
    assert len(list(sync_worker._claimed(relay.database, relay.rules, relay.clock))) == 1
    relay.work()
    assert relay.session()["status"] == "sweeping"
    relay.wait(jump)
    assert_exact(relay, set(after))


def test_calls_of_before_a_clock_was_set_back_do_not_use_up_the_budget_of_a_day(relay: Relay) -> None:
    runtime: Runtime = relay.app.extensions["runtime"]
    for _ in range(60):
        budget.give_back(runtime, budget.take(runtime, "1", "query"))
    with pytest.raises(budget.Spent):
        budget.take(runtime, "1", "query")
    relay.clock.forward(-DAY)
    assert budget.take(runtime, "1", "query")


@pytest.mark.parametrize(("jump", "how"), [(DAY, "forward by 1 d"), (-HOUR, "back by 1 h")])
def test_the_overview_and_readyz_say_that_the_clock_was_set_and_the_overview_also_after_a_restart(
    relay: Relay, jump: int, how: str
) -> None:
    runtime, steady = relay.app.extensions["runtime"], TestClock()
    runtime.clock_watch = ClockWatch(relay.clock, steady)
    relay.refresh(before, session="first")
    viewer = relay.sign_in("viewer")
    assert "clock" not in viewer.page("/overview/now")
    relay.clock.forward(jump)
    viewer.sign_in()
    assert f"This machine&#39;s clock was set {how}" in viewer.page("/overview/now")
    assert relay.client.get("/readyz").json["checks"]["clock"] == f"set {how}"
    runtime.clock_watch = ClockWatch(relay.clock, steady)  # another process knows of nothing but what is stored
    told = "The newest call is dated 1 h ahead of this machine&#39;s clock." in viewer.page("/overview/now")
    assert told is (jump < 0)
    relay.refresh(after, session="second")
    assert_exact(relay, set(after))


def test_a_clock_is_told_to_have_moved_for_an_hour() -> None:
    clock, steady = TestClock(), TestClock()
    watch = ClockWatch(clock, steady)
    for one in (clock, steady):
        one.forward(DAY)
    clock.forward(2 * MINUTE)
    assert watch.moved() == 2 * MINUTE
    for one in (clock, steady):
        one.forward(HOUR + MINUTE)
    assert (watch.moved(), watch.moved()) == (0, 0)


def test_the_log_keeps_the_time_that_was_then_and_its_order(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.clock.forward(-DAY)
    relay.add(["B"], session="second")
    found = relay.database.read(lambda db: db.execute(text("SELECT number, at FROM membership_change")).all())
    (first, at_first), (second, at_second) = sorted(found)
    assert (first, second) == (1, 2)
    assert at_second == at_first - DAY
    answer = relay.api("/projects/1/cohorts/7/changes")
    assert [row["distinct_id"] for row in answer.json["data"]] == ["A", "B"]
