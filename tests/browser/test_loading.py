"""Parts that cannot be loaded, what shows while they are, paper, and letters."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import chromium, demo
from tests.failing.server import Server

POLLED = 11_000  # milliseconds: a list asks for itself every ten seconds


@pytest.fixture
def page(running, shown: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("viewer"), demo.PASSWORD)
    yield context.new_page()
    context.close()


def test_a_list_that_cannot_be_loaded_says_so_and_is_tried_again(page: Page, shown: Server, expects) -> None:
    expects("status of 503")
    page.goto(f"{shown.url}/audit")
    rows = page.locator("#list tbody tr").count()
    page.route("**/audit?*", lambda route: route.fulfill(status=503, body="<p>The database does not answer.</p>"))
    page.get_by_label("Who").select_option(index=1)
    says = page.locator("[data-not-loaded]")
    expect(says).to_contain_text("This could not be loaded; nothing has changed.")
    assert page.locator("#list tbody tr").count() == rows
    page.unroute("**/audit?*")
    says.get_by_role("button", name="Try again").click()
    expect(says).to_have_count(0)
    expect(page.get_by_text("Clear the filters")).to_be_visible()


def test_a_part_that_refreshes_itself_keeps_what_was_known_last(page: Page, shown: Server, expects) -> None:
    expects("cohorts/now|Failed to fetch|ERR_")
    page.clock.install()
    page.goto(f"{shown.url}/cohorts")
    page.route("**/cohorts/now*", lambda route: route.abort())
    page.clock.run_for(POLLED)
    says = page.locator("[data-not-loaded]")
    expect(says).to_contain_text("below is what was known last")
    expect(page.locator("#list tbody")).to_contain_text("Paying users")
    page.unroute("**/cohorts/now*")
    page.clock.run_for(POLLED)
    expect(says).to_have_count(0)


def test_a_list_that_is_asked_for_is_busy_until_it_is_there(page: Page, shown: Server) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto(f"{shown.url}/audit")
    page.route("**/audit?*", hold)
    page.get_by_label("Who").select_option(index=1)
    expect(page.locator("#list")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    expect(page.locator("#list")).not_to_have_attribute("aria-busy", "true")


def test_paper_shows_the_content_alone_and_nothing_is_cut(page: Page, shown: Server) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{shown.url}/cohorts/2")
    for part in (".sidebar", ".topbar", ".filters", ".pager", ".tabs"):
        expect(page.locator(part).first).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    letters = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert letters == "rgb(26, 29, 35)"  # dark ones, also where the screen is dark
    cut = """() => [...document.querySelectorAll(".listing td")]
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.innerText)"""
    assert page.evaluate(cut) == []


def test_the_letters_come_from_us_before_the_page_needs_them(page: Page, shown: Server) -> None:
    page.goto(shown.url)
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate("[...document.fonts].filter(({status}) => status === 'loaded').map(({family}) => family)")
    assert "Inter" in loaded
    assert (
        page.evaluate("getComputedStyle(document.querySelector('td.number, .number')).fontVariantNumeric")
        == "tabular-nums"
    )
