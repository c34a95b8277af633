"""The pages of sending without JavaScript: forms keep what was typed, say what is wrong, ask before they destroy."""

import json
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from outbound import deliveries
from outbound.operations import registry
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import SECRET, TOKEN, USERNAME
from tests.relay import Browser, Relay

EVENT = {
    "operation": "import-events",
    "project": "prod",
    "p.event": "Signed up",
    "p.distinct_id": "u1",
    "p.time": "1750000000",
}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("admin")


def look(browser: Browser, path: str, **query: Any) -> TestResponse:
    return browser.get(path, query_string=query)


def event(name: str, whose: str) -> dict[str, Any]:
    return {"event": name, "properties": {"time": 1750000000, "distinct_id": whose}}


def last(relay: Relay) -> deliveries.Delivery:
    return relay.database.read(lambda db: deliveries.search(db, deliveries.Filter(), 2**62, 1))[0]


def test_an_event_is_composed_sent_and_told(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    typed = EVENT | {"k.properties": ["plan", "seats"], "v.properties": ["pro", "3"]}
    answer = browser.post("/send", typed)
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert "Accepted" in page
    assert "1 record accepted." in page
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "pro"
    assert mixpanel.calls[0].records[0]["properties"]["seats"] == 3


def test_what_the_checks_stop_is_said_beside_its_field_and_nothing_typed_is_lost(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    answer = browser.post(
        "/send", EVENT | {"p.distinct_id": "undefined", "k.properties": "plan", "v.properties": "pro"}
    )
    assert (answer.status_code, mixpanel.calls) == (422, [])
    field = answer.text.split('data-field="params.distinct_id"')[1].split("data-field=")[0]
    assert "is an id that Mixpanel throws away" in field
    for kept in ('value="Signed up"', 'value="undefined"', 'value="plan"', 'value="pro"'):
        assert kept in answer.text
    assert "Send all the same" in answer.text
    assert browser.post("/send", EVENT | {"p.distinct_id": "undefined", "force": "1"}).status_code == 303


def test_json_that_cannot_be_read_says_where(browser: Browser) -> None:
    answer = browser.post(
        "/send", {"operation": "profile-set", "project": "prod", "body": '[{"$distinct_id": "u1",\n "$set": {]}'}
    )
    assert answer.status_code == 422
    assert re.search(r"line 2, column \d+", answer.text)


def test_check_only_sends_nothing(browser: Browser, mixpanel: Mixpanel) -> None:
    assert "Nothing was sent" in browser.submit("/send", EVENT | {"do": "check"}).text
    assert mixpanel.calls == []


def test_another_row_for_a_property_keeps_those_that_are_there(browser: Browser) -> None:
    page = browser.submit(
        "/send", EVENT | {"k.properties": ["a", "b"], "v.properties": ["1", "2"], "do": "row:properties"}
    ).text
    assert page.count('name="k.properties"') == 4


def test_the_request_is_shown_masked_and_as_curl(browser: Browser) -> None:
    typed = {"operation": "track-event", "project": "prod", "p.event": "e", "p.distinct_id": "u1"}
    page = browser.post("/send/preview", typed, headers={"HX-Request": "true"}).text
    assert "/api/track" in page
    assert "MIXPANEL_TOKEN" in page
    assert not any(secret in page for secret in (TOKEN, USERNAME, SECRET))


@pytest.mark.parametrize(
    ("operation", "typed"),
    [
        ("delete-profile", {"p.$distinct_id": "u1"}),
        ("delete-group", {"p.$group_key": "company", "p.$group_id": "acme"}),
        ("identity-merge", {"p.$distinct_ids": "a\nb"}),
    ],
)
def test_what_cannot_be_taken_back_is_asked_for_first(
    browser: Browser, mixpanel: Mixpanel, operation: str, typed: dict[str, Any]
) -> None:
    form = {"operation": operation, "project": "prod", **typed}
    question = browser.submit("/send", form)
    assert "cannot be taken back" in question.text
    assert mixpanel.calls == []
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', question.text))
    assert hidden.items() >= {name: value.replace("\n", "\n") for name, value in form.items()}.items()
    assert browser.post("/send", form | {"sure": "yes"}).status_code == 303
    assert len(mixpanel.calls) == 1


def test_a_partial_success_is_told_record_by_record_and_its_failed_one_can_be_sent_again(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    row = {"index": 1, "insert_id": "b", "field": "properties.time", "message": "must be a number"}
    mixpanel.script("/api/import", Answer(400, {"code": 400, "failed_records": [row], "num_records_imported": 1}))
    body = json.dumps([event("One", "u1"), event("Two", "u2")])
    page = browser.get(
        browser.post("/send", {"operation": "import-events", "project": "prod", "body": body}).location
    ).text
    assert "1 of 2 stored. Record 2: properties.time: must be a number." in page
    assert page.count("Stored</span>") == 1
    assert page.count("Refused</span>") == 1
    again = browser.get(f"/send?operation=import-events&delivery={last(relay).id}&failed=1").text
    assert "Two" in again
    assert "One" not in again.partition('id="body"')[2].partition("</textarea>")[0]


def test_a_call_is_run_again_and_an_uncertain_one_only_after_a_question(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/api/engage", Answer(503, ""))
    browser.post(
        "/send",
        {
            "operation": "profile-numerical-add",
            "project": "prod",
            "p.$distinct_id": "u1",
            "k.$add": "logins",
            "v.$add": "1",
        },
    )
    first = last(relay)
    assert first.verdict == "uncertain"
    assert "counts twice" in browser.submit(f"/send/history/{first.id}/again", {}).text
    assert len(mixpanel.calls) == 1
    mixpanel.script("/api/engage", Answer(200, "1"))
    assert browser.post(f"/send/history/{first.id}/again", {"sure": "yes"}).status_code == 303
    assert last(relay).verdict == "accepted"


def test_the_form_is_filled_in_for_a_person(make_relay: Any, relay: Relay, browser: Browser) -> None:
    relay.refresh([{"mixpanel_distinct_id": "ada-1", "email": "ada@example.org"}])
    person = relay.database.read(lambda db: db.exec_driver_sql("SELECT id FROM person").scalar_one())
    assert f"person={person}" in browser.get(f"/people/{person}").text
    assert 'value="ada-1"' in browser.get(f"/send?operation=track-event&person={person}").text


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [("numerical", "profile-numerical-add"), ("$append", "profile-append-to-list-property"), ("JQL", "query-jql")],
)
def test_a_call_is_found_by_typing(browser: Browser, typed: str, leads_to: str) -> None:
    answer = look(browser, "/send", operation=typed)
    assert f"operation={leads_to}" in (answer.location or answer.text)


def test_every_operation_has_a_form_and_every_example_fills_it(relay: Relay, browser: Browser) -> None:
    for one in registry.OPERATIONS.values():
        assert look(browser, "/send", operation=one.id).status_code == 200, one.id
        for place in range(len(one.examples)):
            page = look(browser, "/send", operation=one.id, example=place).text
            assert "Still missing" not in page, (one.id, place)


def test_history_is_filtered_and_says_when_nothing_matches(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    assert "No call yet" in browser.get("/send/history").text
    browser.post("/send", EVENT)
    assert "Import events" in look(browser, "/send/history", verdict="accepted").text
    assert "Nothing matches" in look(browser, "/send/history", verdict="rejected").text
    assert "Import events</a>" in look(browser, "/send/history", text="signed UP").text
    assert "Nothing matches" in look(browser, "/send/history", text="100%").text


def test_a_viewer_looks_and_sends_nothing(relay: Relay, mixpanel: Mixpanel) -> None:
    viewer = relay.sign_in("viewer")
    assert look(viewer, "/send", operation="import-events").status_code == 200
    assert viewer.post("/send", EVENT).status_code == 403
    assert mixpanel.calls == []


def test_a_project_is_added_changed_checked_and_removed(relay: Relay, browser: Browser) -> None:
    draft = {"name": "eu", "region": "eu", "project_id": "77", "token": "tok-1", "username": "acc", "secret": "sec-1"}
    assert browser.post("/send/projects/new", draft).status_code == 303
    page = browser.get("/send/projects/eu/change").text
    assert not any(secret in page for secret in ("tok-1", "sec-1"))
    assert browser.post("/send/projects/eu/change", {"region": "in", "project_id": "78"}).status_code == 303
    assert "India" in browser.get("/send/projects/eu").text
    assert "Service account, signing in" in browser.get(browser.post("/send/projects/eu/check", {}).location).text
    assert browser.post("/send/projects/eu/remove", {}).status_code == 303
    assert browser.get("/send/projects/eu").status_code == 404


@pytest.mark.parametrize(("field", "value"), [("name", "No Name"), ("project_id", "abc"), ("username", "a:b")])
def test_a_project_that_cannot_be_says_so_beside_the_field_and_keeps_the_rest(
    browser: Browser, field: str, value: str
) -> None:
    answer = browser.post("/send/projects/new", {"name": "ok", "region": "eu", "project_id": "77", field: value})
    assert answer.status_code == 422
    assert f'id="{field}-says"' in answer.text
    assert '<option value="eu" selected>' in answer.text
