"""Whom a connection keeps too little of to be told of is parked, with a reason that says so."""

from typing import Any

import pytest

from destinations import preview
from destinations.asking import CannotAsk, ask
from destinations.subscriptions import NewSubscription
from tests.destinations.conftest import Relaying
from tests.relay import MINUTE, member
from tests.sync.test_minimising import choose
from tests.sync.test_minimising_stored import apply

PEOPLE = [member("ada", email="ada@example.com", phone_number="+49 151 23456789"), member("bob")]


def reasons(relaying: Relaying) -> list[tuple[str, str | None]]:
    rows = relaying.relay.rows("SELECT state, reason FROM message ORDER BY person_id, id")
    return [(row["state"], row["reason"]) for row in rows]


@pytest.mark.parametrize(
    ("identity", "given", "ada", "bob"),
    [
        ("email", {"email": "hash"}, "identity_is_hashed", "no_email"),
        ("email", {"email": "drop"}, "identity_is_dropped", "identity_is_dropped"),
        ("email", {"keep": "none"}, "identity_is_dropped", "identity_is_dropped"),
        ("phone", {"phone": "hash"}, "identity_is_hashed", "no_phone"),
        ("phone", {"keep": ["email"]}, "identity_is_dropped", "identity_is_dropped"),
    ],
)
def test_whoever_is_hashed_or_dropped_is_parked(
    relaying: Relaying, identity: str, given: dict[str, Any], ada: str, bob: str
) -> None:
    choose(relaying.relay, **given)
    relaying.relay.refresh([])
    relaying.destination("crm")
    known = relaying.subscribe("crm", identity=identity)
    relaying.relay.add(PEOPLE, session="s2")
    relaying.work(MINUTE)
    assert reasons(relaying) == [("parked", ada), ("parked", bob)]
    assert relaying.there("crm").bodies == []
    with pytest.raises(CannotAsk, match="does not keep it"):
        ask(relaying.runtime, known, "tests")


def test_other_identities_and_ids_are_told_as_before(relaying: Relaying) -> None:
    choose(relaying.relay, email="hash")
    relaying.relay.refresh([])
    for name, identity in (("ids", "distinct_id"), ("calls", "phone")):
        relaying.destination(name)
        relaying.subscribe(name, identity=identity)
    relaying.relay.add(PEOPLE, session="s2")
    relaying.work(MINUTE)
    assert {one[1] for one in relaying.there("ids").heard} == {"ada", "bob"}
    assert [one[1] for one in relaying.there("calls").heard] == ["+4915123456789"]


def test_a_preview_says_it_before(relaying: Relaying) -> None:
    choose(relaying.relay, email="hash", phone="drop")
    relaying.relay.refresh(PEOPLE)
    relaying.destination("crm")
    for identity, reason in (("email", "no_email"), ("phone", "identity_is_dropped")):
        found = preview.preview(relaying.runtime, NewSubscription("crm", "1", "7", identity=identity))
        assert (found.people, found.without, found.reason) == (2, 2, reason)


def test_who_was_parked_before_says_the_new_reason_once_it_is_applied(relaying: Relaying) -> None:
    relaying.relay.refresh([])
    relaying.destination("crm")
    relaying.subscribe("crm", identity="email")
    relaying.relay.add([member("bob"), member("cy", plan="x", email="cy@example.com")], session="s2")
    relaying.work(MINUTE)
    assert reasons(relaying)[0] == ("parked", "no_email")
    choose(relaying.relay, email="drop")
    apply(relaying.relay)
    relaying.work(MINUTE)
    relaying.work(MINUTE)
    assert reasons(relaying)[0] == ("parked", "identity_is_dropped")
