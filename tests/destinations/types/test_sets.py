"""Every vendor's set ends equal to the cohort, whatever faults occur, in whatever batches and order."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from destinations.contract import Answer as Outcome
from destinations.contract import Change
from destinations.vendors import basic
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_end_braze import Braze
from tests.destinations.types.far_end_customerio import CustomerIO
from tests.destinations.types.far_end_hubspot import HubSpot
from tests.destinations.types.far_end_iterable import Iterable
from tests.destinations.types.far_end_klaviyo import Klaviyo
from tests.destinations.types.far_ends import CUT, DOWN, SECRET, Fault, SetVendor, broken, busy, standing
from tests.mixpanel import Answer

VENDORS = (Braze, CustomerIO, HubSpot, Iterable, Klaviyo)
FAULTS: list[Fault | None] = [None, None, CUT, DOWN, broken(), broken(504), busy({"Retry-After": "1"})]
PEOPLE = [f"p{number}@example.com" for number in range(4)]
AGAIN = {"throttled", "unavailable", "unknown"}
MOST_CALLS = 60


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.__name__)
def vendor(request: pytest.FixtureRequest) -> Iterator[SetVendor]:
    found = request.param()
    yield found
    found.close()


class Lanes:
    """What the engine does with a destination, in memory: a lane for each identity, one message of each in a call.
    `whole` takes a refusal for that of the whole call, whatever verdicts there are beside it."""

    def __init__(self, adapter: Any, *, whole: bool) -> None:
        self.adapter, self.whole = adapter, whole
        self.lanes: dict[str, deque[Change]] = {}
        self.vendor_ids: dict[str, str] = {}
        self.outcomes: dict[int, str] = {}
        self.answers: list[Outcome] = []

    def plan(self, changes: Sequence[Change]) -> None:
        for one in changes:
            self.lanes.setdefault(one.identity, deque()).append(one)

    def call(self, size: int) -> None:
        heads = [lane[0] for lane in self.lanes.values() if lane]
        batch = [structs.replace(one, vendor_id=self.vendor_ids.get(one.identity)) for one in heads[:size]]
        answer = self.adapter.send(FEED, batch)
        self.answers.append(answer)
        assert answer.refusal is None or answer.refusal.kind in AGAIN, answer
        for one in batch if answer.refusal is None or not self.whole else []:
            verdict = answer.verdicts.get(one.id)
            if verdict is not None and verdict.outcome in {"applied", "accepted", "rejected"}:
                self.outcomes[one.id] = verdict.outcome
                self.lanes[one.identity].popleft()
                if verdict.vendor_id is not None:
                    self.vendor_ids[one.identity] = verdict.vendor_id

    def run(self, sizes: Iterator[int]) -> None:
        for _ in range(MOST_CALLS):
            if not any(self.lanes.values()):
                return
            self.call(next(sizes))
        raise AssertionError("it never ends")


def endless(sizes: list[int]) -> Iterator[int]:
    while True:
        yield from sizes


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=12),
    st.lists(st.sampled_from(FAULTS), max_size=10),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_set_ends_as_the_cohort_is(
    vendor: SetVendor, flips: list[str], faults: list[Fault | None], sizes: list[int], whole: bool
) -> None:
    lanes, inside = Lanes(vendor.adapter(), whole=whole), set()
    lanes.plan([change(100 + number, who, "left") for number, who in enumerate(sorted(vendor.members))])
    for number, who in enumerate(flips, 1):
        lanes.plan([change(number, who, "left" if who in inside else "entered")])
        inside ^= {who}
    vendor.faults = deque(faults)
    lanes.run(endless(sizes))
    assert vendor.members == inside
    assert set(lanes.outcomes.values()) <= {vendor.kind.success}
    assert vendor.refused == []


def test_a_full_batch_is_taken(vendor: SetVendor) -> None:
    count = vendor.kind.batch
    changes = [change(number, f"p{number}@example.com") for number in range(1, count + 1)]
    answer = vendor.adapter().send(FEED, changes)
    assert answer.refusal is None
    assert len(answer.verdicts) == count
    assert len(vendor.members) == count
    assert vendor.refused == []


WAITS: dict[str, Callable[[int], dict[str, str]]] = {
    "seconds": lambda _soon: {"Retry-After": "3600"},
    "date": lambda soon: {"Retry-After": formatdate(soon, usegmt=True)},
    "left": lambda _soon: {"X-RateLimit-Reset": "3600"},
    "moment": lambda soon: {"X-RateLimit-Reset": str(soon)},
    "milliseconds": lambda soon: {"X-Ratelimit-Reset": str(soon * 1000)},
    "draft": lambda _soon: {"RateLimit-Reset": "3600"},
    "braze": lambda _soon: {"X-Ratelimit-Retry-After": "3600"},
}


@pytest.mark.parametrize("headers", WAITS.values(), ids=WAITS)
def test_a_429_says_how_long_in_whatever_form(vendor: SetVendor, headers: Callable[[int], dict[str, str]]) -> None:
    vendor.faults.append(busy(headers(round(time.time()) + 3600)))
    refusal = vendor.adapter().send(FEED, [change(1, PEOPLE[0])]).refusal
    assert refusal is not None
    assert refusal.kind == "throttled"
    assert refusal.wait == pytest.approx(3600, abs=120)


def test_a_wrong_key_is_the_destinations_fault_and_nobodys_else(vendor: SetVendor) -> None:
    wrong = {one.name: "another-key" for one in vendor.kind.settings if one.secret}
    adapter = vendor.adapter(wrong)
    refusal = adapter.send(FEED, [change(1, PEOPLE[0])]).refusal
    assert refusal is not None
    assert refusal.kind == "credentials"
    assert not adapter.check().ok
    assert vendor.adapter().check().ok
    assert vendor.members == set()


def test_nobody_there_is_a_failed_check_and_another_try(vendor: SetVendor) -> None:
    adapter = vendor.adapter(base_url="http://127.0.0.1:1")
    assert not adapter.check().ok
    refusal = adapter.send(FEED, [change(1, PEOPLE[0])]).refusal
    assert refusal is not None
    assert refusal.kind == "unavailable"


def test_a_redirect_is_not_followed_and_leaks_nothing(vendor: SetVendor) -> None:
    with standing(type(vendor)) as other:
        vendor.faults.append(Fault(Answer(307, "", {"Location": f"{other.url}/stolen"})))
        refusal = vendor.adapter().send(FEED, [change(1, PEOPLE[0])]).refusal
        assert other.calls == []
    assert refusal is not None
    assert "not followed" in refusal.told


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 500])
def test_no_answer_is_kept_with_a_secret_or_a_person_in_it(vendor: SetVendor, status: int) -> None:
    fields = {"name": "Augusta"} if vendor.kind.carries_fields else {}
    changes = [change(1, "ada.lovelace@example.com", fields=fields), change(2, "bob@example.com", "left")]
    leaks = [SECRET, basic(SECRET, SECRET), "ada.lovelace@example.com", "bob@example.com", *fields.values()]
    body = {"message": " ".join(leaks), "errors": [{"type": leaks[2], "input_array": "attributes", "index": 0}]}
    vendor.faults.extend([Fault(Answer(status, body))] * 3)
    answer = vendor.adapter().send(FEED, changes)
    told = [answer.text, *(f"{one.reason} {one.told}" for one in answer.verdicts.values())]
    told += [f"{answer.refusal.reason} {answer.refusal.told}"] if answer.refusal else []
    assert "".join(told)
    assert not [word for word in leaks if any(word in text for text in told)]
