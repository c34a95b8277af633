"""Mixpanel is asked for the identity that parked people lack, within its budget, and whoever has one is told of."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from config.clock import HOUR, MINUTE
from destinations import asking
from destinations.asking import CannotAsk, ask
from destinations.subscriptions import Subscription
from outbound.transport import budget
from tests.commands.conftest import Terminal, terminal_of
from tests.conftest import MakeRelay
from tests.destinations.conftest import Relaying, relaying
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import add_project, mixpanel, project_of
from tests.relay import Relay, member

__all__ = ["mixpanel", "relaying"]
PROJECT = "2891273"
KNOWN: dict[str, dict[str, Any]] = {
    "ada": {"$email": "ada@example.com", "$phone": "+49 1512 3456789", "crm id": 41},
    "bob": {"$email": " ", "crm id": None},
    "eve": {"$email": "eve at home", "crm id": ["a"]},
}


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0)
    add_project(made)
    return made


def profiles(call: Call) -> Answer:
    """What Mixpanel knows of those who were asked about, and of nobody else."""
    wanted = json.loads(call.form["output_properties"])
    found = [
        {"$distinct_id": who, "$properties": {name: KNOWN[who].get(name) for name in wanted}}
        for who in json.loads(call.form["distinct_ids"])
        if who in KNOWN
    ]
    return Answer(body={"page": 0, "page_size": 1000, "results": found, "session_id": "s", "status": "ok"})


def parked(relaying: Relaying, *who: str, kind: str = "set", **more: Any) -> Subscription:
    relaying.relay.refresh([member(one) for one in who], project=PROJECT)
    relaying.destination("crm", kind)
    known = relaying.subscribe("crm", project=PROJECT, **({"identity": "email", "start": "present"} | more))
    relaying.work()
    assert relaying.counts(known) == {"parked": len(who)}
    return known


@pytest.mark.parametrize("kind", ["set", "hook"])
@pytest.mark.parametrize(
    ("identity", "told"),
    [("email", "ada@example.com"), ("phone", "+4915123456789"), ("property:crm id", "41")],
)
def test_09_08_whoever_mixpanel_knows_is_told_of_once_and_the_others_stay_parked(
    relaying: Relaying, mixpanel: Mixpanel, kind: str, identity: str, told: str
) -> None:
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "ada", "bob", "zoe", kind=kind, identity=identity)
    found = ask(relaying.runtime, known, "tests")
    assert (found.people, found.found, found.queries, found.after, found.told) == (3, 1, 1, None, "")
    relaying.work(MINUTE)
    relaying.work(MINUTE)
    assert [one[:2] for one in relaying.there("crm").heard] == [("entered", told)]
    assert relaying.counts(known) == {"applied": 1, "parked": 2}


def test_what_cannot_be_an_identity_is_rejected_and_what_is_known_already_is_kept(
    relaying: Relaying, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "ada", "eve")
    relaying.relay.refresh([member("ada", email="newer@example.com"), member("eve")], session="s2", project=PROJECT)
    ask(relaying.runtime, known, "tests")
    relaying.work(MINUTE)
    assert [one[:2] for one in relaying.there("crm").heard] == [("entered", "newer@example.com")]
    assert relaying.counts(known) == {"applied": 1, "rejected": 1}


def test_an_export_that_says_the_same_as_before_takes_nothing_back(relaying: Relaying, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "ada")
    ask(relaying.runtime, known, "tests")
    relaying.relay.refresh([member("ada")], session="s2", project=PROJECT)
    relaying.work(MINUTE)
    assert relaying.there("crm").members == {"ada@example.com"}
    assert relaying.relay.person("ada", PROJECT)["email"] == "ada@example.com"


def test_it_ends_where_the_budget_of_queries_does_and_goes_on_from_there(
    relaying: Relaying, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 1)
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "zoe", "bob", "ada")
    for _ in range(58):
        budget.give_back(relaying.runtime, budget.take(relaying.runtime, PROJECT, "query"))
    question = relaying.database.read(lambda db: asking.look(db, known, relaying.now))
    assert (question.people, question.queries, question.left, question.wanted) == (3, 3, 2, "$email")
    first = ask(relaying.runtime, known, "tests")
    assert (first.people, first.queries, "60 queries of an hour are used" in first.told) == (2, 2, True)
    assert first.after
    relaying.relay.clock.forward(HOUR)
    second = ask(relaying.runtime, known, "tests", first.after)
    assert (second.people, second.after) == (1, None)
    asked = [json.loads(call.form["distinct_ids"]) for call in mixpanel.to("/query/engage")]
    assert sorted(asked) == [["ada"], ["bob"], ["zoe"]]


@pytest.mark.parametrize(
    "answer", [Answer(401, {"error": "no"}), Answer(body=[]), Answer(body={"results": 1}), Answer(body="<html>")]
)
def test_an_answer_that_is_no_page_of_profiles_changes_nobody(
    relaying: Relaying, mixpanel: Mixpanel, answer: Answer
) -> None:
    mixpanel.script("/query/engage", answer)
    known = parked(relaying, "ada")
    found = ask(relaying.runtime, known, "tests")
    assert (found.found, bool(found.told)) == (0, True)
    assert relaying.relay.person("ada", PROJECT)["email"] is None


def test_what_is_odd_within_a_page_is_passed_over(relaying: Relaying, mixpanel: Mixpanel) -> None:
    odd = [None, 7, {}, {"$distinct_id": "ada"}, {"$distinct_id": "ada", "$properties": []}]
    odd += [{"$distinct_id": "ada", "$properties": {"$email": value}} for value in (None, True, {}, " ", "x" * 9000)]
    odd += [{"$distinct_id": "somebody else", "$properties": {"$email": "b@example.com"}}]
    mixpanel.script("/query/engage", Answer(body={"results": odd}))
    known = parked(relaying, "ada")
    assert ask(relaying.runtime, known, "tests").found == 0


def test_whoever_was_erased_meanwhile_gets_nothing_back(relaying: Relaying, mixpanel: Mixpanel) -> None:
    known = parked(relaying, "ada")

    def late(call: Call) -> Answer:
        """She is renamed while Mixpanel looks for her, as an erasure does in the end."""
        row = relaying.relay.person("ada", PROJECT)["id"]
        gone = "UPDATE person SET distinct_id = 'erased-1', erased_at = 1 WHERE id = :id"
        relaying.database.write(lambda db: db.execute(text(gone), {"id": row}))
        return profiles(call)

    mixpanel.script("/query/engage", late)
    assert ask(relaying.runtime, known, "tests").found == 0
    assert relaying.relay.rows("SELECT email FROM person WHERE email IS NOT NULL") == []


def test_without_credentials_or_with_the_distinct_id_there_is_nothing_to_ask(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"], project="1")
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm", identity="email")
    with pytest.raises(CannotAsk, match="flask projects add"):
        ask(relaying.runtime, known, "tests")
    relaying.destination("other", "set")
    with pytest.raises(CannotAsk, match="distinct id"):
        ask(relaying.runtime, relaying.subscribe("other"), "tests")


# --- by hand


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


def test_the_terminal_counts_first_then_asks(relaying: Relaying, mixpanel: Mixpanel, terminal: Terminal) -> None:
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "ada", "zoe")
    counted = terminal("subscriptions", "ask", known.id, "--count", "--json")
    assert json.loads(counted.output) == {
        "people": 2,
        "queries": 1,
        "left": 60,
        "property": "$email",
        "project": "prod",
    }
    assert mixpanel.to("/query/engage") == []
    done = terminal("subscriptions", "ask", known.id, "--json")
    assert json.loads(done.output) == {"people": 2, "found": 1, "queries": 1, "told": ""}
    assert done.exit_code == 0
    rows = relaying.relay.rows("SELECT action, who FROM audit_entry WHERE action = 'subscription.ask'")
    assert {row["who"] for row in rows} == {"terminal"}


def test_the_terminal_ends_with_4_where_not_all_were_asked_about(
    relaying: Relaying, mixpanel: Mixpanel, terminal: Terminal
) -> None:
    mixpanel.script("/query/engage", Answer(429, {"error": "later"}))
    known = parked(relaying, "ada")
    done = terminal("subscriptions", "ask", known.id)
    assert done.exit_code == 4


def test_the_page_says_how_many_first_and_what_came_of_it(relaying: Relaying, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/engage", profiles)
    known = parked(relaying, "ada", "zoe")
    browser = relaying.relay.sign_in("operator")
    there = f"/destinations/subscriptions/{known.id}"
    assert "Ask Mixpanel now" in browser.page(there)
    question = browser.page(f"{there}/ask")
    assert "Ask Mixpanel about 2 people?" in question
    assert "1 query" in question
    assert mixpanel.to("/query/engage") == []
    answer = browser.post(f"{there}/ask", {"after": "0"})
    assert answer.status_code == 303
    assert "Mixpanel knows 1 of 2" in browser.page(answer.location)
    relaying.work(MINUTE)
    assert relaying.there("crm").members == {"ada@example.com"}
    assert project_of(relaying.relay).name in question


def test_who_may_only_look_is_offered_no_question(relaying: Relaying) -> None:
    known = parked(relaying, "ada")
    browser = relaying.relay.sign_in("viewer")
    assert "Ask Mixpanel now" not in browser.page(f"/destinations/subscriptions/{known.id}")
    assert browser.get(f"/destinations/subscriptions/{known.id}/ask").status_code == 403
