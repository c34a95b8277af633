"""Whatever a far end answers, an adapter says what came of it, and raises nothing."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from destinations.contract import Erasing, Readable
from destinations.transport import NotRead
from destinations.types.segment import SEGMENT
from destinations.types.slack import SLACK
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_ends import SECRET, Fault, SetVendor, Vendor, opened_as
from tests.destinations.types.test_segment import Segment
from tests.destinations.types.test_sets import VENDORS
from tests.destinations.types.test_slack import Slack
from tests.mixpanel import Answer

ODD = st.sampled_from(
    [None, True, 0, -1, 3, 1.5, "", "x", "ada@example.com", [], [1], [[]], {}, {"id": []}, [{}], [None]]
)
STATUSES = st.sampled_from([200, 200, 201, 202, 207, 400, 401, 404, 409, 422, 429, 477, 503])
TROUBLES = {
    "blocked": {"bob@example.com"},
    "categories": {"eve@example.com": "VALIDATION_ERROR"},
    "failing": {"eve@example.com": "invalid"},
    "bad": {"eve@example.com"},
    "doubles": {"zoe@example.com": "01OLD"},
}
CHANGES = [
    change(0, "ada@example.com"),
    change(1, "bob@example.com", "left"),
    change(2, "eve@example.com"),
    change(3, "zoe@example.com", vendor_id="9"),
    change(4, "kim@example.com", "left", vendor_id="8"),
]


def bent(body: Any, place: int, odd: Any) -> Any:
    """The body with another value at the `place`th of all values in it."""
    left = iter(range(place, -1, -1))

    def walked(value: Any) -> Any:
        if next(left, None) == 0:
            return odd
        if isinstance(value, list):
            return [walked(one) for one in value]
        return {name: walked(one) for name, one in value.items()} if isinstance(value, dict) else value

    return walked(body)


def adapter(vendor: Vendor) -> Any:
    if isinstance(vendor, SetVendor):
        return vendor.adapter()
    if isinstance(vendor, Segment):
        return SEGMENT.open(opened_as(SEGMENT, url=vendor.url))
    return SLACK.open(opened_as(SLACK, {"token": SECRET}, base_url=f"{vendor.url}/api", channel="C0123456789"))


@pytest.fixture(params=[*VENDORS, Segment, Slack], ids=lambda vendor: vendor.__name__)
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    found = request.param()
    yield found
    found.close()


@pytest.fixture
def troubled(vendor: Vendor) -> Vendor:
    """It has something to say of each of some people."""
    for name, value in TROUBLES.items():
        if hasattr(vendor, name):
            setattr(vendor, name, value)
    return vendor


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 25), ODD, STATUSES)
def test_whatever_comes_back_is_an_answer(troubled: Vendor, place: int, odd: Any, status: int) -> None:
    found = adapter(troubled)
    troubled.bend = lambda body: bent(body, place, odd)
    assert set(found.send(FEED, CHANGES).verdicts) <= set(range(5))
    found.check()
    if isinstance(found, Readable):
        with suppress(NotRead):
            assert all(isinstance(member, str) for member in islice(found.members(FEED), 20))
    if isinstance(found, Erasing):
        assert set(found.erase(FEED, CHANGES[0]).verdicts) <= {0}
    troubled.faults.append(Fault(Answer(status, odd)))
    assert set(found.send(FEED, CHANGES).verdicts) <= set(range(5))
    troubled.faults.clear()


def test_a_body_is_bent_at_each_of_its_places() -> None:
    body = {"a": [1, {"b": 2}], "c": 3}
    found = [bent(body, place, "odd") for place in range(7)]
    assert found[0] == "odd"
    assert found[2] == {"a": ["odd", {"b": 2}], "c": 3}
    assert found[4] == {"a": [1, {"b": "odd"}], "c": 3}
    assert found[6] == body
