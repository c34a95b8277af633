"""Customer.io: a manual segment, whom it leaves out, and reading it back."""

from collections.abc import Iterator

import pytest

from destinations.transport import NotRead
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_customerio import APP_KEY, CustomerIO
from tests.destinations.types.far_ends import Fault, busy, standing
from tests.destinations.types.specifications import needed
from tests.mixpanel import Answer

ADA, BOB, EVE = change(1, "ada"), change(2, "bob"), change(3, "eve", "left")


@pytest.fixture
def customerio() -> Iterator[CustomerIO]:
    with standing(CustomerIO) as found:
        found.listed = {"eve"}
        yield found


def test_who_entered_is_added_and_who_left_removed(customerio: CustomerIO) -> None:
    answer = customerio.adapter().send(FEED, [ADA, EVE, BOB])
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"accepted"}
    assert customerio.listed == {"ada", "bob"}
    assert [call.json for call in customerio.calls] == [{"ids": ["ada", "bob"]}, {"ids": ["eve"]}]
    assert {call.query for call in customerio.calls} == {(("id_type", "id"),)}


def test_whom_it_does_not_know_is_accepted_as_everybody_because_it_does_not_say(customerio: CustomerIO) -> None:
    customerio.people = {"ada"}
    answer = customerio.adapter().send(FEED, [ADA, BOB])
    assert (answer.verdicts[2].outcome, customerio.listed) == ("accepted", {"ada", "eve"})


def test_what_the_first_call_came_to_stands_where_the_second_is_refused(customerio: CustomerIO) -> None:
    customerio.faults.extend([None, busy({"Retry-After": "5"})])
    answer = customerio.adapter().send(FEED, [ADA, EVE])
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.wait, set(answer.verdicts)) == ("throttled", 5, {1})


def test_a_segment_that_is_no_manual_one_stops_the_destination_and_rejects_nobody(customerio: CustomerIO) -> None:
    customerio.manual = False
    answer = customerio.adapter().send(FEED, [ADA])
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.reason) == ("gone", "no_manual_segment")


def test_another_400_is_about_what_is_in_the_call(customerio: CustomerIO) -> None:
    customerio.faults.append(Fault(Answer(400, {"meta": {"errors": ["ids must be strings"]}})))
    refusal = customerio.adapter().send(FEED, [ADA, BOB]).refusal
    assert refusal is not None
    assert refusal.kind == "batch"


def test_an_account_in_the_other_region_fails_the_check(customerio: CustomerIO) -> None:
    customerio.region = "eu"
    assert not customerio.adapter().check().ok


def test_a_segment_is_read_page_by_page_with_the_second_key(customerio: CustomerIO) -> None:
    customerio.listed, customerio.page = {f"p{number}" for number in range(7)}, 3
    assert set(customerio.adapter({"app_api_key": APP_KEY}).members(FEED)) == customerio.listed
    by_email = customerio.adapter({"app_api_key": APP_KEY}, id_type="email").members(FEED)
    assert "p0@example.com" in set(by_email)
    for secrets in ({}, {"app_api_key": "another"}):
        with pytest.raises(NotRead):
            list(customerio.adapter(secrets).members(FEED))


def test_an_erasure_deletes_the_person_however_the_id_is_written(customerio: CustomerIO) -> None:
    customerio.listed = {"a/b?c=%41"}
    answer = customerio.adapter().erase(FEED, change(1, "a/b?c=%41"))
    assert (answer.verdicts[1].outcome, customerio.listed) == ("applied", set())


def test_every_request_is_one_that_customerios_description_allows(customerio: CustomerIO) -> None:
    needed("customerio-track.json")
    adapter = customerio.adapter()
    adapter.check()
    adapter.send(FEED, [ADA, EVE])
    adapter.erase(FEED, ADA)
    assert customerio.refused == []
