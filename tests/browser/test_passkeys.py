"""A passkey is made, asked for and removed in a real browser; the device beside it is Chromium's own virtual one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import chromium, demo
from tests.browser.demo import OFTEN, SERVE, email_of
from tests.failing.server import Server
from tests.relay import PASSWORD

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Server]:
    """A relay at a name: browsers keep no passkeys for numbers."""
    server = Server(tmp_path, f"sqlite:///{tmp_path}/cohort-relay.db", SERVE)
    server.more = OFTEN | {"PUBLIC_URL": f"http://localhost:{server.port}"}
    server.prepare()
    app = demo.app_of(server)
    demo.add_operators(app)
    app.extensions["runtime"].database.dispose()
    try:
        server.revive()
        yield server
    finally:
        server.close()


def with_device(page: Page) -> None:
    """Put a device beside the browser that says yes to everything."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail").fill(email_of("viewer"))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/account/second-factor")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Ask the device").click()


def test_a_passkey_is_made_asked_for_and_removed(running, named: Server) -> None:
    url = f"http://localhost:{named.port}"
    context = chromium.context_of(running)
    page = context.new_page()
    with_device(page)
    sign_in(page, url)

    add_passkey(page, url, "laptop")
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert page.locator("li code").count() == 10
    page.goto(f"{url}/account/second-factor")
    page.get_by_text("laptop", exact=True).wait_for()

    context.clear_cookies()
    sign_in(page, url)
    page.get_by_role("heading", name="Your second factor").wait_for()
    assert page.request.get(f"{url}/account", max_redirects=0).status == 302  # the password alone opens nothing

    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{url}/")

    page.goto(f"{url}/account")
    page.get_by_role("cell", name="Password and passkey").first.wait_for()

    context.clear_cookies()
    page.goto(f"{url}/sign-in?next=/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{url}/account")
    page.get_by_role("cell", name="Passkey", exact=True).wait_for()
    page.goto(f"{url}/account/second-factor")
    page.get_by_role("link", name="Remove laptop").click()
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("The passkey is removed.").wait_for()
    assert page.get_by_text("laptop", exact=True).count() == 0
    context.close()


def test_a_device_that_has_no_such_passkey_is_told_beside_the_button(running, named: Server) -> None:
    url = f"http://localhost:{named.port}"
    first, second = chromium.context_of(running), chromium.context_of(running)
    page = first.new_page()
    with_device(page)
    sign_in(page, url)
    add_passkey(page, url, "laptop")
    page.get_by_role("heading", name="Recovery codes").wait_for()

    other = second.new_page()
    with_device(other)
    sign_in(other, url)
    other.get_by_role("button", name="Use a passkey").click()
    other.get_by_role("alert").get_by_text("has not confirmed it").wait_for()
    assert other.get_by_label("Code").is_visible()  # a recovery code still is a way in
    other.goto(f"{url}/sign-in")
    other.get_by_role("button", name="Sign in with a passkey").click()
    other.get_by_role("alert").get_by_text("no passkey for this address").wait_for()
    first.close()
    second.close()
