"""An erasure reaches the far ends that know of somebody, and nothing here keeps their identity."""

import json

import pytest

from config.clock import HOUR, MINUTE
from destinations import claiming, finishing, opening, replay, sender
from destinations import erasure as destinations_erasure
from destinations.contract import Answer, Refusal, Verdict
from erasure.erase import eraser
from erasure.records import DataSubject
from tests.destinations.conftest import Relaying
from tests.relay import member

ADA = DataSubject("1", "ada-planted")
EMAIL = "ada.planted@example.com"


@pytest.fixture
def told(relaying: Relaying) -> Relaying:
    """A set and a stream that have heard of Ada and of Bob."""
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL), member("bob", email="bob@example.com")])
    relaying.destination("crm", "set")
    relaying.destination("hook")
    relaying.subscribe("crm", identity="email")
    relaying.subscribe("hook", start="present", reentry="once", identity="email")
    relaying.work()
    return relaying


def erase(relaying: Relaying) -> int:
    return eraser(relaying.runtime).erase(ADA, "tests").id


def mentions(relaying: Relaying) -> list[str]:
    found = []
    for table in ("message", "attempt", "holder", "placement"):
        rows = relaying.relay.rows(f"SELECT * FROM {table}")
        found += [table for row in rows if "planted" in str(row)]  # three letters may stand in what is encrypted
    return found


def test_09_15_whoever_knows_of_somebody_is_told_and_nothing_of_them_stays(told: Relaying) -> None:
    erasure = erase(told)
    assert mentions(told) == []
    told.work()
    assert told.there("crm").members == {"bob@example.com"}
    assert [one[:2] for one in told.there("hook").heard][-1] == ("erased", EMAIL)
    assert told.there("hook").bodies[-1][0].distinct_id == ADA.distinct_id
    assert mentions(told) == []
    outcomes = told.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert {(one.destination, one.kind, one.state) for one in outcomes} == {
        ("crm", "left", "applied"),
        ("hook", "erased", "applied"),
    }
    assert (
        told.relay.rows("SELECT lane, sealed FROM message WHERE origin = 'erasure'")
        == [{"lane": None, "sealed": None}] * 2
    )


def test_whoever_comes_back_after_an_erasure_is_not_told_of_again(told: Relaying) -> None:
    erase(told)
    told.work()
    told.relay.refresh([member(ADA.distinct_id, email=EMAIL), member("bob", email="bob@example.com")], session="s2")
    calls = len(told.there("hook").bodies)
    told.destination("late", "set")
    told.subscribe("late", identity="email")
    told.work()
    assert told.there("crm").members == told.there("late").members == {"bob@example.com"}
    assert len(told.there("hook").bodies) == calls


def test_what_waits_about_somebody_ends(relaying: Relaying) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL)])
    relaying.destination("hook")
    known = relaying.subscribe("hook", start="present", identity="email")
    relaying.plan()
    erase(relaying)
    relaying.work()
    assert relaying.there("hook").bodies == []
    assert relaying.counts(known) == {"suppressed": 2}  # and the exit that the erasure made
    assert mentions(relaying) == []


def test_an_identity_that_somebody_else_has_too_stays_there(relaying: Relaying) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL), member("bob", email=EMAIL)])
    relaying.destination("crm", "set")
    relaying.subscribe("crm", identity="email")
    relaying.work()
    erase(relaying)
    relaying.work()
    assert relaying.there("crm").members == {EMAIL}


def test_an_identity_that_somebody_else_is_found_to_have_meanwhile_stays_there(relaying: Relaying) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL), member("bob")])
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm", identity="email")
    relaying.work()
    relaying.relay.add([member("bob", email=EMAIL)], session="s2")
    erasure = erase(relaying)
    relaying.work(MINUTE)  # by now Bob, who was parked, is found to have the e-mail
    assert relaying.there("crm").members == {EMAIL}
    assert mentions(relaying) == ["message", "holder", "placement"]  # of Bob
    outcomes = relaying.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert [(one.state, one.reason) for one in outcomes] == [("coalesced", "somebody_else")]
    assert relaying.relay.rows("SELECT sealed FROM message WHERE origin = 'erasure'") == [{"sealed": None}]
    assert relaying.counts(known)["coalesced"] >= 1
    relaying.relay.remove(["bob"], session="s3")
    relaying.work()
    assert relaying.there("crm").members == set()


@pytest.mark.parametrize("called", [True, False])
@pytest.mark.parametrize("moves", ["in", "out"])
def test_whoever_shares_an_identity_is_told_of_though_the_call_was_about_the_erased_one(
    relaying: Relaying, called: bool, moves: str
) -> None:
    """The call about both was chosen among their messages, and nobody listens for its answer any more."""
    both = [member("aaron", email=EMAIL), member(ADA.distinct_id, email=EMAIL)]
    relaying.relay.refresh(both)
    destination = relaying.destination("crm", "set")
    known = relaying.subscribe("crm", identity="email")
    if moves == "out":
        relaying.work()
        relaying.relay.refresh([], session="s2")
    relaying.plan()
    runtime = relaying.runtime
    (call,) = relaying.database.write(lambda db: claiming.claim(db, runtime, destination.id, 1)).calls
    if moves == "out":
        relaying.relay.refresh(both, session="s3")
        relaying.plan()
    erase(relaying)
    relaying.work()
    assert not relaying.there("crm").heard or relaying.there("crm").heard[-1][0] == "entered"  # nothing goes beside it
    if called:
        sender.make(opening.adapter(runtime, destination), call)
    relaying.work(HOUR)
    assert relaying.there("crm").members == {EMAIL}
    assert "waiting" not in relaying.counts(known)


@pytest.mark.parametrize("kind", ["set", "hook"])
def test_somebody_who_is_erased_while_a_call_is_under_way_is_let_go_after_it(relaying: Relaying, kind: str) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL)])
    destination = relaying.destination("crm", kind)
    known = relaying.subscribe("crm", identity="email", start="present")
    relaying.plan()
    runtime = relaying.runtime
    (call,) = relaying.database.write(lambda db: claiming.claim(db, runtime, destination.id, 1)).calls
    erase(relaying)
    relaying.work()
    answer = sender.make(opening.adapter(runtime, destination), call)
    relaying.database.write(lambda db: finishing.finish(db, runtime, destination.id, [(call, answer)]))
    assert mentions(relaying) == []
    relaying.work(HOUR)
    assert relaying.there("crm").heard[-1][:2] == ("left" if kind == "set" else "erased", EMAIL)
    assert relaying.there("crm").members == set()
    assert relaying.counts(known)["uncertain"] == 1


def test_an_erasure_that_used_up_its_plan_can_be_sent_again(relaying: Relaying) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL)])
    relaying.destination("crm", "set", retry_seconds="1")
    known = relaying.subscribe("crm", identity="email")
    relaying.work()
    erase(relaying)
    relaying.there("crm").fault = lambda _changes: Answer(refusal=Refusal("unavailable", "down", "It is down."))
    relaying.work()
    relaying.work(2000)
    assert relaying.counts(known)["dead"] == 1
    assert mentions(relaying) == []
    relaying.there("crm").fault = None
    assert replay.replay(relaying.database, known, "dead", None, relaying.now) == 1
    relaying.work()
    assert relaying.there("crm").members == set()


def test_an_erasure_is_tried_again_like_everything_else(told: Relaying) -> None:
    erasure = erase(told)
    told.there("crm").fault = lambda _changes: Answer(refusal=Refusal("unavailable", "down", "It is down."))
    told.work()
    assert [one.state for one in told.database.read(lambda db: destinations_erasure.outcomes(db, erasure))] == [
        "waiting",
        "applied",
    ]
    told.there("crm").fault = None
    told.work(60_000)
    assert told.there("crm").members == {"bob@example.com"}


def test_the_proof_says_what_each_destination_was_told(told: Relaying) -> None:
    number = erase(told)
    browser = told.relay.sign_in("admin")
    page = browser.page(f"/settings/erasures/{number}")
    assert "2 of 2 still to be told" in page
    told.work(HOUR)
    page = browser.page(f"/settings/erasures/{number}")
    assert "All of them have been told." in page
    assert "crm" in page
    assert "hook" in page
    assert ADA.distinct_id not in page
    done = told.relay.app.test_cli_runner().invoke(args=["people", "erased", ADA.project_id, ADA.distinct_id, "--json"])
    (proof,) = json.loads(done.output)["erasures"]
    assert {(there["destination"], there["kind"], there["state"]) for there in proof["destinations"]} == {
        ("crm", "left", "applied"),
        ("hook", "erased", "applied"),
    }


def test_a_far_end_is_told_whom_to_let_go_by_its_own_name_for_them(relaying: Relaying) -> None:
    relaying.relay.refresh([member(ADA.distinct_id, email=EMAIL)])
    relaying.destination("crm", "set")
    relaying.there("crm").after = lambda changes: Answer(
        {change.id: Verdict("applied", vendor_id="v-7") for change in changes}
    )
    relaying.subscribe("crm", identity="email")
    relaying.work()
    erase(relaying)
    relaying.work()
    (last,) = relaying.there("crm").bodies[-1]
    assert (last.kind, last.identity, last.vendor_id) == ("left", EMAIL, "v-7")


def held_by(relaying: Relaying, kind: str, *who: str, **settings: object) -> None:
    """A set that has Ada, and everybody else with an address of their own, with whom it is told of them in one call."""
    people = [member(one, email=EMAIL if one == ADA.distinct_id else f"{one}@example.com") for one in who]
    relaying.relay.refresh(people)
    relaying.destination("crm", kind, **settings)
    relaying.subscribe("crm", identity="email")
    relaying.work()


def said(relaying: Relaying, since: int = 1) -> list[list[tuple[str, str]]]:
    """What each call said, but for the first ones."""
    return [sorted((one.kind, one.identity) for one in body) for body in relaying.there("crm").bodies[since:]]


def test_a_vendor_deletes_whoever_is_erased_only_where_that_was_chosen(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, "bob")
    erase(relaying)
    relaying.work()
    assert said(relaying) == [[("left", EMAIL)]]


def test_a_vendor_that_deletes_is_asked_after_the_set_has_let_them_go_and_the_proof_has_both(
    relaying: Relaying,
) -> None:
    held_by(relaying, "vault", ADA.distinct_id, "bob", delete_on_erasure=True)
    erasure = erase(relaying)
    relaying.relay.add([member("eve", email="eve@example.com")], session="s2")
    relaying.work()
    assert said(relaying) == [[("entered", "eve@example.com"), ("left", EMAIL)], [("erased", EMAIL)]]
    outcomes = relaying.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert [(one.kind, one.state) for one in outcomes] == [("left", "applied"), ("erased", "applied")]
    assert mentions(relaying) == []
    page = relaying.relay.sign_in("admin").page(f"/settings/erasures/{erasure}")
    assert "Delete them for good" in page


def test_the_question_names_who_is_asked_to_delete_them(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, delete_on_erasure=True)
    relaying.destination("other", "vault")
    browser = relaying.relay.sign_in("admin")
    page = browser.page(f"/people/{relaying.relay.person(ADA.distinct_id)['id']}/erase")
    assert "asked to delete them for good" in page
    assert ">crm</a>" in page
    assert ">other</a>" not in page


def test_a_vendor_deletes_whoever_has_left_before_too_and_only_once_in_a_call(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, "bob", delete_on_erasure=True)
    relaying.relay.remove([ADA.distinct_id], session="s2")
    relaying.work()
    erase(relaying)
    relaying.work()
    assert said(relaying) == [[("left", EMAIL)], [("erased", EMAIL)]]


def test_a_vendor_never_deletes_somebody_else_of_the_same_address(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, "bob", delete_on_erasure=True)
    relaying.relay.refresh([member("eve", email=EMAIL)], session="other", cohort="8")
    relaying.subscribe("crm", cohort="8", identity="email")
    relaying.work()
    erase(relaying)
    relaying.work()
    assert said(relaying, 2) == [[("left", EMAIL)]]


def test_nor_somebody_who_was_found_to_have_it_since(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, "bob", delete_on_erasure=True)
    erasure = erase(relaying)
    relaying.relay.refresh([member("eve", email=EMAIL)], session="other", cohort="8")
    relaying.subscribe("crm", cohort="8", identity="email")
    relaying.work()
    assert [("erased", EMAIL)] not in said(relaying)
    outcomes = relaying.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert [(one.kind, one.state) for one in outcomes] == [("left", "applied"), ("erased", "coalesced")]


def test_a_deletion_that_was_refused_is_in_the_proof(relaying: Relaying) -> None:
    held_by(relaying, "vault", ADA.distinct_id, delete_on_erasure=True)
    erasure = erase(relaying)
    relaying.there("crm").fault = lambda changes: (
        Answer({changes[0].id: Verdict("rejected", "may_not_delete")}) if changes[0].kind == "erased" else None
    )
    relaying.work()
    outcomes = relaying.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert [(one.kind, one.state, one.reason) for one in outcomes] == [
        ("left", "applied", None),
        ("erased", "rejected", "may_not_delete"),
    ]
    assert mentions(relaying) == []


def test_a_set_that_forgets_nothing_but_what_it_was_told_does_so_unasked(relaying: Relaying) -> None:
    held_by(relaying, "shelf", ADA.distinct_id, "bob")
    erase(relaying)
    relaying.work()
    assert said(relaying) == [[("erased", EMAIL)]]
    assert relaying.there("crm").members == {"bob@example.com"}
