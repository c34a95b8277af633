"""S7: a page that returns with the same body changes nothing and succeeds."""

from typing import Any

import pytest

from sync import dialects
from sync.apply import receive
from tests.relay import MINUTE, Relay, member


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_s7_p23_a_page_that_returns_changes_nothing(relay: Relay, action: str) -> None:
    relay.refresh(["A", "B"], session="before")
    relay.sync(action, ["B", "C"], session="now")
    log, cohort = relay.log(), relay.cohort()
    for _ in range(3):
        relay.sync(action, ["B", "C"], session="now")
    assert relay.log() == log
    assert relay.cohort() == cohort
    assert relay.session()["replayed"] == 3


def test_s7_p4_a_repeated_last_page_begins_nothing_new(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.refresh(["B"], 2, 2)
    relay.refresh(["B"], 2, 2)
    relay.settle()
    assert relay.members() == {"A", "B"}
    assert relay.session()["status"] == "complete"


def test_s7_a_restart_from_the_top_with_the_same_pages_changes_nothing(relay: Relay) -> None:
    for page in (1, 2, 1, 2, 3):
        relay.refresh([f"u{page}"], page, 3)
    assert relay.members() == {"u1", "u2", "u3"}
    assert (relay.session()["replayed"], relay.session()["status"]) == (2, "complete")


def test_s7_the_same_members_on_two_pages_are_no_replay(relay: Relay) -> None:
    relay.add(["A"], 1, 2)
    relay.add(["A"], 2, 2)
    assert relay.session()["replayed"] == 0
    assert relay.session()["status"] == "complete"


@pytest.mark.parametrize("other", [{"session": "other"}, {"cohort": "8"}, {"project": "2"}])
def test_s7_the_same_page_of_another_session_or_cohort_is_no_replay(relay: Relay, other: dict[str, str]) -> None:
    relay.add(["A"])
    relay.add(["A"], **other)
    assert sum(row["replayed"] for row in relay.rows("SELECT replayed FROM sync_session")) == 0


def test_s7_a_replayed_removal_does_not_undo_a_newer_addition(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.remove(["A"], session="second")
    relay.add(["A"], session="third")
    relay.remove(["A"], session="second")
    assert relay.members() == {"A"}


def test_s7_the_pages_own_replays_are_counted(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.refresh(["A"], 1, 2)
    assert [row["replays"] for row in relay.rows("SELECT replays FROM sync_page ORDER BY page")] == [1]


def test_s7_a_replay_keeps_a_stalled_export_from_looking_dead(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.wait(16 * MINUTE)
    assert relay.session()["status"] == "stalled"
    relay.refresh(["A"], 1, 2)
    assert relay.session()["status"] == "receiving"
    assert relay.session()["last_page_at"] == relay.clock()


@pytest.mark.parametrize("where", ["write_people", "write_stays"])
def test_s7_p11_a_failure_in_the_middle_leaves_no_record_of_the_page(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    relay.refresh(["A"], session="first")
    broken = dialects.STORES[relay.database.dialect]
    with monkeypatch.context() as fault:
        fault.setattr(broken, where, _fail)
        assert relay.post("add_members", [member("B")], session="second").status_code == 500
    assert relay.members() == {"A"}
    relay.add(["B"], session="second")
    assert relay.members() == {"A", "B"}
    assert relay.session()["replayed"] == 0


@pytest.mark.parametrize("step", ["_count", "_conclude"])
def test_s7_p21_a_failure_is_answered_as_one_and_leaves_nothing_half_done(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    relay.refresh(["A", "B"], session="first")
    before = (relay.log(), relay.cohort(), relay.rows("SELECT * FROM person ORDER BY id"))
    monkeypatch.setattr(receive.PageRun, step, _fail)
    answer = relay.post("members", [member("C", email="c@example.org")], session="second")
    assert (answer.status_code, answer.json["status"]) == (500, "failure")
    assert (relay.log(), relay.cohort(), relay.rows("SELECT * FROM person ORDER BY id")) == before


def _fail(*_arguments: Any, **_named: Any) -> None:
    raise RuntimeError("a fault of ours")
