"""Whether it landed, asked for and told on the page of a call."""

import pytest

from outbound import send
from outbound.deliveries import Delivery
from outbound.delivery_check import search
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project, ProjectFields
from runtime import Runtime
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import add_project, project_of, runtime_of
from tests.outbound.test_delivery_check import EXPORT, SECOND, exported, sent, state
from tests.relay import Browser, Relay


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def place(delivery: Delivery) -> str:
    return f"/send/history/{delivery.id}"


def test_it_says_after_how_long_the_event_was_visible(
    relay: Relay, browser: Browser, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    delivery = sent(runtime, project)
    assert "60 of 60 exports left this hour" in browser.get(place(delivery)).text
    browser.post(f"{place(delivery)}/landing", {})
    assert "Looking" in browser.get(place(delivery)).text
    found = state(runtime, delivery)
    mixpanel.script(EXPORT, Answer(body=exported(search.Sought("Signed up", "u1", found.insert_id, found.event_at))))
    relay.clock.forward(41 * SECOND)
    search.look_once(runtime)
    part = browser.get(f"{place(delivery)}/landing").text
    assert "Found at the first look, 41 s after sending" in part
    assert "59 of 60 exports left" in part
    assert "hx-trigger" not in part


def test_it_tells_the_likely_causes(relay: Relay, browser: Browser, runtime: Runtime, project: Project) -> None:
    delivery = sent(runtime, project, "track-event")
    browser.post(f"{place(delivery)}/landing", {})
    for _ in search.PAUSES:
        relay.clock.forward(300 * SECOND)
        search.look_once(runtime)
    page = browser.get(place(delivery)).text
    assert "Not there after 8 looks" in page
    assert "/track answers 1 to any" in page
    assert "Look again" in page


def test_without_a_service_account_it_says_what_is_missing(make_relay, mixpanel: Mixpanel) -> None:
    relay = make_relay(mixpanel_base_url=mixpanel.url)
    add_project(relay, ProjectFields("prod", "us", "1", "token", None, None))
    delivery = sent(runtime_of(relay), project_of(relay), "track-event")
    browser = relay.sign_in("operator")
    browser.post(f"{place(delivery)}/landing", {})
    assert "no service account here" in browser.get(place(delivery)).text
    assert mixpanel.to(EXPORT) == []


def test_looking_can_be_stopped(relay: Relay, browser: Browser, runtime: Runtime, project: Project) -> None:
    delivery = sent(runtime, project)
    browser.post(f"{place(delivery)}/landing", {})
    browser.post(f"{place(delivery)}/landing/stop", {})
    assert "Somebody stopped" in browser.get(place(delivery)).text
    relay.clock.forward(60 * SECOND)
    assert search.look_once(runtime) is False


def test_a_call_without_an_insert_id_cannot_be_looked_for(
    relay: Relay, browser: Browser, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/api/import", Answer(400, {"code": 400, "error": "no", "failed_records": [{"index": 0}]}))
    delivery = sent(runtime, project)
    assert "Did it land?" not in browser.get(place(delivery)).text
    browser.post(f"{place(delivery)}/landing", {})
    assert "Mixpanel refused this event" in browser.get(place(delivery)).text


def test_other_calls_are_not_asked(relay: Relay, browser: Browser, runtime: Runtime, project: Project) -> None:
    call = send.ready(
        runtime, project, registry.OPERATIONS["profile-set"], CallInput({"$distinct_id": "u", "$set": {"a": 1}})
    )
    delivery, _ = send.send(runtime, call, "test", "dashboard")
    assert "Did it land?" not in browser.get(f"/send/history/{delivery}").text
