"""Vendors' sets told by the engine: equal to the cohort, with the ids that it keeps, through faults and erasures."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.clock import HOUR, MINUTE
from destinations import destinations
from destinations import erasure as destinations_erasure
from destinations.destinations import NewDestination
from destinations.reconcile import reconcile
from erasure.erase import eraser
from erasure.records import DataSubject
from tests.destinations.conftest import Relaying
from tests.destinations.types.far_end_customerio import APP_KEY, CustomerIO
from tests.destinations.types.far_end_hubspot import HubSpot
from tests.destinations.types.far_end_klaviyo import Klaviyo
from tests.destinations.types.far_ends import CUT, DOWN, SECRET, SetVendor, broken, busy, standing
from tests.destinations.types.test_segment import Segment
from tests.destinations.types.test_sets import VENDORS
from tests.destinations.types.test_slack import HOOK, Slack
from tests.mixpanel import Answer, Call
from tests.relay import member


def people(*names: str) -> list[dict[str, Any]]:
    return [member(name, email=f"{name}@example.com") for name in names]


def emails(*names: str) -> set[str]:
    return {f"{name}@example.com" for name in names}


@pytest.fixture
def shared(make_relay: Callable[..., Any]) -> Relaying:
    return Relaying(make_relay(allow_private_destinations=True))


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.__name__)
def vendor(request: pytest.FixtureRequest) -> Iterator[SetVendor]:
    found = request.param()
    yield found
    found.close()


def connected(relaying: Relaying, vendor: SetVendor, **more: Any) -> Any:
    """The cohort goes to the vendor, by e-mail."""
    needed = {one.name: SECRET for one in vendor.kind.settings if one.secret and one.required}
    if isinstance(vendor, CustomerIO):
        needed["app_api_key"] = APP_KEY
    settings = {"base_url": vendor.url, "retry_seconds": "1, 1, 1, 1, 1, 1, 1, 1", **vendor.settings(), **more}
    return subscribed(relaying, NewDestination("crm", vendor.kind.name, settings, needed))


def subscribed(relaying: Relaying, draft: NewDestination) -> Any:
    relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relaying.now))
    return relaying.subscribe("crm", identity="email")


def test_a_set_follows_the_cohort_through_faults(shared: Relaying, vendor: SetVendor) -> None:
    shared.relay.refresh(people("ada", "bob", "eve"))
    known = connected(shared, vendor)
    vendor.faults.extend([CUT, broken(), DOWN, busy({"Retry-After": "1"}), None, CUT, broken(502)])
    for _ in range(8):
        shared.work(MINUTE)
    assert vendor.members == emails("ada", "bob", "eve")
    vendor.faults.extend([DOWN, None, CUT, busy()])
    shared.relay.remove(people("ada"), session="s2")
    shared.relay.add(people("zoe"), session="s3")
    for _ in range(8):
        shared.work(5 * MINUTE)
    assert vendor.members == emails("bob", "eve", "zoe")
    assert shared.counts(known) == {vendor.kind.success: 5}
    assert vendor.refused == []


def test_a_person_who_is_erased_leaves_the_set(shared: Relaying, vendor: SetVendor) -> None:
    shared.relay.refresh(people("ada", "bob"))
    connected(shared, vendor)
    shared.work()
    eraser(shared.runtime).erase(DataSubject("1", "ada"), "tests")
    shared.work(HOUR)
    assert vendor.members == emails("bob")


def test_a_person_who_is_erased_is_deleted_there_where_that_was_chosen(shared: Relaying, vendor: SetVendor) -> None:
    shared.relay.refresh(people("ada", "bob"))
    connected(shared, vendor, delete_on_erasure=True)
    shared.work()
    before = len(vendor.calls)
    erasure = eraser(shared.runtime).erase(DataSubject("1", "ada"), "tests").id
    shared.work(HOUR)
    assert vendor.members == emails("bob")
    assert vendor.refused == []
    asked = [f"{call.method} {call.path}" for call in vendor.calls[before:]]
    assert len([call for call in asked if re.search("DELETE .*/customers/|delete$|forget$|deletion-jobs$", call)]) == 1
    outcomes = shared.database.read(lambda db: destinations_erasure.outcomes(db, erasure))
    assert [one.kind for one in outcomes] == ["left", "erased"]
    assert {one.state for one in outcomes} <= {"applied", "accepted"}


@pytest.mark.parametrize("kind", [one for one in VENDORS if one.kind.reads_back], ids=lambda one: one.__name__)
def test_who_was_taken_out_there_by_hand_is_found_and_put_back(shared: Relaying, kind: type[SetVendor]) -> None:
    with standing(kind) as vendor:
        shared.relay.refresh(people("ada", "bob"))
        known = connected(shared, vendor)
        shared.work()
        vendor.lose()
        found = reconcile(shared.runtime, known, repair=True)
        assert (found.missing, found.extra, found.strangers) == (1, 0, 0)
        shared.work(MINUTE)
        assert vendor.members == emails("ada", "bob")


@pytest.mark.parametrize("kind", [HubSpot, Klaviyo])
def test_whoever_was_deleted_there_leaves_and_comes_back_with_a_new_id(shared: Relaying, kind: Any) -> None:
    with standing(kind) as vendor:
        shared.relay.refresh(people("ada", "bob"))
        connected(shared, vendor)
        shared.work()
        vendor.forget(vendor.id_of("ada@example.com"))
        shared.relay.remove(people("ada"), session="s2")
        shared.work()
        shared.relay.add(people("ada"), session="s3")
        shared.work()
        assert vendor.members == emails("ada", "bob")


def test_a_message_that_slack_may_have_posted_is_posted_once_and_waits_for_a_person(shared: Relaying) -> None:
    with standing(Slack) as slack:
        shared.relay.refresh([])
        known = subscribed(shared, NewDestination("crm", "slack", {}, {"webhook_url": f"{slack.url}{HOOK}"}))
        slack.faults.extend([busy({"Retry-After": "1"}), DOWN, CUT])
        shared.relay.add(people("ada", "bob", "eve"), session="s2")
        for _ in range(6):
            shared.work(HOUR)
        assert slack.posted == ["*Paying users*: 3 entered (session 2)"]
        assert shared.counts(known) == {"uncertain": 3}


def test_an_event_whose_answer_was_lost_goes_to_segment_again_and_is_there_once(shared: Relaying) -> None:
    with standing(Segment) as segment:
        shared.relay.refresh([])
        settings = {"url": segment.url, "calls": "both"}
        known = subscribed(shared, NewDestination("crm", "segment", settings, {"write_key": SECRET}))
        segment.faults.extend([CUT, broken(), busy(), DOWN])
        shared.relay.add(people("ada", "bob"), session="s2")
        shared.relay.remove(people("ada"), session="s3")
        for _ in range(8):
            shared.work(30 * MINUTE)
        assert shared.counts(known) == {"accepted": 3}
        assert len(segment.events) == 6


class Picky(CustomerIO):
    """Refuses a whole call for one id in it, and does not say which."""

    def _changed(self, call: Call) -> Answer:
        if "p500@example.com" in call.json["ids"]:
            return Answer(400, {"meta": {"errors": ["an id is not taken"]}})
        return super()._changed(call)


def test_09_03_one_of_whom_nobody_says_who_it_is_is_found_in_few_calls(shared: Relaying) -> None:
    with standing(Picky) as vendor:
        shared.relay.refresh(people(*(f"p{number}" for number in range(1000))))
        known = connected(shared, vendor)
        shared.work()
        assert shared.counts(known) == {"accepted": 999, "rejected": 1}
        assert len(vendor.calls) <= 25


def test_09_05_a_days_limit_uses_up_no_attempt_and_loses_nobody(shared: Relaying) -> None:
    with standing(HubSpot) as vendor:
        shared.relay.refresh(people("ada"))
        connected(shared, vendor)
        vendor.faults.extend([busy(body={"policyName": "DAILY"})] * 12)
        for _ in range(14):
            shared.work(HOUR + 5 * MINUTE)
        assert vendor.members == emails("ada")
        (row,) = shared.relay.rows("SELECT attempts FROM message")
        assert row["attempts"] == 1
