"""A channel of alerts is added and tested in a real browser; the result shows in place."""

from tests.failing.server import Server
from tests.mixpanel import Mixpanel


def test_a_channel_is_added_tested_in_place_and_removed(admin_page, sending: Server, mixpanel: Mixpanel) -> None:
    name = f"chat {admin_page.live}"
    admin_page.goto(f"{sending.url}/settings/alerts")
    admin_page.get_by_role("link", name="Add Slack").click()
    admin_page.get_by_label("Name").fill(name)
    admin_page.get_by_label("Address").fill("http://127.0.0.1:9/services/secret")
    admin_page.get_by_label("Quiet").uncheck()
    admin_page.get_by_role("button", name="Add the channel").click()
    row = admin_page.locator("#channels tr", has_text=name)
    row.get_by_text("changing, failing, held").or_(row.get_by_text("failing")).first.wait_for()
    row.get_by_role("button", name="Send a test").click()
    if admin_page.live:
        row.get_by_text("no answer").wait_for(timeout=15_000)
    admin_page.get_by_role("link", name=name).click()
    admin_page.get_by_role("link", name=f"Remove {name}").click()
    admin_page.get_by_role("button", name="Remove it").click()
    admin_page.get_by_text(f"{name} is removed.").wait_for()
