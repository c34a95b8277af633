"""Iterable: a list and nothing but the list, and whom a 200 leaves out."""

from collections.abc import Iterator

import pytest

from destinations.transport import NotRead
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_iterable import Iterable
from tests.destinations.types.far_ends import Fault, busy, standing
from tests.mixpanel import Answer

ADA, BOB = change(1, "ada@example.com"), change(2, "bob@example.com")


@pytest.fixture
def iterable() -> Iterator[Iterable]:
    with standing(Iterable) as found:
        yield found


def test_who_enters_is_subscribed_with_their_fields_and_who_leaves_is_off_the_list_only(iterable: Iterable) -> None:
    adapter = iterable.adapter()
    fields = {"plan": "pro", "seats": 3, "name": None}
    answer = adapter.send(FEED, [change(1, "ada@example.com", fields=fields), BOB])
    assert {verdict.outcome for verdict in answer.verdicts.values()} == {"applied"}
    assert iterable.users["ada@example.com"] == {"plan": "pro", "seats": 3}
    adapter.send(FEED, [change(3, "ada@example.com", "left", fields=fields)])
    assert iterable.listed == {"bob@example.com"}
    assert iterable.ended == set()
    assert iterable.calls[-1].json == {
        "listId": 12,
        "subscribers": [{"email": "ada@example.com"}],
        "channelUnsubscribe": False,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid", "invalid"),
        ("notFound", "not_found"),
        ("forgotten", "forgotten"),
        ("conflict", "conflict"),
        ("invalidData", "invalid_data"),
    ],
)
@pytest.mark.parametrize("identifier", ["email", "userId"])
def test_each_class_of_failure_is_of_those_whom_it_names(
    iterable: Iterable, name: str, reason: str, identifier: str
) -> None:
    iterable.failing = {"bob@example.com": name}
    adapter = iterable.adapter(identifier=identifier)
    entered = adapter.send(FEED, [ADA, BOB]).verdicts
    assert (entered[1].outcome, entered[2].outcome, entered[2].reason) == ("applied", "rejected", reason)
    left = adapter.send(FEED, [change(3, "bob@example.com", "left")]).verdicts[3]
    assert left.outcome == ("applied" if reason in {"not_found", "forgotten"} else "rejected")


def test_an_email_in_capitals_is_found_among_the_failures_and_a_user_id_is_exact(iterable: Iterable) -> None:
    body = {"successCount": 0, "failCount": 1, "failedUpdates": {"invalidEmails": ["ADA@example.com"]}}
    iterable.faults.append(Fault(Answer(200, body)))
    assert iterable.adapter().send(FEED, [ADA]).verdicts[1].outcome == "rejected"
    iterable.faults.append(Fault(Answer(200, {"failCount": 1, "failedUpdates": {"invalidUserIds": ["ADA"]}})))
    assert iterable.adapter(identifier="userId").send(FEED, [change(1, "ada")]).verdicts == {}


def test_more_failures_than_names_leave_the_unnamed_uncertain(iterable: Iterable) -> None:
    iterable.counts_more, iterable.failing = 1, {"bob@example.com": "invalid"}
    assert set(iterable.adapter().send(FEED, [ADA, BOB]).verdicts) == {2}


def test_a_200_that_reports_nothing_is_no_success(iterable: Iterable) -> None:
    for body in ({}, "<html>", {"msg": "queued"}):
        iterable.faults.append(Fault(Answer(200, body)))
        refusal = iterable.adapter().send(FEED, [ADA]).refusal
        assert refusal is not None
        assert refusal.kind == "unavailable"


def test_fields_that_were_left_out_are_told(iterable: Iterable) -> None:
    iterable.filtered = ["plan"]
    verdict = iterable.adapter().send(FEED, [ADA]).verdicts[1]
    assert (verdict.outcome, verdict.reason) == ("applied", "fields_left_out")


def test_a_list_that_is_gone_stops_the_destination_and_another_400_does_not(iterable: Iterable) -> None:
    gone = iterable.adapter(list_id="13").send(FEED, [ADA]).refusal
    iterable.faults.append(
        Fault(Answer(400, {"msg": "[/api/lists/subscribe] Invalid JSON body", "code": "BadJsonBody"}))
    )
    other = iterable.adapter().send(FEED, [ADA]).refusal
    assert [refusal and refusal.kind for refusal in (gone, other)] == ["gone", "batch"]
    assert not iterable.adapter(list_id="13").check().ok


def test_nobody_is_made_where_only_known_users_are_wanted(iterable: Iterable) -> None:
    iterable.users["ada@example.com"] = {}
    verdicts = iterable.adapter(existing_only=True).send(FEED, [ADA, BOB]).verdicts
    assert [verdicts[number].reason for number in (1, 2)] == ["", "not_found"]
    assert iterable.listed == {"ada@example.com"}


def test_a_long_list_is_read_line_by_line(iterable: Iterable) -> None:
    iterable.listed = {f"person-{number}@example.com" for number in range(60_000)}
    assert set(iterable.adapter().members(FEED)) == iterable.listed
    for fault in (busy(), Fault(Answer(200, "p1@example.com\np2@exam", cut=True)), Fault(Answer(200, "x" * 100_000))):
        iterable.faults.append(fault)
        with pytest.raises(NotRead):
            list(iterable.adapter().members(FEED))


def test_an_erasure_has_the_person_forgotten(iterable: Iterable) -> None:
    iterable.adapter().send(FEED, [ADA])
    assert iterable.adapter().erase(FEED, ADA).verdicts[1].outcome == "accepted"
    assert (iterable.listed, iterable.forgotten) == (set(), {"ada@example.com"})
    assert iterable.adapter().send(FEED, [ADA]).verdicts[1].reason == "forgotten"
