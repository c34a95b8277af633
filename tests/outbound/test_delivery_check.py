"""Landed or not (F16): an event is looked for until it is there, or until its likely cause is told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from outbound import deliveries, send
from outbound.deliveries import Delivery
from outbound.delivery_check import event as sought_event
from outbound.delivery_check import jobs, search
from outbound.delivery_check.event import CannotLook
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.transport import budget
from runtime import Runtime
from tests.mixpanel import Answer, Mixpanel
from tests.relay import Relay

SECOND = 1000
EXPORT = "/export/export"


def sent(runtime: Runtime, project: Project, operation: str = "import-events", **properties: Any) -> Delivery:
    event = {"event": "Signed up", "properties": {"time": runtime.clock() // 1000, "distinct_id": "u1"} | properties}
    call = send.ready(runtime, project, registry.OPERATIONS[operation], CallInput(body=[event]))
    delivery, _ = send.send(runtime, call, "test", "dashboard")
    found = runtime.database.read(lambda db: deliveries.by_id(db, delivery))
    assert found is not None
    return found


def ask(runtime: Runtime, delivery: Delivery) -> sought_event.Sought:
    wanted = sought_event.sought(delivery)
    runtime.database.write(lambda db: jobs.ask(db, delivery.id, wanted, delivery.at, runtime.clock()))
    return wanted


def state(runtime: Runtime, delivery: Delivery) -> jobs.DeliveryCheck:
    found = runtime.database.read(lambda db: jobs.of(db, delivery.id))
    assert found is not None
    return found


def exported(wanted: sought_event.Sought, **changed: Any) -> str:
    properties = {
        "distinct_id": wanted.distinct_id,
        "$insert_id": wanted.insert_id,
        "time": wanted.at // 1000,
    } | changed
    return json.dumps({"event": wanted.event, "properties": properties}) + "\n"


def test_it_is_told_after_how_long_it_was_there(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    delivery = sent(runtime, project)
    wanted = ask(runtime, delivery)
    assert search.look_once(runtime) is False  # nothing is ever there in the first seconds
    mixpanel.script(EXPORT, Answer(body=""), Answer(body=exported(wanted)))
    relay.clock.forward(10 * SECOND)
    assert search.look_once(runtime)
    assert state(runtime, delivery).state == "waiting"
    relay.clock.forward(15 * SECOND)
    assert search.look_once(runtime)
    found = state(runtime, delivery)
    assert (found.state, found.visible_at, found.looks) == ("visible", delivery.at + 25 * SECOND, 2)
    assert dict(mixpanel.to(EXPORT)[0].query)["event"] == '["Signed up"]'


def test_it_ends_with_the_likely_causes(relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    delivery = sent(runtime, project, "track-event", time=runtime.clock() // 1000 - 6 * 86400)
    ask(runtime, delivery)
    for _ in search.PAUSES:
        relay.clock.forward(300 * SECOND)
        search.look_once(runtime)
    found = state(runtime, delivery)
    assert (found.state, found.looks) == ("missing", len(search.PAUSES))
    assert "older than 5 days" in found.sentences[0]
    assert search.look_once(runtime) is False


def test_another_id_and_copies_are_told(relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    delivery = sent(runtime, project)
    wanted = ask(runtime, delivery)
    mixpanel.script(EXPORT, Answer(body=exported(wanted, distinct_id="canonical") * 2))
    relay.clock.forward(10 * SECOND)
    search.look_once(runtime)
    told = state(runtime, delivery).sentences
    assert "canonical" in told[0]
    assert "2 copies" in told[1]


def test_a_spent_budget_waits_and_costs_no_look(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    delivery = sent(runtime, project)
    ask(runtime, delivery)
    for _ in range(60):
        budget.give_back(runtime, budget.take(replace(runtime, clock=relay.clock), "2891273", "export"))
        relay.clock.forward(SECOND)
    calls = len(mixpanel.to(EXPORT))
    search.look_once(runtime)
    found = state(runtime, delivery)
    assert (found.state, found.looks, len(mixpanel.to(EXPORT)) - calls) == ("waiting", 0, 0)


@pytest.mark.parametrize(("status", "says"), [(401, "does not know"), (403, "no role"), (402, "plan")])
def test_a_refusal_stops_it(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel, status: int, says: str
) -> None:
    delivery = sent(runtime, project)
    ask(runtime, delivery)
    mixpanel.script(EXPORT, Answer(status, {"error": "no"}))
    relay.clock.forward(10 * SECOND)
    search.look_once(runtime)
    found = state(runtime, delivery)
    assert found.state == "stopped"
    assert says in str(found.cause)


def test_what_was_refused_or_is_no_event_is_not_looked_for(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script(
        "/api/import", Answer(400, {"code": 400, "num_records_imported": 0, "failed_records": [{"index": 0}]})
    )
    with pytest.raises(CannotLook, match="refused"):
        sought_event.sought(sent(runtime, project))


def test_whoever_asks_again_begins_anew(relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    delivery = sent(runtime, project)
    ask(runtime, delivery)
    relay.clock.forward(10 * SECOND)
    search.look_once(runtime)
    ask(runtime, delivery)
    assert state(runtime, delivery).looks == 0
