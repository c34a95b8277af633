"""The removal guard (F11): a refresh that would remove too much is held until an operator decides."""

import pytest

from models.claims import Claim
from sync import worker as sync_worker
from sync.id_sets import IdSet
from sync.sweep import decisions
from sync.sweep import steps as sweep_steps
from sync.sweep.steps import Sweep
from tests.conftest import MakeRelay
from tests.relay import MINUTE, SECOND, Relay
from tests.sync.statements import watched
from tests.sync.test_s10_truth import counted_three_ways

TEN = [f"u{number}" for number in range(10)]
ALARMING = [*TEN[:4], "new"]  # six of ten would leave


@pytest.fixture(params=[1_000_000, 0], ids=["at once", "in steps"])
def relay(request: pytest.FixtureRequest, make_relay: MakeRelay) -> Relay:
    """A cohort of ten, of whom half may leave; swept at once, or in steps by the worker."""
    relay = make_relay(removal_guard_min_members=10, sweep_inline_members=request.param)
    relay.refresh(TEN, session="first")
    relay.work()
    return relay


def refreshed(relay: Relay, members: list[str], session: str = "second") -> str:
    """The status of a refresh that names `members` in two pages, when its sweep is through."""
    relay.refresh(members[:2], 1, 2, session=session)
    relay.refresh(members[2:], 2, 2, session=session)
    relay.work()
    found: str = relay.session()["status"]
    return found


def approve(relay: Relay) -> bool:
    session_id = relay.session()["id"]
    done = relay.database.write(lambda db: decisions.approve(db, session_id, relay.rules, relay.clock()))
    relay.work()
    return done


def reject(relay: Relay) -> bool:
    session_id = relay.session()["id"]
    return relay.database.write(lambda db: decisions.reject(db, session_id, relay.clock()))


def leaving(relay: Relay, after: int = 0, limit: int = 100) -> list[str]:
    session_id = relay.session()["id"]
    ids = relay.database.read(lambda db: decisions.would_leave(db, session_id, after, limit))
    names = {row["id"]: row["distinct_id"] for row in relay.rows("SELECT id, distinct_id FROM person")}
    return [names[person_id] for person_id in ids]


# --- what is held


def test_guard_holds_a_refresh_that_would_remove_more_than_the_share(relay: Relay) -> None:
    assert refreshed(relay, ALARMING) == "held"
    assert relay.members() == {*TEN, "new"}
    session = relay.session()
    assert (session["held_at"], session["would_leave"], session["would_leave_of"]) == (relay.clock(), 6, 10)
    assert session["decision"] is None


def test_guard_lets_exactly_the_share_leave(relay: Relay) -> None:
    assert refreshed(relay, [*TEN[:5], "new"]) == "complete"
    assert relay.members() == {*TEN[:5], "new"}


def test_guard_counts_arrivals_to_neither_side(relay: Relay) -> None:
    assert refreshed(relay, [*TEN[:4], *(f"new{number}" for number in range(50))]) == "held"
    assert relay.session()["would_leave_of"] == 10


def test_guard_counts_arrivals_that_left_again_only_once(relay: Relay) -> None:
    relay.refresh(["new"], 1, 2, session="second")
    relay.remove(["new"], session="diff")
    relay.refresh(TEN[:4], 2, 2, session="second")
    relay.work()
    assert relay.session(2)["would_leave_of"] == 10


def test_guard_leaves_small_cohorts_alone(make_relay: MakeRelay) -> None:
    relay = make_relay(removal_guard_min_members=11)
    relay.refresh(TEN, session="first")
    assert refreshed(relay, ALARMING) == "complete"


def test_guard_of_0_percent_is_off(make_relay: MakeRelay) -> None:
    relay = make_relay(removal_guard_percent=0, removal_guard_min_members=0)
    relay.refresh(TEN, session="first")
    relay.refresh([], session="second")
    assert relay.members() == set()


@pytest.mark.parametrize(("share", "status"), [(60, "complete"), (59, "held"), (0, "complete"), (None, "held")])
def test_guard_takes_the_cohorts_own_share_before_the_settings(relay: Relay, share: int | None, status: str) -> None:
    relay.database.write(lambda db: decisions.set_percent(db, relay.cohort()["id"], share))
    assert refreshed(relay, ALARMING) == status


@pytest.mark.parametrize("share", [-1, 101])
def test_guard_knows_no_share_that_is_none(relay: Relay, share: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        relay.database.write(lambda db: decisions.set_percent(db, 1, share))


def test_guard_holds_a_settled_refresh_too(relay: Relay) -> None:
    relay.refresh(["u0"], session="second", page=None)
    relay.settle()
    assert relay.session()["status"] == "held"
    assert relay.members() == set(TEN)


def test_guard_s5_keeps_the_cohort_as_unsynced_as_it_was(relay: Relay) -> None:
    before = relay.cohort()
    relay.clock.forward(MINUTE)
    refreshed(relay, ALARMING)
    after = relay.cohort()
    for name in ("complete_refresh", "last_synced_at", "first_synced_at"):
        assert after[name] == before[name]


def test_s10_s14_guard_keeps_the_counts_true(relay: Relay) -> None:
    refreshed(relay, [*ALARMING, "u0", ""])
    assert counted_three_ways(relay) == (11, 11, 11)
    counts = ("received", "entered", "left_count", "unchanged", "rejected")
    assert tuple(relay.session()[name] for name in counts) == (6, 1, 0, 4, 1)
    approve(relay)
    assert counted_three_ways(relay) == (5, 5, 5)
    assert tuple(relay.session()[name] for name in counts) == (6, 1, 6, 4, 1)


# --- what the operator does


def test_guard_approved_lets_them_leave(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.clock.forward(MINUTE)
    assert approve(relay)
    assert relay.members() == set(ALARMING)
    session = relay.session()
    assert (session["status"], session["decision"], session["left_count"]) == ("complete", "approved", 6)
    assert relay.cohort()["last_synced_at"] == relay.clock()


def test_guard_rejected_keeps_everybody(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert reject(relay)
    assert relay.members() == {*TEN, "new"}
    assert (relay.session()["status"], relay.session()["decision"]) == ("superseded", "rejected")


def test_guard_rejected_hears_no_later_page_of_that_refresh(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    reject(relay)
    relay.refresh(["other"], 1, 2, session="second")
    relay.settle()
    assert relay.members() == {*TEN, "new"}
    assert relay.session()["status"] == "superseded"


def test_guard_is_asked_once(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert approve(relay)
    assert not approve(relay)
    assert not reject(relay)


def test_guard_tells_who_would_leave_page_by_page(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert leaving(relay) == TEN[4:]
    (u6,) = relay.rows("SELECT id FROM person WHERE distinct_id = 'u6'")
    assert leaving(relay, u6["id"], 2) == ["u7", "u8"]
    assert leaving(relay, u6["id"]) == ["u7", "u8", "u9"]


def test_guard_tells_of_nobody_where_nothing_is_held(relay: Relay) -> None:
    assert leaving(relay) == []
    assert relay.database.read(lambda db: decisions.would_leave(db, 99, 0, 10)) == []
    assert not relay.database.write(lambda db: decisions.approve(db, 99, relay.rules, 0))


def test_guard_looks_at_the_ids_a_window_at_a_time(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "WINDOW", 3)
    monkeypatch.setattr(sweep_steps, "WINDOW", 3)
    refreshed(relay, ALARMING)
    assert relay.session()["would_leave"] == 6
    assert leaving(relay) == TEN[4:]
    assert leaving(relay, limit=5) == TEN[4:9]


# --- what comes after


def test_guard_lets_a_second_refresh_that_agrees_through(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert refreshed(relay, ALARMING, session="third") == "complete"
    assert relay.members() == set(ALARMING)
    assert (relay.session()["decision"], relay.session()["would_leave"]) == ("agreed", 7 - 1)
    assert (relay.session(2)["status"], relay.session(2)["decision"]) == ("superseded", None)


def test_guard_holds_anew_after_a_rejection(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    reject(relay)
    assert refreshed(relay, ALARMING, session="third") == "held"


def test_guard_lets_a_harmless_refresh_through_after_a_held_one(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert refreshed(relay, TEN, session="third") == "complete"
    assert relay.members() == set(TEN)
    assert relay.session()["decision"] is None


def test_guard_holds_anew_when_the_refresh_between_was_not_held(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.refresh(["u0"], 1, 2, session="half")
    assert refreshed(relay, ALARMING, session="fourth") == "held"


def test_guard_s9_a_newer_refresh_ends_the_decision(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    held = relay.session()["id"]
    relay.refresh(["u0"], 1, 2, session="third")
    assert not relay.database.write(lambda db: decisions.approve(db, held, relay.rules, relay.clock()))
    assert len(relay.members()) == 11


def test_guard_s7_a_replay_changes_nothing(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    before = relay.log(), relay.session()
    relay.refresh(ALARMING[:2], 1, 2, session="second")
    relay.work()
    after = relay.session()
    assert (relay.log(), after) == (before[0], before[1] | {"replayed": 1})


def test_guard_s8_another_version_of_a_page_settles_and_is_judged_again(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.refresh(TEN[4:], 1, 2, session="second")
    assert (relay.session()["status"], relay.session()["held_at"]) == ("settling", None)
    relay.settle()
    assert relay.session()["status"] == "complete"
    assert relay.members() == {"new", *TEN[2:]}


def test_guard_s8_another_version_may_be_held_again(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.refresh(["u9"], 1, 2, session="second")
    relay.settle()
    assert (relay.session()["status"], relay.session()["would_leave"]) == ("held", 7)


def test_guard_s9_approval_spares_those_of_whom_a_diff_has_spoken_since(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    held = relay.session()["id"]
    relay.add(["u9", "late"], session="diff")
    relay.remove(["u0"], session="diff")
    ids = relay.database.read(lambda db: decisions.would_leave(db, held, 0, 100))
    assert len(ids) == 5
    assert relay.database.write(lambda db: decisions.approve(db, held, relay.rules, relay.clock()))
    relay.work()
    assert relay.members() == {"u1", "u2", "u3", "u9", "new", "late"}


def test_guard_s9_late_pages_of_older_diffs_still_count(relay: Relay) -> None:
    relay.add(["early"], 1, 2, session="diff")
    assert refreshed(relay, ALARMING) == "held"
    relay.add(["late"], 2, 2, session="diff")
    assert relay.members() == {*TEN, "new", "early", "late"}
    approve(relay)
    assert relay.members() == set(ALARMING)


def test_guard_s13_held_is_not_stalled(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.wait(relay.rules.stalled + SECOND)
    assert relay.session()["status"] == "held"


def test_guard_the_pages_of_a_held_refresh_are_kept(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    relay.clock.forward(90 * 24 * 60 * MINUTE)
    sync_worker.prune(relay.database, 30, 0, relay.clock())
    approve(relay)
    assert relay.members() == set(ALARMING)


def test_guard_shows_the_cohort_as_held(relay: Relay) -> None:
    refreshed(relay, ALARMING)
    assert relay.api("/projects/1/cohorts/7").json["status"] == "held"  # type: ignore[index]


# --- what it costs


def last_page(relay: Relay, stayers: list[str]) -> list[str]:
    """The statements of the last page of a refresh that names `stayers`."""
    relay.refresh([], 1, 2, session=f"for {len(stayers)}")
    with watched(relay) as statements:
        relay.refresh(stayers, 2, 2, session=f"for {len(stayers)}")
    return statements


def test_guard_costs_an_ordinary_refresh_nothing_and_a_held_one_a_statement(make_relay: MakeRelay) -> None:
    relay = make_relay(removal_guard_min_members=5)
    relay.refresh(TEN, session="first")
    ordinary = last_page(relay, TEN[:9])
    held = last_page(relay, TEN[:2])
    relay.database.write(lambda db: decisions.set_percent(db, relay.cohort()["id"], 0))
    assert ordinary == last_page(relay, TEN[:1])
    assert len([one for one in held if "held_at, decision, held_for FROM" in one]) == 1
    assert len(held) <= 12


def test_guard_in_steps_removes_nobody_before_it_has_counted_all(
    make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = make_relay(removal_guard_min_members=10, sweep_inline_members=0)
    relay.refresh(TEN, session="first")
    relay.work()
    relay.refresh(ALARMING, session="second")
    assert relay.session()["status"] == "sweeping"
    with monkeypatch.context() as steps:
        steps.setattr(sweep_steps, "step", lambda *_: pytest.fail("a step before the verdict"))
        relay.work()
    assert relay.session()["status"] == "held"
    assert approve(relay)
    assert relay.members() == set(ALARMING)


def one_sweep(relay: Relay, claim: Claim) -> Sweep:
    return Sweep(relay.database, relay.rules, claim, relay.clock)


def test_guard_a_second_worker_cannot_hold_what_is_being_swept(make_relay: MakeRelay) -> None:
    """Its claim had run out while it counted; the other one's steps have made the cohort smaller since."""
    relay = make_relay(removal_guard_min_members=5, sweep_inline_members=0)
    relay.refresh(TEN, session="first")
    relay.work()
    relay.refresh(TEN[:5], session="second")
    (slow,) = [one_sweep(relay, claim) for claim in sync_worker._claimed(relay.database, relay.rules, relay.clock)]
    counted = sweep_steps.Tally(named=5, leaving=5)
    relay.clock.forward(relay.rules.claim + 1)
    (fast,) = [one_sweep(relay, claim) for claim in sync_worker._claimed(relay.database, relay.rules, relay.clock)]
    assert fast.locked(lambda db, *both: sweep_steps.judge(db, relay.rules, *both, counted, relay.clock()))
    marks = IdSet(0, 100)
    relay.database.read(lambda db: sweep_steps.read_named(db, relay.session()["id"], marks))
    assert fast.step(marks, 0)
    assert slow.locked(lambda db, *both: sweep_steps.judge(db, relay.rules, *both, counted, relay.clock())) is None
    relay.clock.forward(relay.rules.claim + 1)
    relay.work()
    assert (relay.session()["status"], relay.session()["decision"]) == ("complete", None)
    assert relay.members() == set(TEN[:5])
