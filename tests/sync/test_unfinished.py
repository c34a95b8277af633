"""Pages, API and comparisons say the same of what is under way."""

import pytest

from outbound.comparison.local import facts
from sync.status import cohort as cohort_status
from tests.relay import MINUTE, Relay


def unfinished_diff(relay: Relay) -> None:
    relay.add(["B"], 1, 2, session="half")


def stalled_diff_before_a_refresh(relay: Relay) -> None:
    """The refresh has had the last word on everybody: what is missing of the diff changes nothing any more."""
    relay.add(["B"], 1, 2, session="half")
    relay.wait(20 * MINUTE)
    relay.refresh(["A"], session="whole")


def unfinished_refresh(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="half")


def finished(relay: Relay) -> None:
    relay.add(["B"], session="diff")


@pytest.mark.parametrize(
    ("so_far", "status"),
    [
        (unfinished_diff, "receiving"),
        (stalled_diff_before_a_refresh, None),
        (unfinished_refresh, "receiving"),
        (finished, None),
    ],
)
def test_what_is_unfinished_has_one_answer(relay: Relay, so_far: object, status: str | None) -> None:
    relay.refresh(["A"], session="first")
    so_far(relay)  # type: ignore[operator]
    cohort = relay.cohort()["id"]
    ours = relay.database.read(lambda db: facts(db, cohort))
    assert ours is not None
    assert ours.unfinished == status
    assert relay.api("/projects/1/cohorts/7").json["status"] == (status or "in_step")  # type: ignore[index]
    (stands,) = relay.database.read(lambda db: cohort_status.cohort_statuses(db, relay.clock(), cohort))
    assert (stands.session and stands.session.status) == status
