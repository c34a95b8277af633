"""A set is compared with who should be in it, and repaired where somebody asks for that."""

import pytest

from destinations.reconcile import reconcile
from destinations.settings import WrongSettings
from tests.destinations.conftest import Relaying


@pytest.fixture
def differing(relaying: Relaying) -> Relaying:
    """Ada was removed there by hand, Bob has left and was put back, and a stranger came."""
    relaying.relay.refresh(["ada-long-name", "bob-long-name", "cid-long-name"])
    relaying.destination("crm", "set")
    relaying.subscribe("crm")
    relaying.work()
    relaying.relay.remove(["bob-long-name"], session="s2")
    relaying.work()
    there = relaying.there("crm").members
    there.discard("ada-long-name")
    there.update({"bob-long-name", "a stranger"})
    return relaying


def test_what_differs_is_counted_and_shown_masked_and_nothing_is_changed(differing: Relaying) -> None:
    found = reconcile(differing.runtime, differing.subscription(1))
    assert (found.wanted, found.there, found.missing, found.extra, found.strangers) == (2, 3, 1, 1, 1)
    assert found.samples == {"missing": ["…ame"], "extra": ["…ame"], "strangers": ["…ger"]}
    assert found.repaired == 0
    calls = len(differing.there("crm").bodies)
    differing.work()
    assert len(differing.there("crm").bodies) == calls


def test_a_repair_brings_back_whom_we_added_and_leaves_strangers(differing: Relaying) -> None:
    known = differing.subscription(1)
    assert reconcile(differing.runtime, known, repair=True).repaired == 2
    assert reconcile(differing.runtime, known).missing == 0  # on its way
    differing.work()
    assert differing.there("crm").members == {"ada-long-name", "cid-long-name", "a stranger"}
    found = reconcile(differing.runtime, known)
    assert (found.missing, found.extra, found.strangers) == (0, 0, 1)
    assert differing.counts(known) == {"applied": 6}


def test_what_cannot_be_read_says_so(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    with pytest.raises(WrongSettings):
        reconcile(relaying.runtime, relaying.subscribe("hook"))
