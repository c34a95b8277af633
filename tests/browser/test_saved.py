"""Saved requests in a real browser, with JavaScript and without: saved, found, opened, run, moved, deleted."""

import pytest

from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Answer, Mixpanel


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, signed_in, mixpanel: Mixpanel):
    context = chromium.context_of(running, java_script_enabled=request.param, storage_state=signed_in)
    mixpanel.calls.clear()
    mixpanel.forget()
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


def save(page, url: str, name: str) -> None:
    page.goto(f"{url}/send?operation=import-events")
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_label("Distinct id required").fill("u1")
    page.get_by_label("Properties: name 1").fill("plan")
    page.get_by_label("Properties: value 1").fill("{{plan}}")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Folder").fill("Smoke tests")
    page.get_by_label("Checks").fill("status = 200\nanswer.num_records_imported = 1")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text(f"{name} is saved.").wait_for()


def test_a_request_is_saved_run_found_moved_and_deleted(page, sending: Server, mixpanel: Mixpanel, expects) -> None:
    expects("422")
    name = f"Sign up {page.live}"
    save(page, sending.url, name)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("{{plan}} has no value").wait_for()
    page.get_by_label("plan", exact=True).fill("pro")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("1 record accepted.").wait_for()
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "pro"
    page.goto(f"{sending.url}/send/saved")
    page.get_by_label("Name").fill(name.lower())
    if not page.live:
        page.get_by_role("button", name="Filter").click()
    page.locator("tr", has_text=name).get_by_text("Passed").wait_for()
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Folder").fill("Moved")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Moved").wait_for()
    page.get_by_role("link", name="Delete").click()
    page.get_by_text("The request goes for everybody").wait_for()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_text(f"{name} is removed.").wait_for()


def test_a_failed_check_is_told_on_the_request(page, sending: Server, mixpanel: Mixpanel) -> None:
    name = f"Fails {page.live}"
    save(page, sending.url, name)
    mixpanel.script("/api/import", Answer(401, {"code": 401, "error": "Invalid credentials"}))
    page.get_by_label("plan", exact=True).fill("pro")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Rejected").first.wait_for()
    page.goto(f"{sending.url}/send/saved")
    page.get_by_role("link", name=name).click()
    page.get_by_text("The status is 401, not 200.").first.wait_for()


def test_an_opened_request_says_at_its_field_what_has_no_value(page, sending: Server, expects) -> None:
    expects("422")
    name = f"Open {page.live}"
    save(page, sending.url, name)
    page.get_by_role("link", name="Open in the composer").click()
    page.get_by_label("Event required").wait_for()
    assert page.get_by_label("Properties: value 1").input_value() == "{{plan}}"
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("[data-field='params.properties']", has_text="{{plan}} has no value").wait_for()


def test_two_calls_are_chosen_and_compared(page, sending: Server, mixpanel: Mixpanel) -> None:
    for event in ("Signed up", "Signed in"):
        page.goto(f"{sending.url}/send?operation=import-events")
        page.get_by_label("Event required").fill(event)
        page.get_by_label("Distinct id required").fill("u1")
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_text("1 record accepted.").wait_for()
    page.goto(f"{sending.url}/send/history")
    for place in (0, 1):
        page.get_by_role("checkbox").nth(place).check()
    page.get_by_role("button", name="Compare two").click()
    row = page.locator("tr", has_text="[0].event")
    row.get_by_text("Signed up").wait_for()
    row.get_by_text("Signed in").wait_for()
