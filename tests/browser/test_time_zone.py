"""The time zone of an account in a real browser: one that is chosen, and that of the browser."""

import pytest

from tests.browser import chromium, demo
from tests.failing.server import Server


@pytest.mark.parametrize(
    ("choice", "named"), [("Asia/Kolkata", "Asia/Kolkata"), ("What my browser says", "Asia/Tokyo")]
)
def test_pages_are_written_in_the_zone_that_was_chosen(running, shown: Server, choice: str, named: str) -> None:
    context = chromium.context_of(running, timezone_id="Asia/Tokyo")
    chromium.sign_in(context, shown.url, demo.email_of("viewer"), demo.PASSWORD)
    page = context.new_page()
    page.goto(f"{shown.url}/account")
    page.get_by_label("Zone").select_option(choice)
    page.get_by_role("button", name="Save the time zone").click()
    page.get_by_text("Times are written in").wait_for()
    page.goto(f"{shown.url}/sessions")
    page.get_by_text(f"Last 24 hours, {named}").wait_for()
    page.goto(f"{shown.url}/account")
    page.get_by_label("Zone").select_option("UTC")
    page.get_by_role("button", name="Save the time zone").click()
    page.get_by_text("Times are written in UTC").wait_for()
    context.close()
