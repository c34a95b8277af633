"""No call is made whose body would be larger than its type allows: a batch is cut before it is sent."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from destinations import destinations, messages, registry, trial
from destinations.body_size import _at_most
from destinations.contract import DestinationType
from destinations.destinations import NewDestination
from destinations.types.webhook import WEBHOOK
from tests.conftest import MakeRelay
from tests.destinations import sets_and_streams
from tests.destinations.conftest import Relaying
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_ends import opened_as
from tests.mixpanel import Mixpanel, stand_in
from tests.relay import member

MOST = 2000
LIMITED = [kind for kind in registry.TYPES.values() if kind.body_bytes and kind.name != "mixpanel"]
ODD = {"quoted": '"' * 90, "control": "\x01" * 90, "wide": "😀" * 90, "list": [1.5, None, True, {"a": "b"}] * 9}


@pytest.fixture
def limited(relaying: Relaying, monkeypatch: pytest.MonkeyPatch) -> Relaying:
    """The types of tests take little in a call."""
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, replace(kind, body_bytes=MOST))
    return relaying


def people(*lengths: int) -> list[dict[str, Any]]:
    """Members with a note of so many letters."""
    return [member(f"p{number}", note="x" * length) for number, length in enumerate(lengths)]


@pytest.mark.parametrize("kind", ["stream", "table"])
def test_a_batch_is_cut_before_it_is_sent(limited: Relaying, kind: str) -> None:
    limited.relay.refresh(people(*[150] * 40))
    limited.destination("crm", kind)
    known = limited.subscribe("crm", start="present", fields={"note": "note"})
    limited.work()
    assert limited.counts(known) == {"applied": 40}
    sizes = [sum(len(one.fields["note"]) for one in body) for body in limited.there("crm").bodies]
    assert max(sizes) <= MOST
    assert len(sizes) <= 8


@pytest.mark.parametrize("kind", ["stream", "table", "hook"])
def test_whoever_is_too_large_alone_is_rejected_and_nobody_else(limited: Relaying, kind: str) -> None:
    limited.relay.refresh(people(10, MOST, 10))
    limited.destination("crm", kind)
    known = limited.subscribe("crm", start="present", fields={"note": "note"})
    limited.work()
    assert limited.counts(known) == {"applied": 2, "rejected": 1}
    (row,) = limited.relay.rows("SELECT reason FROM message WHERE state = 'rejected'")
    assert row["reason"] == "too_large"
    assert {one.identity for body in limited.there("crm").bodies for one in body} == {"p0", "p2"}


def test_a_call_that_was_not_made_says_so_and_is_nothing_against_the_destination(limited: Relaying) -> None:
    limited.relay.refresh(people(MOST))
    limited.destination("crm", "hook")
    known = limited.subscribe("crm", start="present", fields={"note": "note"})
    limited.work()
    (attempt,) = limited.database.read(lambda db: messages.attempts(db, known))
    assert (attempt.status, attempt.verdict, attempt.reason) == (None, "size", "too_large")
    assert limited.of("crm").status == "active"
    found = trial.test(limited.runtime, known, "p0")
    assert (found.outcome, "was not made" in found.told) == ("size", True)
    assert limited.there("crm").bodies == []


@pytest.fixture
def receiver() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def test_a_webhook_never_hears_of_more_than_its_type_allows(
    make_relay: MakeRelay, receiver: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TYPES, "webhook", replace(WEBHOOK, body_bytes=5000))
    relaying = Relaying(make_relay(allow_private_destinations=True))
    relaying.relay.refresh(people(*[300] * 30, 6000))
    draft = NewDestination("hook", "webhook", {"url": f"{receiver.url}/hook", "batch": 100})
    relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relaying.now))
    known = relaying.subscribe("hook", start="present", fields={"note": "note"})
    relaying.work()
    assert relaying.counts(known) == {"applied": 30, "rejected": 1}
    assert max(len(call.body) for call in receiver.calls) <= 5000


@pytest.mark.parametrize("kind", LIMITED, ids=lambda kind: kind.name)
def test_a_body_is_never_longer_than_what_it_is_taken_for(kind: DestinationType) -> None:
    """Or a body could be too large and nobody would look."""
    settings = {"url": "https://example.com", "path": "/tmp", "list_id": 7, "batch": 100, "format": "csv"}  # noqa: S108
    if kind.name == "sql":
        settings["url"] = "sqlite:////tmp/theirs.db"
    changes = [
        change(1, "a"),
        change(2, '"' * 200, "left"),
        change(3, "é" * 90, fields=ODD),
        change(4, "b", fields={f"field {number}": "" for number in range(90)}),
    ]
    for feed in (FEED, replace(FEED, cohort_name='\x01"é' * 80)):
        for some in ([one] for one in changes):
            adapter = kind.open(opened_as(kind, **settings))
            assert len(adapter.preview(feed, some).encode()) <= _at_most(feed, some)
