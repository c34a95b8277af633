"""S5: the sweep of a cohort that is too large for one transaction goes on in steps after the last page."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sync import worker as sync_worker
from sync.id_sets import IdSet
from sync.rules import Rules
from sync.sweep import steps as sweep_steps
from sync.sweep.steps import Sweep
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay

PEOPLE = [f"u{number:02}" for number in range(20)]


class Killed(Exception):
    """The worker died here."""


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    """Every sweep takes steps, of two people each."""
    return make_relay(sweep_inline_members=0, sweep_step_members=2)


def sweep_of(relay: Relay, stayers: list[str]) -> None:
    """A full cohort whose refresh is about to be swept."""
    relay.refresh(PEOPLE, session="first")
    relay.work()
    relay.refresh(stayers, session="second")


def dies_in_step(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The worker dies at the beginning of the sweep's step `number`."""
    one_step, taken = sweep_steps.step, []

    def dying(*arguments: Any) -> bool:
        taken.append(None)
        if len(taken) == number:
            raise Killed
        return one_step(*arguments)

    monkeypatch.setattr(sweep_steps, "step", dying)


def test_s5_a_large_cohort_is_shown_as_sweeping_until_the_worker_has_finished(relay: Relay) -> None:
    sweep_of(relay, ["u03", "u17"])
    assert relay.session()["status"] == "sweeping"
    assert relay.members() == set(PEOPLE)
    relay.work()
    assert relay.session()["status"] == "complete"
    assert relay.members() == {"u03", "u17"}


def test_s5_s14_a_sweep_in_steps_counts_like_one_at_once(relay: Relay) -> None:
    sweep_of(relay, ["u03", "u17", "new", ""])
    relay.work()
    session = relay.session()
    counts = ("received", "entered", "left_count", "unchanged", "rejected")
    assert tuple(session[name] for name in counts) == (4, 1, 18, 2, 1)


def test_s5_s10_readers_see_true_counts_between_the_steps(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_of(relay, [])
    dies_in_step(monkeypatch, 5)
    with pytest.raises(Killed):
        relay.work()
    assert 0 < len(relay.members()) < len(PEOPLE)
    assert relay.cohort()["member_count"] == len(relay.members())


def test_s5_an_interrupted_sweep_is_taken_up_again(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_of(relay, ["u03"])
    with monkeypatch.context() as death:
        dies_in_step(death, 5)
        with pytest.raises(Killed):
            relay.work()
    relay.wait(2 * MINUTE)
    assert relay.members() == {"u03"}
    assert len(relay.log()) == 20 + 19
    assert relay.session()["left_count"] == 19


def test_s5_a_dead_workers_claim_holds_for_a_minute(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_of(relay, [])
    with monkeypatch.context() as death:
        dies_in_step(death, 5)
        with pytest.raises(Killed):
            relay.work()
    relay.wait(MINUTE - 1)
    assert relay.session()["status"] == "sweeping"
    relay.wait(2)
    assert relay.session()["status"] == "complete"


def test_s5_no_other_worker_takes_over_however_long_the_sweep_takes(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_of(relay, [])
    one_step, taken_over = sweep_steps.step, []

    def slow(*arguments: Any) -> bool:
        relay.clock.forward(MINUTE // 2 - 1)
        taken_over.extend(sync_worker._claimed(relay.database, relay.rules, relay.clock))
        return one_step(*arguments)

    monkeypatch.setattr(sweep_steps, "step", slow)
    relay.work()
    assert relay.session()["completed_at"] - relay.session()["started_at"] >= 5 * MINUTE
    assert taken_over == []


def test_s5_a_worker_that_slept_past_its_claim_removes_nobody_by_what_it_knew(relay: Relay) -> None:
    sweep_of(relay, ["u03"])
    (asleep,) = (sweep for sweep in sweeps(relay))
    old = IdSet(0, 100)
    relay.database.read(lambda db: sweep_steps.read_named(db, relay.session()["id"], old))
    relay.wait(2 * MINUTE)
    relay.refresh(["u04"], session="second")  # another version of the page, when the sweep was over
    relay.clock.forward(relay.rules.settle)
    (awake,) = (sweep for sweep in sweeps(relay))
    relay.database.write(lambda db: sync_worker._settle(db, relay.rules, awake.claim.id, relay.clock()))
    assert relay.session()["status"] == "sweeping"
    assert not asleep.step(old, 0)
    assert "u04" in relay.members()
    awake.run()
    assert relay.members() == {"u04"}


def sweeps(relay: Relay) -> Iterator[Sweep]:
    """What a worker has claimed."""
    for claim in sync_worker._claimed(relay.database, relay.rules, relay.clock):
        yield Sweep(relay.database, relay.rules, claim, relay.clock)


def test_s5_two_workers_do_not_do_the_same_work_twice(relay: Relay) -> None:
    sweep_of(relay, ["u03"])
    start, moved = threading.Barrier(2), []

    def worker() -> None:
        start.wait()
        moved.append(sync_worker.run_once(relay.database, relay.rules, relay.clock))

    workers = [threading.Thread(target=worker) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(moved) == [0, 1]
    assert len(relay.log()) == 20 + 19


def test_s5_s9_an_entry_during_the_sweep_is_spared(relay: Relay) -> None:
    sweep_of(relay, ["u03"])
    relay.add(["u05", "new"], session="diff")
    relay.work()
    assert relay.members() == {"u03", "u05", "new"}


def test_s5_s9_a_late_page_of_an_older_diff_lets_nobody_in_behind_the_sweep(relay: Relay) -> None:
    relay.refresh(PEOPLE, session="first")
    relay.work()
    relay.add(["u03"], 1, 2, session="diff")
    relay.refresh(["u03"], session="second")
    relay.add(["new"], 2, 2, session="diff")
    relay.work()
    assert relay.members() == {"u03"}
    assert relay.session(2)["status"] == "superseded"


def test_s5_s9_a_newer_refresh_ends_the_sweep(relay: Relay) -> None:
    sweep_of(relay, [])
    relay.refresh(["u03"], 1, 2, session="third")
    relay.work()
    assert relay.session(2)["status"] == "superseded"
    assert relay.members() == set(PEOPLE)


def test_s5_s8_another_version_of_a_page_ends_the_sweep_and_settles(relay: Relay) -> None:
    sweep_of(relay, ["u03"])
    relay.refresh(["u04"], session="second")
    assert relay.session()["status"] == "settling"
    relay.settle()
    assert relay.members() == {"u04"}


def test_s5_s8_a_settled_refresh_of_a_large_cohort_is_swept_in_steps_at_once(relay: Relay) -> None:
    relay.refresh(PEOPLE, session="first", page=None)
    relay.settle()
    relay.refresh(["u03"], session="second", page=None)
    relay.settle()
    assert relay.members() == {"u03"}


@pytest.mark.parametrize(("members", "status"), [(3, "complete"), (4, "sweeping")])
def test_s5_the_size_from_which_steps_are_taken_is_a_setting(make_relay: MakeRelay, members: int, status: str) -> None:
    relay = make_relay(sweep_inline_members=3)
    relay.refresh(PEOPLE[:members])
    assert relay.rules == Rules(sweep_inline=3)
    assert relay.session()["status"] == status
