"""What is typed into the composer and not sent: it is there again after a look elsewhere, and gone once it is sent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium, demo
from tests.failing.server import Server
from tests.mixpanel import Mixpanel

EVENT = "/send?operation=import-events"
STORED = "() => JSON.stringify(Object.entries(sessionStorage))"


@pytest.fixture
def page(running, sending: Server, mixpanel: Mixpanel) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, sending.url, demo.email_of("operator"), demo.PASSWORD)
    mixpanel.forget()
    yield context.new_page()
    context.close()


def begins(page: Page, sending: Server) -> None:
    page.goto(sending.url + EVENT)
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_label("Distinct id required").fill("ada")
    for number, (name, value) in enumerate((("plan", "pro"), ("seats", "3"), ("team", "blue")), 1):
        if number > 2:
            page.get_by_role("button", name="Add a row").first.click()
        page.get_by_label(f"Properties: name {number}").fill(name)
        page.get_by_label(f"Properties: value {number}").fill(value)
    page.wait_for_function("() => Object.values(sessionStorage).some((kept) => kept.includes('blue'))")


def is_as_it_was(page: Page) -> None:
    expect(page.get_by_label("Event required")).to_have_value("Signed up")
    expect(page.get_by_label("Distinct id required")).to_have_value("ada")
    expect(page.get_by_label("Properties: value 3")).to_have_value("blue")


def test_a_draft_is_there_again_after_a_look_elsewhere(page: Page, sending: Server) -> None:
    begins(page, sending)
    page.goto(f"{sending.url}/send/history")
    page.goto(sending.url + EVENT)
    is_as_it_was(page)
    expect(page.locator("#request pre.json")).to_contain_text('"team"')
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_label("Event required")).to_have_value("")
    assert page.evaluate(STORED) == "[]"


def test_a_draft_that_was_sent_is_gone_and_back_leads_to_what_was_sent(page: Page, sending: Server) -> None:
    begins(page, sending)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#verdict")).to_contain_text("Accepted")
    assert page.evaluate(STORED) == "[]"
    page.goto(f"{sending.url}/send")
    page.go_back()
    is_as_it_was(page)
    page.goto(sending.url + EVENT)
    expect(page.get_by_label("Event required")).to_have_value("")


def test_what_the_checks_have_stopped_is_a_draft_still(page: Page, sending: Server, expects) -> None:
    expects("status of 422")
    page.goto(sending.url + EVENT)
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#stops")).to_be_visible()
    page.goto(sending.url + EVENT)
    expect(page.get_by_label("Event required")).to_have_value("Signed up")


def test_an_address_that_brings_what_to_begin_with_brings_no_draft(page: Page, sending: Server) -> None:
    begins(page, sending)
    page.goto(f"{sending.url}{EVENT}&example=0")
    expect(page.get_by_label("Distinct id required")).not_to_have_value("ada")


def test_signing_out_forgets_every_draft(page: Page, sending: Server) -> None:
    begins(page, sending)
    page.locator("details.menu summary", has_text="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate(STORED) == "[]"


def test_a_password_and_a_raw_request_are_kept_nowhere(page: Page, sending: Server) -> None:
    page.goto(f"{sending.url}/send?operation=create-warehouse-pipeline")
    words = page.locator("#compose input[type=text]").first
    secret = page.locator("#compose input[type=password]")
    for details in page.locator("#compose details.more:not([open]) > summary").all():
        details.click()
    words.fill("seen-words")
    for one in secret.all():
        one.fill("hidden-secret")
    page.wait_for_function("() => Object.values(sessionStorage).some((kept) => kept.includes('seen-words'))")
    page.goto(f"{sending.url}/send?operation=raw-request")
    page.locator("#compose :is(input[type=text], textarea)").first.fill("hidden-secret")
    page.goto(f"{sending.url}/send")
    assert "hidden-secret" not in page.evaluate(STORED)
    assert "seen-words" in page.evaluate(STORED)
