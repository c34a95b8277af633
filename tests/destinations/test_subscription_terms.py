"""Other terms for a subscription that runs, by each door: they hold from the next call on, and nobody is told again."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from destinations import subscription_terms
from destinations.settings import WrongSettings
from destinations.subscription_terms import Terms
from destinations.subscriptions import NewSubscription
from tests.dashboard.test_destinations import plain
from tests.destinations.conftest import Relaying
from tests.destinations.test_api import ADA, Api
from tests.destinations.test_terminal import Terminal

BOB = {"mixpanel_distinct_id": "bob", "email": "bob@example.com", "plan": "free"}
OTHERS = [one.name for one in fields(NewSubscription) if one.name != "guard_percent"]
CHANGED = {"fields": {"tier": "plan"}, "reentry": "once", "report": "Told CRM", "guard_percent": 20}


@pytest.fixture
def number(relaying: Relaying) -> int:
    """A stream that has been told of Ada, with her e-mail."""
    relaying.relay.refresh([ADA])
    relaying.destination("hook", "hook")
    known = relaying.subscribe("hook", start="present", fields={"email": "email"})
    relaying.work()
    return known.id


def terms(relaying: Relaying, number: int) -> dict[str, object]:
    known = relaying.subscription(number)
    found = {name: getattr(known, name) for name in ("fields", "reentry", "guard_percent")}
    return found | {"report": known.report_event}


def noted(relaying: Relaying) -> list[tuple[Any, ...]]:
    rows = relaying.relay.rows("SELECT before, after FROM audit_entry WHERE action = 'subscription.change' ORDER BY id")
    sides = [(row["before"], row["after"]) for row in rows]  # text on SQLite
    return [tuple(json.loads(one) if isinstance(one, str) else one for one in both) for both in sides]


Sides = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]


def change(relaying: Relaying, number: int, **given: object) -> Sides:
    """Change them; return what the audit trail is told, before and after, empty where it is told nothing."""
    known, told = relaying.subscription(number), []

    def note(action: str, subject: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        assert (action, subject) == ("subscription.change", "hook: 1/7")
        told.append((before, after))

    after = relaying.database.write(lambda db: subscription_terms.change(db, known, Terms(**given), note))
    assert after == (told[0][1] if told else {})
    return told[0] if told else ({}, {})


def test_the_next_call_goes_by_them_and_nobody_is_told_again(relaying: Relaying, number: int) -> None:
    change(relaying, number, fields={"tier": "plan"})
    relaying.work()
    relaying.relay.add([BOB])
    relaying.work()
    told = [(one.distinct_id, one.fields) for body in relaying.there("hook").bodies for one in body]
    assert told == [("ada", {"email": "ada@example.com"}), ("bob", {"tier": "free"})]


def test_a_rule_for_coming_again_counts_from_its_first_call_on(relaying: Relaying, number: int) -> None:
    change(relaying, number, reentry="once")
    for _ in range(3):
        relaying.relay.remove(["ada"])
        relaying.relay.add([ADA])
        relaying.work()
    kinds = [kind for kind, *_rest in relaying.there("hook").heard]
    assert kinds.count("entered") == 2  # the one before the rule, and the first one under it


def test_only_what_is_given_changes_and_only_that_is_told(relaying: Relaying, number: int) -> None:
    assert change(relaying, number, guard_percent=20, reentry="each") == ({"guard_percent": 50}, {"guard_percent": 20})
    assert change(relaying, number) == ({}, {})
    assert terms(relaying, number) == {
        "fields": {"email": "email"},
        "reentry": "each",
        "guard_percent": 20,
        "report": None,
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reentry": "twice"}, "reentry"),
        ({"guard_percent": 101}, "guard_percent"),
        ({"report_event": "a\nb"}, "report"),
        ({"fields": {"": "email"}}, "fields"),
    ],
)
def test_what_is_wrong_is_said_by_its_field_and_nothing_changes(relaying, number, given, field) -> None:
    before = terms(relaying, number)
    with pytest.raises(WrongSettings) as caught:
        change(relaying, number, **{"guard_percent": 1} | given)
    assert set(caught.value.errors) == {field}
    assert terms(relaying, number) == before


def test_the_api_changes_them_under_the_scope_and_leaves_a_note(relaying: Relaying, number: int) -> None:
    api, path = Api(relaying), f"/subscriptions/{number}/settings"
    answer = api.call("PATCH", path, CHANGED)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json[name] for name in CHANGED} == CHANGED
    assert noted(relaying)[0][0] == {
        "fields": {"email": "email"},
        "reentry": "each",
        "report_event": "",
        "guard_percent": 50,
    }
    assert api.call("PATCH", path, {"report": ""}).json["report"] is None
    wrong = api.call("PATCH", path, {"reentry": "twice"})
    assert (wrong.status_code, wrong.json["problems"][0]["field"]) == (400, "reentry")
    assert api.call("PATCH", path, {"identity": "email"}).status_code == 400
    api.token = api.another("reader", "read")
    assert api.call("PATCH", path, CHANGED).status_code == 403


@pytest.mark.parametrize("drain", [(), ("--drain",)], ids=["at once", "drained"])
def test_one_that_is_being_removed_keeps_its_terms(relaying: Relaying, number: int, drain: tuple[str, ...]) -> None:
    api, terminal = Api(relaying), Terminal(relaying)
    terminal("subscriptions", "remove", number, *drain)
    assert relaying.subscription(number).is_going
    assert api.call("PATCH", f"/subscriptions/{number}/settings", CHANGED).status_code == 409
    assert "being removed" in terminal("subscriptions", "change", number, "--guard", 1).output
    page = relaying.relay.sign_in("operator").submit(f"/destinations/subscriptions/{number}/change", {"report": "x"})
    assert "nothing can be changed any more" in plain(page.text)
    assert noted(relaying) == []
    for words in (("pause", number), ("resume", number)):
        assert "being removed" in terminal("subscriptions", *words).output
        assert api.call("POST", f"/subscriptions/{number}/{words[0]}").status_code == 409


def test_a_removal_that_drains_can_be_hurried_by_each_door(relaying: Relaying, number: int) -> None:
    api, terminal = Api(relaying), Terminal(relaying)
    terminal("subscriptions", "remove", number, "--drain")
    assert relaying.subscription(number).status == "draining"
    assert terminal("subscriptions", "remove", number).exit_code == 0
    assert relaying.subscription(number).status == "leaving"
    assert "being removed" in terminal("subscriptions", "remove", number).output
    assert api.call("POST", f"/subscriptions/{number}/remove", {}).status_code in {403, 409}


def test_each_term_is_kept_by_its_name(relaying: Relaying, number: int) -> None:
    """A change of one, seen on all others, whatever their values are."""
    change(relaying, number, fields={"tier": "plan"}, reentry="cooloff:60", report_event="Told", guard_percent=7)
    before = {name: getattr(relaying.subscription(number), name) for name in OTHERS}
    change(relaying, number, guard_percent=8)
    known = relaying.subscription(number)
    assert {name: getattr(known, name) for name in OTHERS} == before
    assert known.guard_percent == 8


def test_the_terminal_changes_them(relaying: Relaying, number: int) -> None:
    terminal = Terminal(relaying)
    changed = terminal.json("subscriptions", "change", number, "--field", "tier=plan", "--reentry", "cooloff:60")
    assert changed == {"id": number, "changed": {"fields": {"tier": "plan"}, "reentry": "cooloff:60"}}
    assert terminal.json("subscriptions", "change", number, "--no-fields")["changed"] == {"fields": {}}
    assert "Nothing is different." in terminal("subscriptions", "change", number, "--no-fields").output
    assert "Say what to change" in terminal("subscriptions", "change", number).output
    assert "reentry: " in terminal("subscriptions", "change", number, "--reentry", "twice").output
    assert len(noted(relaying)) == 2


def test_the_page_shows_the_terms_and_changes_them(relaying: Relaying, number: int) -> None:
    change(relaying, number, reentry="cooloff:90", report_event="Told CRM", fields={"email": "email", "tier": "plan"})
    browser, path = relaying.relay.sign_in("operator"), f"/destinations/subscriptions/{number}/change"
    page = browser.page(path)
    assert all(word in page for word in ("email\ntier = plan", 'value="Told CRM"', 'name="cooloff" value="90"'))
    given = {"fields": "plan", "reentry": "cooloff", "cooloff": "2", "unit": "hours", "report": ""}
    wrong = browser.post(path, given | {"cooloff": "soon"})
    assert wrong.status_code == 422
    assert "Say how long" in plain(wrong.text)
    assert 'value="soon"' in wrong.text
    assert "The next call goes by it." in plain(browser.submit(path, given).text)
    assert terms(relaying, number) == {
        "fields": {"plan": "plan"},
        "reentry": "cooloff:7200",
        "guard_percent": 50,
        "report": None,
    }
    assert relaying.relay.sign_in("viewer").get(path).status_code == 403


def test_a_set_has_a_guard_and_no_rule_for_coming_again(relaying: Relaying) -> None:
    relaying.relay.refresh([ADA])
    destination = relaying.destination("crm", "table")
    browser, cohort = relaying.relay.sign_in("operator"), relaying.relay.cohort()["id"]
    # As the form of a set is sent: it has no field for coming again.
    typed = {"cohort": cohort, "identity": "distinct_id", "kinds": "both", "start": "present", "guard": "40"}
    seen = browser.post(f"/destinations/{destination.id}/subscribe", typed)
    assert seen.status_code == 303, plain(seen.text)
    begun = browser.post(f"/destinations/{destination.id}/start", {"draft": seen.location.partition("draft=")[2]})
    number = int(begun.location.rpartition("/")[2])
    path = f"/destinations/subscriptions/{number}/change"
    page = browser.page(path)
    assert 'name="guard"' in page
    assert 'name="reentry"' not in page
    browser.submit(path, {"guard": "10", "report": ""})
    assert terms(relaying, number)["guard_percent"] == 10
