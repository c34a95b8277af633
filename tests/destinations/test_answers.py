"""An answer may hold both: verdicts of those with whom the far end is done, and a refusal of the others."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from config.clock import MINUTE
from destinations.contract import Answer, Change, Refusal, RefusalKind, Verdict
from tests.destinations.conftest import Relaying

APPLIED = Verdict("applied")


def only_first(relaying: Relaying, kind: RefusalKind, most: int = 1) -> Callable[[Sequence[Change]], Answer]:
    """The far end takes the first of a call with more than `most`, and refuses the others."""

    def fault(changes: Sequence[Change]) -> Answer:
        taken = changes if len(changes) <= most else changes[:1]
        for one in taken:
            relaying.there("crm")._apply(one)
        refusal = None if taken == changes else Refusal(kind, kind, "No.", 1)
        return Answer({one.id: APPLIED for one in taken}, refusal, 200)

    return fault


@pytest.mark.parametrize("kind", ["throttled", "unavailable", "unknown", "batch", "size"])
def test_whom_it_has_taken_is_not_told_again_and_the_others_follow(relaying: Relaying, kind: RefusalKind) -> None:
    relaying.relay.refresh(["ada", "bob", "eve", "zoe"])
    relaying.destination("crm", "set", retry_seconds="1, 1, 1, 1")
    known = relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = only_first(relaying, kind, most=2)
    for _ in range(5):
        relaying.work(MINUTE)
    assert relaying.counts(known) == {"applied": 4}
    assert there.members == {"ada", "bob", "eve", "zoe"}
    assert set(there.seen.values()) == {1}


def test_a_refusal_that_stops_the_destination_leaves_verdicts_standing(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    relaying.there("crm").fault = only_first(relaying, "credentials")
    relaying.work()
    assert relaying.counts(known) == {"applied": 1, "waiting": 1}


def test_of_two_whom_a_batch_holds_the_only_one_without_a_verdict_is_what_is_refused(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    known = relaying.subscribe("crm")
    relaying.there("crm").fault = only_first(relaying, "batch")
    relaying.work()
    assert relaying.counts(known) == {"applied": 1, "rejected": 1}


@pytest.mark.parametrize("outcome", ["retry", "uncertain"])
def test_what_the_far_end_calls_somebody_is_kept_though_they_are_tried_again(relaying: Relaying, outcome: Any) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("crm", "set", retry_seconds="1, 1, 1, 1")
    relaying.subscribe("crm")
    there = relaying.there("crm")
    there.fault = lambda changes: Answer({one.id: Verdict(outcome, "busy", vendor_id="v-7") for one in changes})
    relaying.work()
    there.fault = None
    relaying.work(MINUTE)
    assert [one.vendor_id for body in there.bodies for one in body] == [None, "v-7"]
