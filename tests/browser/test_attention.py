"""What needs somebody is in the tab and beside its place, and both change while the page is open."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.browser.test_walk import BAD, EMAIL, PASSWORD, flask_operator, send
from tests.failing.server import Server
from tests.relay import basic

POLLED, UNSEEN = 11_000, 61_000  # milliseconds: the list asks for itself every ten seconds, unseen once a minute
HIDE = "Object.defineProperty(document, 'hidden', {get: () => true})"
ICON = "document.querySelector('link[rel=icon]').href"


@pytest.fixture
def cohorts(running, empty: Server) -> Iterator[Page]:
    """The list of cohorts with one in it, with a clock that the test moves."""
    empty.prepare("crm")
    flask_operator(empty)
    context = chromium.context_of(running)
    chromium.sign_in(context, empty.url, EMAIL, PASSWORD)
    for number in (1, 2, 3):
        send(empty, number)
    page = context.new_page()
    page.clock.install()
    page.goto(f"{empty.url}/cohorts")
    expect(page).to_have_title("Cohorts - Cohort Relay")
    yield page
    context.close()


def refuse(server: Server) -> None:
    body = {"action": "add_members", "parameters": BAD}
    url = f"{server.url}/webhooks/mixpanel/crm"
    assert requests.post(url, json=body, headers=basic("crm", server.passwords["crm"]), timeout=30).status_code == 400


def test_the_tab_and_the_sidebar_say_what_needs_somebody_as_soon_as_the_page_hears_of_it(
    cohorts: Page, empty: Server
) -> None:
    refuse(empty)
    cohorts.clock.run_for(POLLED)
    expect(cohorts).to_have_title("1 needs you · Cohorts - Cohort Relay")
    failures = cohorts.locator(".places [data-place=failures]")
    expect(failures.locator(".count")).to_have_text("1")
    expect(failures).to_have_attribute("title", "1 needs you")
    assert "favicon-needs-you" in cohorts.evaluate(ICON)
    cohorts.goto(f"{empty.url}/people")
    expect(cohorts).to_have_title("1 needs you · People - Cohort Relay")
    assert "favicon-needs-you" in cohorts.evaluate(ICON)


def test_a_page_that_nobody_sees_asks_once_a_minute(cohorts: Page, empty: Server) -> None:
    cohorts.clock.run_for(POLLED)
    cohorts.evaluate(HIDE)
    refuse(empty)
    cohorts.clock.run_for(POLLED)
    expect(cohorts).to_have_title("Cohorts - Cohort Relay")
    cohorts.clock.run_for(UNSEEN)
    expect(cohorts).to_have_title("1 needs you · Cohorts - Cohort Relay")
