"""Mixpanel as a destination: events that count once, a property that is the present, and Mixpanel's answers."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from destinations.contract import Change, RefusalKind
from destinations.types.mixpanel import MIXPANEL, MixpanelAdapter
from tests.conftest import MakeRelay
from tests.destinations.far_end import FEED, change, opened
from tests.mixpanel import Answer, Mixpanel, stand_in
from tests.outbound.conftest import SECRET, TOKEN, add_project, runtime_of
from tests.relay import Relay

OURS = replace(FEED, project_id="1", cohort_id="7")


@pytest.fixture
def mixpanel() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0)
    add_project(made)
    return made


def adapter(relay: Relay, **settings: Any) -> MixpanelAdapter:
    given = {setting.name: setting.default for setting in MIXPANEL.settings} | {"project": "prod"} | settings
    found = MIXPANEL.open(replace(opened(given), resources={"runtime": runtime_of(relay)}))
    assert isinstance(found, MixpanelAdapter)
    return found


def at(relay: Relay, number: int = 1, who: str = "ada", **more: Any) -> Change:
    return change(number, who, at=relay.clock() - 1000, **more)


def test_an_entry_is_an_event_with_the_time_of_the_entry(relay: Relay, mixpanel: Mixpanel) -> None:
    entered = at(relay, entry_number=2, fields={"plan": "pro", "time": "theirs"})
    assert adapter(relay).send(OURS, [entered]).verdicts[1].outcome == "applied"
    (call,) = mixpanel.to("/api/import")
    (event,) = call.records
    properties = event["properties"]
    assert event["event"] == "Cohort Entered"
    assert {name: properties[name] for name in ("distinct_id", "time", "plan", "cohort_id", "entry_number")} == {
        "distinct_id": "ada",
        "time": entered.at,
        "plan": "pro",
        "cohort_id": "7",
        "entry_number": 2,
    }
    assert (properties["cohort_name"], properties["$source"]) == ("Paying users", "example-co")
    assert dict(call.query)["strict"] == "1"


def test_an_event_is_the_same_at_every_attempt_and_another_for_every_message(
    relay: Relay,
    mixpanel: Mixpanel,
) -> None:
    told, other = at(relay, 1), at(relay, 2, kind="left")
    for changes in ([told], [told], [other]):
        adapter(relay).send(OURS, changes)
    first, again, left = (call.records[0]["properties"]["$insert_id"] for call in mixpanel.to("/api/import"))
    assert first == again != left
    assert str(uuid.UUID(first)) == first
    assert mixpanel.calls[0].body == mixpanel.calls[1].body


def test_the_property_says_who_is_in_now_also_when_an_old_message_comes_late(
    relay: Relay,
    mixpanel: Mixpanel,
) -> None:
    relay.refresh(["ada", "bob"])
    relay.remove(["bob"], session="s2")
    late = [at(relay, 1, "ada"), at(relay, 2, "bob")]
    assert {found.outcome for found in adapter(relay, tell="property").send(OURS, late).verdicts.values()} == {
        "applied"
    }
    assert mixpanel.to("/api/import") == []
    (call,) = mixpanel.to("/api/engage")
    assert {one["$distinct_id"]: one["$set"] for one in call.records} == {
        "ada": {"in_paying_users": True},
        "bob": {"in_paying_users": False},
    }


def test_both_are_sent_and_a_failure_of_the_second_has_all_of_it_sent_again(
    relay: Relay,
    mixpanel: Mixpanel,
) -> None:
    mixpanel.script("/api/engage", Answer(503, "busy"), Answer(200, {"status": 1, "error": None}))
    both = adapter(relay, tell="both", entered_event="In", property="vip")
    outcome = both.send(OURS, [at(relay)])
    assert outcome.refusal is not None
    assert outcome.refusal.kind == "unavailable"
    assert both.send(OURS, [at(relay)]).verdicts[1].outcome == "applied"
    events = [call.records[0] for call in mixpanel.to("/api/import")]
    assert [event["event"] for event in events] == ["In", "In"]
    assert len({event["properties"]["$insert_id"] for event in events}) == 1
    assert [call.records[0]["$set"] for call in mixpanel.to("/api/engage")] == [{"vip": False}] * 2


def test_records_that_mixpanel_names_are_rejected_and_the_others_are_not(
    relay: Relay,
    mixpanel: Mixpanel,
) -> None:
    failed = [{"index": 1, "field": "properties.x", "message": "no bob", "insert_id": ""}]
    body = {"code": 400, "num_records_imported": 1, "status": "Bad Request", "failed_records": failed}
    mixpanel.script("/api/import", Answer(400, body))
    outcome = adapter(relay).send(OURS, [at(relay, 1, "ada"), at(relay, 2, "bob.b")])
    assert {number: found.outcome for number, found in outcome.verdicts.items()} == {1: "applied", 2: "rejected"}


def test_an_id_that_mixpanel_drops_is_rejected_and_not_sent(relay: Relay, mixpanel: Mixpanel) -> None:
    outcome = adapter(relay).send(OURS, [at(relay, 1, "undefined"), at(relay, 2, "ada")])
    assert {number: found.outcome for number, found in outcome.verdicts.items()} == {1: "rejected", 2: "applied"}
    assert [record["properties"]["distinct_id"] for record in mixpanel.calls[0].records] == ["ada"]
    assert adapter(relay).send(OURS, [at(relay, 1, "undefined")]).verdicts[1].outcome == "rejected"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"error": "no"}), "credentials"),
        (Answer(403, {"error": "no"}), "credentials"),
        (Answer(429, {"error": "slowly"}, {"Retry-After": "7"}), "throttled"),
        (Answer(500, "trouble"), "unavailable"),
        (Answer(drop=True), "unavailable"),
    ],
)
def test_an_answer_about_the_call_is_a_refusal(
    relay: Relay,
    mixpanel: Mixpanel,
    answer: Answer,
    kind: RefusalKind,
) -> None:
    mixpanel.script("/api/import", answer)
    refusal = adapter(relay).send(OURS, [at(relay)]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.wait) == (kind, 7.0 if kind == "throttled" else None)
    assert len(mixpanel.to("/api/import")) == 1  # when it is tried again is the engine's


def test_calls_are_in_the_history_without_credentials(relay: Relay, mixpanel: Mixpanel) -> None:
    adapter(relay).send(OURS, [at(relay)])
    (row,) = relay.rows("SELECT source, who, verdict, request FROM delivery")
    assert (row["source"], row["who"], row["verdict"]) == ("destination", "destination ours", "accepted")
    assert not [word for word in (TOKEN, SECRET) if word in str(row["request"])]


def test_a_project_that_is_not_there_waits_for_a_person(relay: Relay, mixpanel: Mixpanel) -> None:
    gone = adapter(relay, project="other")
    refusal = gone.send(OURS, [at(relay)]).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("gone", "no_project")
    assert not gone.check().ok
    assert mixpanel.calls == []


def test_a_check_stores_nothing(relay: Relay, mixpanel: Mixpanel) -> None:
    mixpanel.script("/api/import", Answer(400, {"error": "some data points in the request failed validation"}))
    assert adapter(relay).check().ok
    mixpanel.script("/api/import", Answer(401, {"error": "no"}))
    assert not adapter(relay).check().ok
    assert {call.records[0]["event"] for call in mixpanel.to("/api/import")} == {"Credentials check"}


def test_a_preview_is_what_would_be_sent(relay: Relay, mixpanel: Mixpanel) -> None:
    shown = adapter(relay, tell="both").preview(OURS, [at(relay)])
    assert '"event": "Cohort Entered"' in shown
    assert '"in_paying_users": true' in shown
    assert mixpanel.calls == []
