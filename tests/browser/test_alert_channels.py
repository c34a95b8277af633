"""A channel of alerts is added and tested in a real browser; the result shows in place."""

import pytest

from tests.browser import chromium, demo
from tests.failing.server import Server
from tests.mixpanel import Mixpanel


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, sending: Server):
    context = chromium.context_of(running, java_script_enabled=request.param)
    chromium.sign_in(context, sending.url, demo.email_of("admin"), demo.PASSWORD)
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


def test_a_channel_is_added_tested_in_place_and_removed(page, sending: Server, mixpanel: Mixpanel) -> None:
    name = f"chat {page.live}"
    page.goto(f"{sending.url}/settings/alerts")
    page.get_by_role("link", name="Add Slack").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Address").fill("http://127.0.0.1:9/services/secret")
    page.get_by_label("Quiet").uncheck()
    page.get_by_role("button", name="Add the channel").click()
    row = page.locator("#channels tr", has_text=name)
    row.get_by_text("changing, failing, held").or_(row.get_by_text("failing")).first.wait_for()
    row.get_by_role("button", name="Send a test").click()
    if page.live:
        row.get_by_text("no answer").wait_for(timeout=15_000)
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name=f"Remove {name}").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text(f"{name} is removed.").wait_for()
