"""Subscriptions before anything is sent: what can be one, where it starts, and what a preview and a test do."""

from typing import Any

import pytest

from destinations import destinations, messages, preview, subscriptions, trial
from destinations.identity import NoIdentity, Profile, rule
from destinations.settings import WrongSettings
from destinations.subscriptions import NewSubscription
from tests.destinations import sets_and_streams
from tests.destinations.conftest import Relaying
from tests.relay import member

KINDS = {kind.name: kind for kind in sets_and_streams.TYPES}
PEOPLE = [member("ada", email="Ada@Example.com", plan="pro"), member("bob", plan="free"), member("cid", email=" ")]


def errors_of(relaying: Relaying, **draft: Any) -> set[str]:
    given = {"destination": "crm", "project_id": "1", "cohort_id": "7"} | draft
    with pytest.raises(WrongSettings) as caught:
        relaying.database.write(lambda db: subscriptions.add(db, NewSubscription(**given), 1))
    return set(caught.value.errors)


def test_a_level_type_starts_with_who_is_in_an_edge_type_with_what_comes(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    relaying.destination("hook")
    level, edge = relaying.subscribe("crm"), relaying.subscribe("hook")
    assert (level.start, level.status, level.position, level.backfill_total) == ("present", "backfilling", 2, 2)
    assert (edge.start, edge.status, edge.position, edge.behind) == ("now", "active", 2, 0)
    relaying.relay.add(["cid"], session="s2")
    assert relaying.subscription(edge).behind == 1
    assert set(edge.counts) == set(subscriptions.STATES)


def test_every_wrong_word_is_named_at_once(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("crm", "set")
    wrong = {"identity": "name", "kinds": "some", "reentry": "twice", "start": "then", "guard_percent": 101}
    found = errors_of(relaying, **wrong, fields={"a": "b"}, report_event="\n")
    assert found == {"identity", "on", "reentry", "start", "guard_percent", "fields", "report"}
    assert errors_of(relaying, destination="nobody") == {"destination"}
    assert errors_of(relaying, cohort_id="8") == {"cohort"}
    assert errors_of(relaying, reentry="once") == {"reentry"}  # a set follows the cohort


def test_a_cohort_goes_to_a_destination_once_and_one_set_takes_one_cohort(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.relay.refresh(["ada"], cohort="8")
    relaying.destination("crm", "set")
    relaying.subscribe("crm")
    assert errors_of(relaying) == {"cohort"}
    relaying.subscribe("crm", cohort="8")
    relaying.destination("mail", "mail")
    relaying.subscribe("mail", identity="email")
    assert errors_of(relaying, destination="mail", cohort_id="8", identity="email") == {"cohort"}


def test_a_type_that_takes_e_mails_only_refuses_other_identities(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("crm", "mail")
    assert errors_of(relaying, identity="phone") == {"identity"}
    assert rule(KINDS["mail"], "property:work mail").kind == "email"


@pytest.mark.parametrize(
    ("identity", "country", "column", "value", "expected"),
    [
        ("distinct_id", None, "distinct_id", "Ada", "Ada"),
        ("email", None, "email", " Ada@Example.COM ", "ada@example.com"),
        ("phone", "DE", "phone_number", "0151 23456789", "+4915123456789"),
        ("phone", None, "phone_number", "+49 151 23456789", "+4915123456789"),
        ("property:code", None, "properties", '{"code": 42}', "42"),
    ],
)
def test_an_identity_is_the_same_however_it_is_written(
    identity: str, country: str | None, column: str, value: str, expected: str
) -> None:
    person = Profile(**{"person_id": 1, "distinct_id": "x", **dict.fromkeys(NAMES), column: value})
    assert rule(KINDS["hook"], identity, country).of(person) == expected


NAMES = ("email", "first_name", "last_name", "phone_number", "properties")


@pytest.mark.parametrize(
    ("identity", "values", "state", "reason"),
    [
        ("email", {}, "parked", "no_email"),
        ("email", {"email": "  "}, "parked", "no_email"),
        ("email", {"email": "ada at home"}, "rejected", "invalid_email"),
        ("phone", {}, "parked", "no_phone"),
        ("phone", {"phone_number": "0151 23456789"}, "rejected", "invalid_phone"),
        ("property:code", {"properties": "{}"}, "parked", "no_property"),
        ("property:code", {"properties": '{"code": [1]}'}, "rejected", "identity_is_no_text"),
        ("property:code", {"properties": '{"code": "%s"}' % ("x" * 501)}, "rejected", "identity_is_too_long"),
    ],
)
def test_whoever_has_no_identity_is_told_apart_by_reason(
    identity: str, values: dict[str, str], state: str, reason: str
) -> None:
    person = Profile(**{"person_id": 1, "distinct_id": "x", **dict.fromkeys(NAMES), **values})
    with pytest.raises(NoIdentity) as caught:
        rule(KINDS["hook"], identity).of(person)
    assert (caught.value.state, caught.value.reason) == (state, reason)


def test_a_preview_masks_everybody_and_counts_who_has_no_identity(relaying: Relaying) -> None:
    relaying.relay.refresh(PEOPLE)
    relaying.destination("crm", "table", rate=0.5)
    draft = NewSubscription("crm", "1", "7", identity="email", fields={"plan": "plan", "mail": "email"})
    found = preview.preview(relaying.runtime, draft)
    assert (found.people, found.without, found.reason, found.calls, found.seconds) == (3, 2, "no_email", 1, 2)
    assert found.bodies == ["entered …com … {'plan': '…', 'mail': '…com'}"]
    assert relaying.there("crm").bodies == []


def test_a_preview_counts_a_missing_property(relaying: Relaying) -> None:
    relaying.relay.refresh(PEOPLE)
    relaying.destination("crm", "table")
    found = preview.preview(relaying.runtime, NewSubscription("crm", "1", "7", identity="property:plan"))
    assert (found.people, found.without) == (3, 1)


def test_a_test_with_one_person_is_a_real_call_and_stands_among_the_attempts(relaying: Relaying) -> None:
    relaying.relay.refresh(PEOPLE)
    relaying.destination("crm", "table")
    known = relaying.subscribe("crm", identity="email", fields={"plan": "plan"})
    found = trial.test(relaying.runtime, known, "ada")
    assert (found.outcome, found.status) == ("applied", 200)
    ((change,),) = relaying.there("crm").bodies
    assert (change.identity, change.fields, change.key[:9]) == ("ada@example.com", {"plan": "pro"}, "dlv_test_")
    (attempt,) = relaying.database.read(lambda db: messages.attempts(db, known))
    assert (attempt.verdict, attempt.status, attempt.messages) == ("applied", 200, 1)


def test_whoever_is_not_in_is_not_put_into_a_set_by_a_test(relaying: Relaying) -> None:
    relaying.relay.refresh(PEOPLE)
    relaying.relay.remove(["ada"], session="s2")
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    for who in ("ada", "nobody"):
        with pytest.raises(WrongSettings):
            trial.test(relaying.runtime, known, who)
    assert relaying.there("crm").bodies == []


def test_a_paused_subscription_says_so_and_a_failing_destination_shows_on_it(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    known = relaying.destination("hook")
    subscription = relaying.subscribe("hook")
    relaying.database.write(lambda db: subscriptions.pause(db, subscription, "later", 1))
    assert relaying.subscription(subscription).status == "paused"
    relaying.database.write(lambda db: subscriptions.resume(db, subscription))
    relaying.database.write(lambda db: destinations.pause(db, known, "they move", 1))
    assert relaying.subscription(subscription).status == "paused"
    relaying.database.write(lambda db: db.exec_driver_sql("UPDATE destination SET cause = 'credentials'"))
    assert relaying.subscription(subscription).status == "failing"


@pytest.mark.parametrize("ids", [[], [7], [3, 1, 2**40], list(range(5, 5000, 3))])
def test_ids_of_an_attempt_are_packed_and_come_back(ids: list[int]) -> None:
    assert messages.unpacked(messages.packed(ids)) == sorted(ids)
