"""The composer in a real browser: typing, live checks, verdicts, copies that do what they say, and no JavaScript."""

import json
import os
import re
import subprocess
import time

import pytest

from commands.demo import PRACTICE
from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Answer, Call, Mixpanel

KEYS = {"MIXPANEL_TOKEN": PRACTICE.token, "MIXPANEL_USERNAME": PRACTICE.username, "MIXPANEL_SECRET": PRACTICE.secret}
OPERATORS = {
    "profile-set": ("$set", {"plan": "pro"}),
    "profile-set-property-once": ("$set_once", {"first": "web"}),
    "profile-numerical-add": ("$add", {"logins": 1}),
    "profile-append-to-list-property": ("$append", {"orders": "A-1"}),
    "profile-remove-from-list-property": ("$remove", {"orders": "A-1"}),
    "user-profile-union": ("$union", {"tags": ["vip"]}),
    "profile-delete-property": ("$unset", ["plan"]),
    "delete-profile": ("$delete", ""),
}


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, signed_in, mixpanel: Mixpanel):
    context = chromium.context_of(running, java_script_enabled=request.param, storage_state=signed_in)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    mixpanel.calls.clear()
    mixpanel.forget()
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


def open_call(page, url: str, operation: str) -> None:
    page.goto(f"{url}/send")
    page.get_by_label("Call", exact=True).fill(operation)
    if not page.live:
        page.get_by_role("button", name="Open").click()
    page.wait_for_url(f"**/send?operation={operation}*")


def fill_event(page, whose: str) -> None:
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_label("Distinct id required").fill(whose)


def test_an_event_is_composed_seen_sent_and_run_again(page, sending: Server, mixpanel: Mixpanel) -> None:
    open_call(page, sending.url, "import-events")
    fill_event(page, "u1")
    page.get_by_label("Properties: name 1").fill("plan")
    page.get_by_label("Properties: value 1").fill("pro")
    if page.live:
        page.locator("#request pre.json", has_text='"plan"').wait_for()
        assert mixpanel.calls == []
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("1 record accepted.").wait_for()
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "pro"
    first = page.url
    page.get_by_role("button", name="Send the same event again").click()
    page.wait_for_url(lambda url: url != first)
    page.get_by_text("1 record accepted.").wait_for()
    assert [call.body for call in mixpanel.calls] == [mixpanel.calls[0].body] * 2


@pytest.mark.parametrize("operation", OPERATORS)
def test_each_profile_operator_is_sent(page, sending: Server, mixpanel: Mixpanel, operation: str) -> None:
    operator, value = OPERATORS[operation]
    open_call(page, sending.url, operation)
    page.get_by_label("Distinct id required").fill("u1")
    if isinstance(value, dict):
        ((name, one),) = value.items()
        page.get_by_label(f"{operator}: name 1").fill(name)
        page.get_by_label(f"{operator}: value 1").fill(one if isinstance(one, str) else json.dumps(one))
    elif value:
        page.get_by_label(f"{operator} required").fill("\n".join(value))
    page.get_by_role("button", name="Send", exact=True).click()
    if operation == "delete-profile":
        page.get_by_role("button", name="Send it").click()
    page.get_by_text("1 record accepted.").wait_for()
    (sent,) = mixpanel.calls[-1].records
    assert abs(sent.pop("$time") - time.time()) < 3600  # of its making: a late try overtakes no newer update
    assert sent == {"$token": PRACTICE.token, "$distinct_id": "u1", operator: value}


def test_a_check_stops_an_id_that_mixpanel_throws_away(page, sending: Server, mixpanel: Mixpanel, expects) -> None:
    expects("status of 422 .*/send\\)$")
    open_call(page, sending.url, "import-events")
    fill_event(page, "undefined")
    if not page.live:
        page.get_by_role("button", name="Send", exact=True).click()
    beside = page.locator('[data-field="params.distinct_id"]')
    beside.get_by_text("is an id that Mixpanel throws away").wait_for()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send all the same").wait_for()
    assert page.get_by_label("Distinct id required").input_value() == "undefined"
    assert mixpanel.calls == []


def test_enter_in_a_field_checks_and_sends_nothing(page, sending: Server, mixpanel: Mixpanel) -> None:
    open_call(page, sending.url, "funnels-query")
    page.get_by_label("Funnel required").fill("7509")
    page.get_by_label("Funnel required").press("Enter")
    page.get_by_text("The checks find nothing wrong. Nothing was sent.").wait_for()
    assert page.get_by_label("Funnel required").input_value() == "7509"
    assert mixpanel.calls == []


def test_a_funnel_is_chosen_from_mixpanels_own_list(page, sending: Server, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/funnels/list", Answer(200, [{"funnel_id": 7509, "name": "Sign-up"}]))
    open_call(page, sending.url, "funnels-query")
    page.get_by_role("button", name="Choose from Mixpanel's list").click()
    page.get_by_label("Funnel required").select_option("Sign-up")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("Mixpanel answered 200").wait_for()
    assert dict(mixpanel.calls[-1].query)["funnel_id"] == "7509"


def test_a_partial_success_is_told_record_by_record(page, sending: Server, mixpanel: Mixpanel) -> None:
    failed = [{"index": 1, "insert_id": "b", "field": "properties.time", "message": "must be a number"}]
    mixpanel.script("/api/import", Answer(400, {"code": 400, "failed_records": failed, "num_records_imported": 1}))
    page.goto(f"{sending.url}/send?operation=import-events&example=1")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("1 of 2 stored.").wait_for()
    rows = page.locator("section[aria-labelledby=records] tbody tr")
    assert [re.search("Stored|Refused", one).group() for one in rows.all_inner_texts()] == ["Stored", "Refused"]
    page.get_by_role("link", name="Send the failed one again").click()
    assert "Invited" in page.get_by_label("Body", exact=True).input_value()
    assert "Signed up" not in page.get_by_label("Body", exact=True).input_value()


@pytest.mark.parametrize("operation", ["import-events", "track-event"])
def test_what_is_copied_as_curl_makes_the_same_request(
    page, sending: Server, mixpanel: Mixpanel, operation: str
) -> None:
    page.goto(f"{sending.url}/send?operation={operation}")
    page.get_by_label("Event required").fill("It's \"Ada's\" über-event")
    page.get_by_label("Distinct id", exact=False).first.fill("u1")
    page.get_by_label("Insert id").fill("same-1")
    page.locator('[name="p.time"]').fill(str(int(time.time())))  # else each of the two would have its own second
    page.get_by_role("button", name="Check only").click()
    page.get_by_text("The checks find nothing wrong.").wait_for()
    page.wait_for_load_state("networkidle")  # the request is shown anew a moment after the last letter
    page.locator("details.copies summary").click()
    command = page.locator('[data-way="curl"]').inner_text()
    if page.live:
        page.get_by_role("button", name="Copy as curl").click()
        page.get_by_text("copied", exact=True).wait_for()
        command = page.evaluate("navigator.clipboard.readText()")
    subprocess.run(["bash", "-c", command], env=os.environ | KEYS, check=True, capture_output=True)
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("1 record accepted.").wait_for()
    copied, sent = map(told, mixpanel.calls)
    assert copied == sent


def told(call: Call) -> tuple[object, ...]:
    """What a request says, without what every client says of itself."""
    own = {"user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-encoding"}
    headers = {name.lower(): value for name, value in call.headers.items() if name.lower() not in own}
    return call.method, call.path, call.query, headers, call.body


def test_json_that_is_wrong_says_where_while_it_is_typed(running, sending: Server, signed_in) -> None:
    context = chromium.context_of(running, storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{sending.url}/send?operation=profile-batch-update")
    page.get_by_label("Body", exact=True).fill('[{"$distinct_id": "u1",\n  "$set": }]')
    page.get_by_text(re.compile(r"line 2, column \d+")).first.wait_for()
    assert page.locator(".code-field pre .json-name").count() == 2
    context.close()
