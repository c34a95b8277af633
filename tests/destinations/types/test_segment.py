"""Segment and RudderStack: what leaves, what their answers mean, and what is kept of them."""

import base64
from collections.abc import Iterator

import pytest

from destinations.contract import Answer as Outcome
from destinations.contract import Change, RefusalKind
from destinations.types.segment import LARGEST_CALL, LARGEST_EVENT, SEGMENT
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_ends import CUT, DOWN, SECRET, SLOW, Fault, Vendor, broken, busy, opened_as, standing
from tests.destinations.types.specifications import needed, spec
from tests.mixpanel import Answer, Call


class Segment(Vendor):
    """Keeps each messageId once, and refuses as RudderStack does: Segment would take it all."""

    spec = spec("rudderstack.yaml", "")

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, object]] = {}
        self.says: object = {"success": True}

    def answer(self, call: Call) -> Answer:
        expected = f"Basic {base64.b64encode(f'{SECRET}:'.encode()).decode()}"
        if call.headers.get("Authorization") != expected:
            return self.no(401, "Invalid Authorization Header", "the key")
        events = call.json["batch"]
        if len(call.body) > LARGEST_CALL:
            return self.no(413, "Request size too large", "the size")
        if len(events) > 2500 or any(len(str(one["messageId"])) >= 100 or not one["userId"] for one in events):
            return self.no(400, "Invalid request", "an event")
        for one in events:
            self.events.setdefault(one["messageId"], one)
        return Answer(body=self.says)


@pytest.fixture
def segment() -> Iterator[Segment]:
    with standing(Segment) as found:
        yield found


def sent(segment: Segment, changes: list[Change], **settings: object) -> Outcome:
    return SEGMENT.open(opened_as(SEGMENT, url=segment.url, **settings)).send(FEED, changes)


def test_an_entry_and_an_exit_are_events_as_segments_own_audiences_send_them(segment: Segment) -> None:
    outcome = sent(segment, [change(1, fields={"plan": "pro"}), change(2, "bob", "left")])
    assert {verdict.outcome for verdict in outcome.verdicts.values()} == {"accepted"}
    first, second = segment.events.values()
    assert first == {
        "type": "track",
        "userId": "ada",
        "messageId": "cr-dlv_1-t",
        "timestamp": "2026-05-28T20:26:39.000Z",
        "context": {"library": {"name": "cohort-relay"}},
        "event": "Audience Entered",
        "properties": {
            "plan": "pro",
            "audience_key": "paying_users",
            "paying_users": True,
            "cohort_id": "987",
            "entry_number": 1,
        },
    }
    assert (second["event"], second["properties"]["paying_users"]) == ("Audience Exited", False)  # type: ignore[index]
    assert [call.path for call in segment.calls] == ["/v1/batch"]


def test_identify_sets_a_trait_and_both_do_both(segment: Segment) -> None:
    sent(segment, [change(1, fields={"plan": "pro"})], calls="identify")
    sent(segment, [change(2)], calls="both", entered_event="In")
    trait, *both = segment.events.values()
    assert (trait["type"], trait["traits"]) == ("identify", {"plan": "pro", "paying_users": True})
    assert [(one["type"], one.get("event")) for one in both] == [("identify", None), ("track", "In")]


@pytest.mark.parametrize("fault", [CUT, SLOW, broken(), broken(502), DOWN, busy()])
def test_a_repeat_is_one_event(segment: Segment, fault: Fault) -> None:
    segment.faults.append(fault)
    first = sent(segment, [change(1)], timeout_seconds=0.3)
    assert first.refusal is not None
    assert sent(segment, [change(1)]).verdicts[1].outcome == "accepted"
    assert list(segment.events) == ["cr-dlv_1-t"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(CUT, "unknown"), (broken(), "unknown"), (DOWN, "unavailable"), (busy({"Retry-After": "90"}), "throttled")],
)
def test_what_may_have_been_taken_is_nobody_knows(segment: Segment, fault: Fault, kind: RefusalKind) -> None:
    segment.faults.append(fault)
    refusal = sent(segment, [change(1)]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.wait) == (kind, 90 if kind == "throttled" else None)


def test_ids_of_messages_are_short_enough_whatever_their_keys(segment: Segment) -> None:
    key = f"dlv_{'f' * 32}"
    assert sent(segment, [Change(1, key, "entered", "ada", "ada", 1, 1, 1)], calls="both").refusal is None
    assert all(len(name) < 100 for name in segment.events)


def test_an_event_of_more_than_32_kilobytes_is_rejected_and_nobody_else_is(segment: Segment) -> None:
    outcome = sent(segment, [change(1, fields={"about": "x" * LARGEST_EVENT}), change(2, "bob")])
    assert [outcome.verdicts[number].outcome for number in (1, 2)] == ["rejected", "accepted"]
    assert outcome.verdicts[1].reason == "event_too_large"
    assert sent(segment, [change(3, fields={"about": "x" * LARGEST_EVENT})]).verdicts[3].outcome == "rejected"
    assert len(segment.calls) == 1


def test_more_than_500_kilobytes_are_cut_before_they_leave(segment: Segment) -> None:
    changes = [change(number, f"p{number}", fields={"about": "x" * 20_000}) for number in range(1, 31)]
    refusal = sent(segment, changes).refusal
    assert refusal is not None
    assert refusal.kind == "size"
    assert segment.calls == []
    assert sent(segment, changes[:15]).refusal is None


def test_a_full_batch_of_both_calls_is_within_the_limits_or_cut(segment: Segment) -> None:
    changes = [change(number, f"person-{number}@example.com") for number in range(1, SEGMENT.batch + 1)]
    outcome = sent(segment, changes, calls="both")
    assert outcome.refusal is None or outcome.refusal.kind == "size"
    assert segment.refused == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "batch"), (401, "credentials"), (404, "gone"), (413, "size"), (307, "unavailable")],
)
def test_what_rudderstack_refuses(segment: Segment, status: int, kind: RefusalKind) -> None:
    segment.faults.append(Fault(Answer(status, "no")))
    refusal = sent(segment, [change(1)]).refusal
    assert refusal is not None
    assert refusal.kind == kind


def test_a_200_that_says_no_is_no(segment: Segment) -> None:
    segment.says = {"success": False}
    refusal = sent(segment, [change(1)]).refusal
    assert refusal is not None
    assert refusal.kind == "batch"


def test_a_check_sends_no_event(segment: Segment) -> None:
    assert SEGMENT.open(opened_as(SEGMENT, url=f"{segment.url}/v1/")).check().ok
    assert not SEGMENT.open(opened_as(SEGMENT, {"write_key": "other-key"}, url=segment.url)).check().ok
    assert not SEGMENT.open(opened_as(SEGMENT, base_url="http://127.0.0.1:1")).check().ok
    assert segment.events == {}


def test_nothing_of_a_key_or_a_person_stays_in_what_is_kept(segment: Segment) -> None:
    segment.faults.append(Fault(Answer(400, "")))
    echo = Answer(400, f"{SECRET} {base64.b64encode(f'{SECRET}:'.encode()).decode()} ada.lovelace")
    segment.faults[0] = Fault(echo)
    text = sent(segment, [change(1, "ada.lovelace")]).text
    assert text
    assert not [word for word in (SECRET, "lovelace", echo.body.split()[1]) if word in text]


def test_every_request_is_one_that_rudderstacks_description_allows(segment: Segment) -> None:
    needed("rudderstack.yaml")
    sent(segment, [change(1), change(2, "bob", "left")], calls="both")
    assert segment.refused == []


def test_an_erasure_is_no_event_and_says_that_segment_cannot(segment: Segment) -> None:
    answer = sent(segment, [change(1, kind="erased"), change(2, "bob")])
    assert (answer.verdicts[1].outcome, answer.verdicts[1].reason) == ("rejected", "cannot_erase")
    assert [one["userId"] for one in segment.events.values()] == ["bob"]
