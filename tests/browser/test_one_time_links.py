"""An operator is invited by a link, and another one gets a new password by one, in a real browser."""

import pytest

from tests.browser import chromium, demo
from tests.failing.server import Server


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, sending: Server):
    context = chromium.context_of(running, java_script_enabled=request.param)
    chromium.sign_in(context, sending.url, demo.email_of("admin"), demo.PASSWORD)
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


def test_somebody_is_invited_chooses_a_password_and_is_in(page, running, sending: Server) -> None:
    who = f"invited-{page.live}@example.org".lower()
    page.goto(f"{sending.url}/settings/operators")
    page.get_by_role("heading", name="Invite an operator").wait_for()
    page.get_by_label("E-mail").first.fill(who)
    page.get_by_role("button", name="Create the link").click()
    link = page.locator(".copied code").inner_text()
    path = link.partition("/join")[2]
    theirs = chromium.context_of(running, java_script_enabled=page.live)
    guest = theirs.new_page()
    guest.goto(f"{sending.url}/join{path}")
    guest.get_by_label("Password", exact=True).fill("quite a long phrase")
    guest.get_by_label("The same again").fill("quite a long phrase")
    guest.get_by_role("button", name="Set the password and sign in").click()
    guest.wait_for_url(f"{sending.url}/")
    theirs.close()
    page.goto(f"{sending.url}/settings/operators")
    page.get_by_role("rowheader", name=who).wait_for()
