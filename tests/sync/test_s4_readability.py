"""S4: a refresh that cannot be read is no empty cohort, whatever the cohort's size and however often it comes."""

import json
from typing import Any

import pytest

from sync.sweep import decisions
from tests.conftest import MakeRelay
from tests.relay import Relay, body, member
from tests.sync.statements import watched

TEN = [f"u{number}" for number in range(10)]


@pytest.fixture(params=[1_000_000, 0], ids=["at once", "in steps"])
def relay(request: pytest.FixtureRequest, make_relay: MakeRelay) -> Relay:
    """A cohort of ten, which is too small for the removal guard; swept at once, or in steps by the worker."""
    relay = make_relay(sweep_inline_members=request.param)
    relay.refresh(TEN, session="first")
    relay.work()
    return relay


def refreshed(relay: Relay, members: Any, session: str) -> tuple[str, str | None]:
    """The status of a refresh, and what it is held for, when its sweep is through."""
    sent = body("members", [], session=session)
    sent["parameters"]["members"] = members
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    relay.work()
    found = relay.session()
    return found["status"], found["held_for"]


def decide(relay: Relay, how: Any) -> bool:
    session_id = relay.session()["id"]
    done: bool = relay.database.write(lambda db: how(db, session_id))
    relay.work()
    return done


def approve(relay: Relay) -> bool:
    return decide(relay, lambda db, session_id: decisions.approve(db, session_id, relay.rules, relay.clock()))


NOBODY_READABLE = {
    "another name for the id": [{"user_id": name} for name in TEN],
    "empty ids": [member("")] * 10,
    "an id that Mixpanel throws away": [member("undefined")],
    "lists for members": [[name] for name in TEN],
    "nulls": [None, None],
    "truths": [True, False],
    "an empty object": {},
    "an object keyed by names": {name: {"email": f"{name}@example.org"} for name in TEN},
    "an object keyed by numbers": {"0": {"user_id": "u0"}, "1": {"user_id": "u1"}},
    "halves of characters": [member("\ud800"), "\udfff"],
}


@pytest.mark.parametrize("members", NOBODY_READABLE.values(), ids=NOBODY_READABLE)
def test_s4_a_refresh_of_which_nobody_could_be_read_never_sweeps_however_often_it_comes(
    relay: Relay, members: Any
) -> None:
    for session in ("second", "third", "fourth"):
        assert refreshed(relay, members, session) == ("held", "none_readable")
        assert relay.members() == set(TEN)
    assert not approve(relay)
    assert relay.members() == set(TEN)
    assert decide(relay, lambda db, session_id: decisions.reject(db, session_id, relay.clock()))
    assert refreshed(relay, members, "fifth") == ("held", "none_readable")
    assert refreshed(relay, [member("u0")], "sixth") == ("complete", None)
    assert relay.members() == {"u0"}


def test_s4_a_large_cohort_is_not_emptied_by_a_second_refresh_that_cannot_be_read(make_relay: MakeRelay) -> None:
    relay = make_relay()
    everybody = [f"u{number}" for number in range(150)]
    relay.refresh(everybody, session="first")
    for session in ("second", "third"):
        assert refreshed(relay, [{"user_id": name} for name in everybody], session) == ("held", "none_readable")
    assert relay.members() == set(everybody)


def test_s4_a_refresh_that_could_not_be_read_for_the_larger_part_is_held_and_a_second_does_not_agree(
    relay: Relay,
) -> None:
    for session in ("second", "third"):
        assert refreshed(relay, [member("u0"), member("new"), member(""), member(" "), None], session) == (
            "held",
            "half_unreadable",
        )
        assert relay.members() == {*TEN, "new"}
    assert (relay.session()["would_leave"], relay.session()["would_leave_of"]) == (9, 11)
    assert approve(relay)
    assert relay.members() == {"u0", "new"}


def test_s4_a_refresh_of_which_half_could_be_read_sweeps(relay: Relay) -> None:
    assert refreshed(relay, [member("u0"), member("")], "second") == ("complete", None)
    assert relay.members() == {"u0"}


def test_s4_pages_are_judged_together(relay: Relay) -> None:
    relay.refresh([{"user_id": "u0"}, {"user_id": "u1"}], 1, 2, session="second")
    relay.refresh(TEN[:5], 2, 2, session="second")
    relay.work()
    assert relay.session()["status"] == "complete"
    assert relay.members() == set(TEN[:5])


def test_s4_the_latest_version_of_a_page_is_judged(relay: Relay) -> None:
    assert refreshed(relay, [{"user_id": "u0"}], "second") == ("held", "none_readable")
    relay.refresh(TEN[:5], session="second")
    assert relay.session()["status"] == "settling"
    relay.settle()
    assert (relay.session()["status"], relay.session()["held_for"]) == ("complete", None)
    assert relay.members() == set(TEN[:5])


@pytest.mark.parametrize(("page", "session"), [(None, "second"), (1, None), (None, None)])
def test_s4_a_refresh_that_settles_is_judged_too(relay: Relay, page: int | None, session: str | None) -> None:
    relay.clock.forward(2 * relay.rules.settle)
    relay.refresh([{"user_id": "u0"}], page, session=session)
    relay.settle()
    relay.work()
    assert relay.session()["held_for"] == "none_readable"
    assert relay.members() == set(TEN)


def test_s4_what_could_not_be_read_confirms_no_removals(make_relay: MakeRelay) -> None:
    relay = make_relay(removal_guard_min_members=10)
    relay.refresh(TEN, session="first")
    assert refreshed(relay, [{"user_id": "u0"}], "second") == ("held", "none_readable")
    assert refreshed(relay, [member("u0")], "third") == ("held", "removals")
    assert relay.members() == set(TEN)


def test_s4_an_empty_list_is_no_refresh_that_could_not_be_read(relay: Relay) -> None:
    assert refreshed(relay, [], "second") == ("complete", None)
    assert relay.members() == set()


# --- shapes that can be read


@pytest.mark.parametrize(
    "members",
    [
        {"0": member("u0"), "1": member("u1")},
        {"10": member("u1"), "2": member("u0")},
        {"0": "u0", "1": "u1"},
        ["u0", "u1"],
        ["u0", member("u1")],
        [{"$distinct_id": "u0"}, {"distinct_id": "u1"}],
    ],
)
def test_s4_members_may_be_keyed_by_numbers_and_may_be_bare_ids(relay: Relay, members: Any) -> None:
    assert refreshed(relay, members, "second") == ("complete", None)
    assert relay.members() == {"u0", "u1"}


def test_s4_a_bare_number_is_the_same_id_as_its_text(relay: Relay) -> None:
    assert refreshed(relay, [42, "43", 44.0], "second") == ("complete", None)
    assert relay.members() == {"42", "43", "44"}


def test_s4_of_two_equal_ids_under_numbers_the_later_number_counts(relay: Relay) -> None:
    keyed = {"10": member("u0", email="later@example.org"), "9": member("u0", email="earlier@example.org")}
    refreshed(relay, keyed, "second")
    assert relay.person("u0")["email"] == "later@example.org"


def test_s4_a_bare_id_leaves_the_profile_and_costs_no_write(relay: Relay) -> None:
    relay.add([member("u0", email="ann@example.org", plan="pro")], session="diff")
    before = relay.person("u0")
    with watched(relay) as statements:
        refreshed(relay, TEN, "second")
    assert not [one for one in statements if "INTO person" in one]
    assert relay.person("u0") == before


def test_s4_members_beside_an_empty_list_are_not_read_as_nobody(relay: Relay) -> None:
    sent = body("members", [], session="second")
    sent["members"] = [member(name) for name in TEN]
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    relay.work()
    assert relay.members() == set(TEN)


def test_s4_nothing_beside_an_empty_list_leaves_it_empty(relay: Relay) -> None:
    sent = body("members", [], session="second")
    sent["members"] = None
    assert relay.post_raw(json.dumps(sent)).status_code == 200
    relay.work()
    assert relay.members() == set()


# --- what people are told


def test_s4_a_refresh_that_could_not_be_read_is_told_on_every_page_and_can_be_rejected(relay: Relay) -> None:
    refreshed(relay, [{"user_id": name} for name in TEN], "second")
    cohort, session, browser = relay.cohort()["id"], relay.session()["id"], relay.sign_in("operator")
    says = "Not one of the 10 members that this refresh sent could be read"
    for path in (f"/cohorts/{cohort}", f"/cohorts/{cohort}/held", f"/sessions/{session}", "/"):
        assert says in browser.page(path), path
    page = browser.page(f"/cohorts/{cohort}/held")
    assert "never removes anybody" in page
    assert "/held/reject" in page
    assert "/held/approve" not in page
    browser.post(f"/cohorts/{cohort}/held/approve", {"session": session})
    assert relay.session()["status"] == "held"
    browser.post(f"/cohorts/{cohort}/held/reject", {"session": session})
    assert relay.session()["decision"] == "rejected"


def test_s4_an_operator_approves_what_could_be_read_in_part_after_seeing_why_it_is_held(relay: Relay) -> None:
    refreshed(relay, [member("u0"), member(""), member(" ")], "second")
    cohort, session, browser = relay.cohort()["id"], relay.session()["id"], relay.sign_in("operator")
    page = browser.page(f"/cohorts/{cohort}/held")
    assert "2 of the 3 members that this refresh sent could not be read; it would remove 9 of 10 members" in page
    assert f"/sessions/{session}/members/rejected" in page
    browser.post(f"/cohorts/{cohort}/held/approve", {"session": session})
    relay.work()
    assert relay.members() == {"u0"}


@pytest.mark.parametrize(
    ("members", "held_for"),
    [([None], "none_readable"), (["u0", None, None], "half_unreadable"), (TEN, None)],
)
def test_s4_the_api_says_why_a_refresh_is_held(relay: Relay, members: Any, held_for: str | None) -> None:
    refreshed(relay, members, "second")
    session = relay.session()["id"]
    assert relay.api(f"/sessions/{session}").json["held_for"] == held_for  # type: ignore[index]
