"""A cohort's removal guard, and a refresh that it holds until somebody decides."""

import re

import pytest

from sync.sweep import decisions
from tests.dashboard.test_cohorts import table


@pytest.fixture
def browser(relay):
    return relay.sign_in("viewer")


def test_an_operator_sets_the_guard_of_a_cohort_and_it_is_noted(relay) -> None:
    relay.refresh(["a"])
    path = f"/cohorts/{relay.cohort()['id']}/settings"
    operator = relay.sign_in("operator")
    assert operator.post(path, {"percent": "20"}).status_code == 302
    assert relay.cohort()["guard_percent"] == 20
    assert "Held over 20 %" in operator.page(path)
    operator.post(path, {"percent": ""})
    assert relay.cohort()["guard_percent"] is None
    noted = relay.rows("SELECT who, action FROM audit_entry WHERE action = 'cohort.guard'")
    assert [row["who"] for row in noted] == ["operator@example.org"] * 2


@pytest.mark.parametrize("percent", ["101", "-1", "much", "5.5"])
def test_a_wrong_share_is_refused_beside_its_field(relay, percent) -> None:
    relay.refresh(["a"])
    answer = relay.sign_in("operator").post(f"/cohorts/{relay.cohort()['id']}/settings", {"percent": percent})
    assert answer.status_code == 422
    assert "whole number from 0 to 100" in answer.text
    assert relay.cohort()["guard_percent"] is None


def test_a_viewer_sees_the_guard_and_cannot_set_it(relay, browser) -> None:
    relay.refresh(["a"])
    path = f"/cohorts/{relay.cohort()['id']}/settings"
    assert "Held over 50 %" in browser.page(path)
    assert browser.post(path, {"percent": "1"}).status_code == 403


@pytest.fixture
def held(make_relay):
    """A relay with a cohort of ten, whose newest refresh would remove eight and is held."""
    relay = make_relay(removal_guard_min_members=10)
    relay.refresh([f"p{number}" for number in range(10)], session="s1")
    relay.refresh(["p0", "p1", "new"], session="s2")
    assert relay.session()["status"] == "held"
    return relay


def test_a_held_refresh_is_told_on_the_cohort_and_shows_who_would_leave(held) -> None:
    browser, path = held.sign_in("viewer"), f"/cohorts/{held.cohort()['id']}"
    assert "8 of 10 members" in browser.page(path)
    page = browser.page(f"{path}/held")
    assert [row[0].split()[0] for row in table(page)] == [f"p{number}" for number in range(2, 10)]
    assert "Approve" not in page


def test_approving_removes_them_and_is_noted(held) -> None:
    operator, path = held.sign_in("operator"), f"/cohorts/{held.cohort()['id']}/held"
    assert "Approve, remove 8 members" in operator.page(path)
    operator.post(f"{path}/approve", {"session": held.session()["id"]})
    assert held.members() == {"p0", "p1", "new"}
    assert len(held.rows("SELECT id FROM audit_entry WHERE action = 'cohort.held'")) == 1


def test_rejecting_keeps_everyone_and_is_noted(held) -> None:
    operator, path = held.sign_in("operator"), f"/cohorts/{held.cohort()['id']}/held"
    operator.post(f"{path}/reject", {"session": held.session()["id"]})
    assert len(held.members()) == 11
    assert held.session()["decision"] == "rejected"
    assert len(held.rows("SELECT id FROM audit_entry WHERE action = 'cohort.held'")) == 1
    assert operator.get(path).status_code == 302


def test_a_decision_counts_for_the_refresh_that_was_seen_and_no_other(held) -> None:
    operator, path = held.sign_in("operator"), f"/cohorts/{held.cohort()['id']}/held"
    seen = held.session()["id"]
    held.database.write(lambda db: decisions.reject(db, seen, held.clock()))
    answer = operator.post(f"{path}/approve", {"session": seen}, follow_redirects=True)
    assert "not held any more" in answer.text
    assert len(held.members()) == 11
    assert operator.post(f"{path}/approve", {"session": 999}).status_code == 404


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_viewer_does_not_decide(held, decision) -> None:
    path = f"/cohorts/{held.cohort()['id']}/held/{decision}"
    assert held.sign_in("viewer").post(path, {"session": held.session()["id"]}).status_code == 403


def test_who_would_leave_goes_on_by_person(make_relay) -> None:
    relay = make_relay(removal_guard_min_members=10)
    relay.refresh([f"p{number:02}" for number in range(70)], session="s1")
    relay.refresh(["p00"], session="s2")
    browser, path = relay.sign_in("viewer"), f"/cohorts/{relay.cohort()['id']}/held"
    first = browser.page(path)
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    shown = [row[0].split()[0] for row in table(first) + table(browser.page(older[1]))]
    assert shown == [f"p{number:02}" for number in range(1, 70)]
