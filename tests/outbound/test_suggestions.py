"""Names that the composer offers: of earlier calls to the project, and of Mixpanel's lists that were asked for."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from models import Delivery
from outbound import suggestions
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_odd_answers import values
from tests.relay import Browser, Relay, member

EVENT = {"operation": "track-event", "project": "prod", "p.event": "Signed up", "p.distinct_id": "ada@example.org"}
EVENT |= {"k.properties": "plan", "v.properties": "secret-plan"}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def offered(page: str, kind: str) -> list[str]:
    inside = page[page.index(f'id="known-{kind}"') :].partition("</datalist>")[0]
    return re.findall(r'<option value="([^"]*)"', inside)


def test_names_of_earlier_calls_are_offered_and_no_value_of_anybody(browser: Browser) -> None:
    browser.post("/send", EVENT)
    many = [{"event": "Invited", "properties": {"time": 1, "distinct_id": "u", "by": "x"}}]
    browser.post("/send", EVENT | {"p.event": "", "body": json.dumps(many), "force": "1"})
    page = browser.get("/send?operation=import-events").text
    assert offered(page, "events") == ["Invited", "Signed up"]
    assert offered(page, "properties") == ["plan", "by"]
    assert "ada@example.org" not in page
    assert "secret-plan" not in page
    assert re.search(r'id="f-event"[^>]* list="known-events"', page)


def test_mixpanels_own_list_is_offered_once_it_was_asked_for(browser: Browser, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/events/names", Answer(body=["Order paid", "Signed up"]))
    browser.post("/send", {"operation": "query-months-top-event-names", "project": "prod", "p.type": "general"})
    page = browser.get("/send?operation=track-event").text
    assert offered(page, "events") == ["Order paid", "Signed up"]
    assert len(mixpanel.calls) == 1


def test_another_project_has_names_of_its_own(relay: Relay, browser: Browser) -> None:
    browser.post("/send", EVENT)
    found = relay.database.read(lambda db: suggestions.names(db, "other"))
    assert found == suggestions.Names()


def test_a_pipelines_name_is_no_propertys(browser: Browser) -> None:
    assert 'list="known-' not in browser.get("/send?operation=cancel-warehouse-pipeline").text


@given(params=values, body=values, answer=values)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_earlier_call_breaks_what_is_offered(
    relay: Relay, browser: Browser, params: Any, body: Any, answer: Any
) -> None:
    if not relay.database.read(lambda db: suggestions.names(db, "prod")).events:
        browser.post("/send", EVENT)
    kept = json.dumps({"params": {"event": params, "properties": body}, "body": [body, {"event": answer}]})
    row = {"given": kept, "answer": json.dumps(answer), "operation": "query-months-top-event-names"}
    relay.database.write(lambda db: db.execute(update(Delivery).values(row)))
    found = relay.database.read(lambda db: suggestions.names(db, "prod"))
    assert all(isinstance(name, str) and name.strip() for name in (*found.events, *found.properties))


def people(browser: Browser, typed: str, **more: str) -> list[tuple[str, str]]:
    form = {"operation": "profile-set", "project": "prod", "p.$distinct_id": typed} | more
    answer = browser.post("/send/people", form, headers={"HX-Request": "true"})
    return re.findall(r'<option value="([^"]*)"(?: label="([^"]*)")?', answer.text)


def test_people_of_the_project_are_offered_by_the_beginning_of_what_they_are_called(
    relay: Relay, browser: Browser
) -> None:
    carla = member("zz-31", email="Carla@Example.org", first_name="Carla", last_name="Weber")
    relay.refresh([carla, *(member(f"u-{number:02}") for number in range(20))], project="2891273")
    relay.refresh([member("zz-32", email="carla@elsewhere.org")], project="77", cohort="8")
    words = "Carla Weber, Carla@Example.org"
    for typed in ("zz", "carla", "weBer", "carla@ex"):
        assert people(browser, typed) == [("zz-31", words)], typed
    assert [found for found, _words in people(browser, "u-")] == [f"u-{number:02}" for number in range(8)]
    assert people(browser, "") == people(browser, "arla") == people(browser, "zz", project="none") == []
    assert relay.sign_in("viewer").post("/send/people", {"operation": "profile-set"}).status_code == 403
    page = browser.get("/send?operation=profile-set").text
    assert re.search(r'id="f-distinct_id"[^>]* list="known-people"', page)
    assert "carla" not in page.lower()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(max_size=250))
def test_whatever_is_typed_is_answered_with_a_list(browser: Browser, typed: str) -> None:
    form = {"operation": "profile-set", "project": "prod", "p.$distinct_id": typed}
    answer = browser.post("/send/people", form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
