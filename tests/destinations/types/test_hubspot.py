"""HubSpot: from e-mails to contacts to a list, and what its answers leave open."""

from collections.abc import Iterator

import pytest

from destinations.transport import NotRead
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_hubspot import HubSpot
from tests.destinations.types.far_ends import Fault, busy, standing
from tests.mixpanel import Answer

ADA, BOB = change(1, "ada@example.com"), change(2, "bob@example.com")


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    with standing(HubSpot) as found:
        yield found


def paths(hubspot: HubSpot) -> list[str]:
    return [call.path.rsplit("/", 1)[1] for call in hubspot.calls]


def test_an_email_becomes_a_contact_and_its_id_is_remembered_for_the_list(hubspot: HubSpot) -> None:
    answer = hubspot.adapter().send(FEED, [change(1, "ada@example.com", fields={"plan": "pro", "name": None}), BOB])
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"applied"}
    assert [answer.verdicts[number].vendor_id for number in (1, 2)] == ["1000", "1001"]
    assert hubspot.contacts["1000"] == {"email": "ada@example.com", "plan": "pro"}
    assert hubspot.members == {"ada@example.com", "bob@example.com"}
    assert paths(hubspot) == ["upsert", "add-and-remove"]


def test_who_is_remembered_costs_one_call_and_both_kinds_go_together(hubspot: HubSpot) -> None:
    adapter = hubspot.adapter()
    adapter.send(FEED, [ADA, BOB])
    hubspot.listed = {"1001"}
    adapter.send(
        FEED, [change(3, "ada@example.com", vendor_id="1000"), change(4, "bob@example.com", "left", vendor_id="1001")]
    )
    assert hubspot.members == {"ada@example.com"}
    assert paths(hubspot)[2:] == ["add-and-remove"]


@pytest.mark.parametrize("traces", [True, False])
def test_results_are_found_again_with_and_without_our_own_ids(hubspot: HubSpot, traces: bool) -> None:
    hubspot.traces = traces
    answer = hubspot.adapter().send(FEED, [ADA, change(2, "bob@example.com", fields={"plan": 3})])
    assert [answer.verdicts[number].vendor_id for number in (1, 2)] == ["1000", "1001"]


def test_a_second_email_of_a_contact_is_that_contact_also_without_our_own_id(hubspot: HubSpot) -> None:
    hubspot.contacts, hubspot.more_emails = {"7": {"email": "ada@old.example"}}, {"ada@example.com": "7"}
    hubspot.traces = False
    assert hubspot.adapter().send(FEED, [ADA, BOB]).verdicts[1].vendor_id == "7"


def test_of_two_emails_of_one_contact_either_keeps_it_on_the_list(hubspot: HubSpot) -> None:
    hubspot.contacts, hubspot.more_emails = {"7": {"email": "ada@example.com"}}, {"ada@old.example": "7"}
    answer = hubspot.adapter().send(FEED, [ADA, change(2, "ada@old.example", "left", vendor_id="7")])
    assert (hubspot.listed, set(answer.verdicts), hubspot.refused) == ({"7"}, {1, 2}, [])


def test_a_200_that_wrote_nothing_is_no_success(hubspot: HubSpot) -> None:
    hubspot.silent = 1
    refusal = hubspot.adapter().send(FEED, [ADA, BOB]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("unavailable", "nothing_written")
    assert hubspot.adapter().send(FEED, [ADA, BOB]).refusal is None
    hubspot.faults.extend([None, Fault(Answer(200, {}))])
    again = hubspot.adapter().send(FEED, [ADA]).refusal
    assert again is not None
    assert again.reason == "nothing_listed"


@pytest.mark.parametrize(("category", "outcome"), [("VALIDATION_ERROR", "rejected"), ("RATE_LIMITS", "retry")])
def test_a_207_says_by_category_what_becomes_of_each(hubspot: HubSpot, category: str, outcome: str) -> None:
    hubspot.categories = {"bob@example.com": category}
    answer = hubspot.adapter().send(FEED, [ADA, BOB])
    assert (answer.verdicts[1].outcome, answer.verdicts[2].outcome) == ("applied", outcome)
    assert answer.verdicts[2].reason == category.lower()
    assert hubspot.members == {"ada@example.com"}


def test_an_error_that_names_nobody_leaves_the_unnamed_uncertain(hubspot: HubSpot) -> None:
    body = {"results": [], "errors": [{"category": "VALIDATION_ERROR", "context": {}}], "numErrors": 1}
    hubspot.faults.append(Fault(Answer(207, body)))
    answer = hubspot.adapter().send(FEED, [ADA, BOB])
    assert (answer.refusal, answer.verdicts) == (None, {})


def test_a_contact_that_was_deleted_there_is_made_anew(hubspot: HubSpot) -> None:
    adapter = hubspot.adapter()
    adapter.send(FEED, [ADA, BOB])
    hubspot.forget("1000")
    answer = adapter.send(
        FEED, [change(3, "ada@example.com", vendor_id="1000"), change(4, "bob@example.com", vendor_id="1001")]
    )
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"applied"}
    assert answer.verdicts[3].vendor_id != "1000"
    assert hubspot.members == {"ada@example.com", "bob@example.com"}


def test_a_contact_that_is_missing_at_once_is_tried_again(hubspot: HubSpot) -> None:
    body = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": ["1000"]}
    hubspot.faults.extend([None, Fault(Answer(200, body)), None, Fault(Answer(200, body))])
    verdict = hubspot.adapter().send(FEED, [ADA]).verdicts[1]
    assert (verdict.outcome, verdict.reason) == ("retry", "contact_gone")


def test_who_leaves_and_is_no_contact_is_off_the_list_and_is_not_made_one(hubspot: HubSpot) -> None:
    adapter = hubspot.adapter()
    answer = adapter.send(
        FEED, [change(1, "ada@example.com", "left"), change(2, "bob@example.com", "left", vendor_id="9")]
    )
    assert {(one.outcome, one.reason) for one in answer.verdicts.values()} == {("applied", "not_there")}
    assert hubspot.contacts == {}


def test_who_leaves_without_a_remembered_id_is_looked_for(hubspot: HubSpot) -> None:
    hubspot.adapter().send(FEED, [ADA, BOB])
    hubspot.adapter().send(FEED, [change(3, "ada@example.com", "left")])
    assert hubspot.members == {"bob@example.com"}


def test_an_active_list_stops_the_destination_and_rejects_nobody(hubspot: HubSpot) -> None:
    hubspot.processing = "DYNAMIC"
    refusal = hubspot.adapter().send(FEED, [ADA]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("gone", "list_not_static")


def test_an_unknown_property_is_found_by_halves(hubspot: HubSpot) -> None:
    refusal = hubspot.adapter().send(FEED, [change(1, "ada@example.com", fields={"shoe": "38"}), BOB]).refusal
    assert refusal is not None
    assert refusal.kind == "batch"


def test_a_limit_of_the_day_is_asked_again_by_the_hour_and_one_of_seconds_as_it_says(hubspot: HubSpot) -> None:
    daily = {"category": "RATE_LIMITS", "policyName": "DAILY"}
    hubspot.faults.extend([busy(body=daily), busy({"Retry-After": "10"}, {"policyName": "TEN_SECONDLY_ROLLING"})])
    refusals = [hubspot.adapter().send(FEED, [ADA]).refusal for _ in range(2)]
    told = [(one.kind, one.reason, one.wait) for one in refusals if one]
    assert told == [("throttled", "daily", 3600), ("throttled", "ten_secondly_rolling", 10)]


@pytest.mark.parametrize("status", [423, 477])
def test_an_account_that_is_locked_or_moved_is_waited_for(hubspot: HubSpot, status: int) -> None:
    hubspot.faults.append(Fault(Answer(status, {})))
    refusal = hubspot.adapter().send(FEED, [ADA]).refusal
    assert refusal is not None
    assert refusal.kind == "unavailable"


@pytest.mark.parametrize(("processing", "of"), [("DYNAMIC", "0-1"), ("MANUAL", "0-2")])
def test_a_check_refuses_a_list_that_is_active_or_of_companies(hubspot: HubSpot, processing: str, of: str) -> None:
    assert hubspot.adapter().check().ok
    hubspot.processing, hubspot.object_type = processing, of
    assert not hubspot.adapter().check().ok


def test_a_list_is_read_page_by_page_as_emails(hubspot: HubSpot) -> None:
    hubspot.adapter().send(FEED, [change(number, f"p{number}@example.com") for number in range(1, 8)])
    hubspot.page = 3
    assert set(hubspot.adapter().members(FEED)) == hubspot.members
    hubspot.faults.append(busy())
    with pytest.raises(NotRead):
        list(hubspot.adapter().members(FEED))


def test_an_erasure_deletes_the_contact_and_is_done_where_there_is_none(hubspot: HubSpot) -> None:
    hubspot.adapter().send(FEED, [ADA])
    for _ in range(2):
        assert hubspot.adapter().erase(FEED, ADA).verdicts[1].outcome == "applied"
    assert hubspot.contacts == {}
