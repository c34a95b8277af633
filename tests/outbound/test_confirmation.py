"""What is asked once before a call is made, and what is not."""

import re
from dataclasses import replace
from typing import Any

import pytest

from outbound import deliveries
from outbound.transport import addresses
from outbound.transport.hosts import FAMILIES, REGIONS
from tests.conftest import MakeRelay
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import DRAFT, add_project
from tests.relay import Browser, Relay

EVENT = {"operation": "track-event", "project": "prod", "p.event": "E", "p.distinct_id": "u"}
ADD = {"operation": "profile-numerical-add", "project": "prod", "p.$distinct_id": "u", "k.$add": "n", "v.$add": "1"}
SET = {"operation": "profile-set", "project": "prod", "p.$distinct_id": "u", "k.$set": "plan", "v.$set": "pro"}
IN_PLACE = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


@pytest.fixture
def real(make_relay: MakeRelay, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch) -> Relay:
    """A relay that takes the stand-in for Mixpanel itself."""
    servers = {family: dict.fromkeys(REGIONS, f"{mixpanel.url}/{family}") for family in FAMILIES}
    monkeypatch.setattr("outbound.transport.hosts._SERVERS", servers)
    monkeypatch.setattr("outbound.send.public_only", addresses.anywhere)
    made = make_relay(send_pause_seconds=0)
    add_project(made)
    return made


def again(relay: Relay) -> str:
    found = relay.database.read(lambda db: deliveries.search(db, deliveries.Filter(), 2**62, 1))[0]
    return f"/send/history/{found.id}/again"


def test_the_first_call_to_a_real_project_is_asked_for_once_a_sign_in(real: Relay, mixpanel: Mixpanel) -> None:
    browser = real.sign_in("operator")
    asked = browser.get(browser.post("/send", EVENT).location).text
    assert "Send 1 event to prod (2891273)?" in asked
    assert mixpanel.calls == []
    browser.post("/send", EVENT | {"sure": "yes"})
    browser.post("/send", SET)
    assert len(mixpanel.calls) == 2
    real.sign_in("admin").post("/send", EVENT)
    assert len(mixpanel.calls) == 2


def test_another_real_project_is_asked_for_too_and_what_only_reads_is_not(real: Relay, mixpanel: Mixpanel) -> None:
    add_project(real, replace(DRAFT, name="other", mixpanel_project_id="77"))
    browser = real.sign_in("operator")
    browser.post("/send", {"operation": "cohorts-list", "project": "prod"})
    browser.post("/send", EVENT | {"sure": "yes"})
    assert len(mixpanel.calls) == 2
    assert "/send/sure" in browser.post("/send", EVENT | {"project": "other"}).location


def test_what_is_sent_after_the_question_is_what_it_showed(real: Relay, mixpanel: Mixpanel) -> None:
    browser = real.sign_in("operator")
    asked = browser.get(browser.post("/send", EVENT | {"at": str(real.clock())}).location).text
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked)
    real.clock.forward(90_000)
    browser.post("/send", {name: value for name, value in fields if name != "csrf_token"})
    assert mixpanel.calls[0].records[0]["properties"]["$insert_id"] in asked


def test_what_stands_in_for_mixpanel_is_sent_to_without_a_question(browser: Browser, mixpanel: Mixpanel) -> None:
    browser.post("/send", EVENT)
    assert len(mixpanel.calls) == 1


@pytest.mark.parametrize(("given", "how"), [(EVENT, {"as": "new"}), (ADD, {})])
def test_what_adds_again_asks_with_the_project_and_how_much(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, given: dict[str, str], how: dict[str, str]
) -> None:
    browser.post("/send", given)
    asked = browser.get(browser.post(again(relay), how).location).text
    assert re.search(r"Send 1 (event|update) to prod \(2891273\)\?", asked)
    assert len(mixpanel.calls) == 1
    browser.post(again(relay), how | {"sure": "yes"})
    assert len(mixpanel.calls) == 2


@pytest.mark.parametrize("given", [EVENT, SET, {"operation": "cohorts-list", "project": "prod"}])
def test_what_changes_nothing_a_second_time_asks_nothing(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, given: dict[str, str]
) -> None:
    browser.post("/send", given)
    browser.post(again(relay))
    assert len(mixpanel.calls) == 2


@pytest.mark.parametrize("forced", [False, True])
def test_a_question_in_place_sends_once_it_is_answered(browser: Browser, mixpanel: Mixpanel, forced: bool) -> None:
    given: dict[str, Any] = {
        "operation": "delete-profile",
        "project": "prod",
        "p.$distinct_id": "null" if forced else "u",
    }
    asked = browser.post("/send", given | ({"force": "1"} if forced else {}), **IN_PLACE)
    sure = re.search(r'name="sure" value="(\w+)"', asked.text)
    assert sure is not None
    assert mixpanel.calls == []
    sent = browser.post("/send", given | {"sure": sure[1]}, **IN_PLACE)
    assert sent.headers["HX-Replace-Url"].startswith("/send?operation=delete-profile&delivery=")
    assert "1 record accepted." in sent.text
    assert len(mixpanel.calls) == 1


def test_a_call_made_again_in_place_asks_there_and_answers_there(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    browser.post("/send", EVENT)
    asked = browser.post(again(relay), {"as": "new"}, **IN_PLACE)
    assert (asked.headers["HX-Retarget"], "Send 1 event to prod" in asked.text) == ("#ask-again", True)
    assert 'name="as" value="new"' in asked.text
    answered = browser.post(again(relay), {"as": "new", "sure": "yes"}, **IN_PLACE)
    assert 'id="answered"' in answered.text
    assert len(mixpanel.calls) == 2
