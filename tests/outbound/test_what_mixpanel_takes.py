"""What Mixpanel takes is never refused: ids of every kind, merges, wide profiles; in imports and in calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime import Runtime
from tests.mixpanel import Mixpanel
from tests.outbound.test_api import post, sender
from tests.outbound.test_imports import NOW, begin, counts, work
from tests.relay import Relay


def wide(count: int) -> dict[str, int]:
    return {f"p{number}": number for number in range(count)}


def event(name: str = "e", **properties: Any) -> dict[str, Any]:
    return {"event": name, "properties": {"time": NOW, **properties}}


EVENTS = {
    "a user alone": event(**{"$user_id": "u1"}),
    "a device alone": event(**{"$device_id": "d1"}),
    "both": event(**{"$user_id": "u1", "$device_id": "d1"}),
    "nobody": event(distinct_id=""),
    "a number": event(distinct_id=7),
    "a merge": event("$merge", **{"$distinct_ids": ["a", "b"]}),
    "a link": event("$identify", **{"$identified_id": "u1", "$anon_id": "0d3f4c84-3a2e-4cf2-9c2b-0a1b2c3d4e5f"}),
    "an alias": event("$create_alias", distinct_id="u1", alias="u2"),
    "254 properties": event(distinct_id="u1", **wide(254 - 5)),  # with those that we fill in
}
PROFILES = {
    "2,000 properties": {"$distinct_id": "u1", "$set": wide(2000)},
    "set once": {"$distinct_id": "u1", "$set_once": wide(2000)},
    "a list": {"$distinct_id": "u1", "$union": {"tags": [f"t{number}" for number in range(1000)]}},
}
TAKEN = [("events", "import-events", name, one) for name, one in EVENTS.items()] + [
    ("people", "profile-batch-update", name, one) for name, one in PROFILES.items()
]


@pytest.mark.parametrize(("kind", "operation", "name", "record"), TAKEN, ids=[one[2] for one in TAKEN])
def test_what_mixpanel_takes_is_sent_by_imports_and_by_calls(
    relay: Relay,
    runtime: Runtime,
    mixpanel: Mixpanel,
    tmp_path: Path,
    kind: str,
    operation: str,
    name: str,
    record: Any,
) -> None:
    job = work(runtime, begin(runtime, tmp_path / "f", [record], kind, {"strict": True}))
    assert (counts(job), job.advised) == (("done", 1, 1, 0, 0), {})
    answer = post(relay, sender(relay), operation, body=[record])
    assert answer.status_code == 200, answer.json
    imported, called = (call.records[0] for call in mixpanel.calls)
    given, sent = (one.get("properties", one) for one in (record, imported))
    ids = {"distinct_id": "7"} if name == "a number" else {}
    assert sent.items() >= (given | ids).items()
    assert {one: value for one, value in imported.items() if one != "$time"} == {
        one: value for one, value in called.items() if one != "$time"
    }
    assert ("$insert_id" in sent) == (kind == "events" and not str(record.get("event")).startswith("$"))


TOO_MUCH = [("events", event(distinct_id="u1", **wide(300))), ("people", {"$distinct_id": "u1", "$set": wide(2001)})]


@pytest.mark.parametrize(("kind", "record"), TOO_MUCH)
@pytest.mark.parametrize("strict", [False, True])
def test_what_mixpanel_would_cut_is_sent_and_counted_and_refused_by_strict(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, kind: str, record: Any, strict: bool
) -> None:
    job = work(runtime, begin(runtime, tmp_path / "f", [json.dumps(record)], kind, {"strict": strict}))
    assert (job.state, job.accepted, job.refused) == ("done", int(not strict), int(strict))
    assert job.advised == ({} if strict else {"properties": 1})
    assert len(mixpanel.calls) == int(not strict)
