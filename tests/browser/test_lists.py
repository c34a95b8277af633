"""Lists in a real browser: filters and pages come in their place, and the reader keeps theirs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium, demo
from tests.failing.server import Server

STAYS = "window.stays = true"


@pytest.fixture
def page(running, shown: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield context.new_page()
    context.close()


@pytest.fixture
def bare(running, shown: Server) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = chromium.context_of(running, java_script_enabled=False)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield context.new_page()
    context.close()


def is_the_same_page(page: Page) -> bool:
    """Whether nothing but parts of the page have changed since `STAYS`."""
    return page.evaluate("window.stays === true")


def top_of(page: Page, selector: str) -> float:
    return page.evaluate("selector => document.querySelector(selector).getBoundingClientRect().top", selector)


def test_the_next_members_come_in_place_and_back_leads_to_those_before(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.evaluate(STAYS)
    first = page.locator("#list tbody a").first.text_content() or ""
    page.locator(".pager").get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("51 to 100 of ")
    expect(page.locator("#list tbody a").first).not_to_have_text(first)
    expect(page.locator("#members")).to_be_focused()
    assert 0 <= top_of(page, "#members") < page.viewport_size["height"]
    assert "seen=50" in page.url
    page.reload()
    expect(page.locator(".pager")).to_contain_text("51 to 100 of ")
    page.go_back()
    expect(page.locator(".pager")).to_contain_text("1 to 50 of ")
    expect(page.locator("#list tbody a").first).to_have_text(first)


def test_what_is_around_a_list_stays_as_it_is(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.evaluate(STAYS)
    page.get_by_role("link", name="90 d").click()
    expect(page).to_have_url(f"{shown.url}/cohorts/2?range=90d")
    expect(page.locator("#range-90d")).to_have_attribute("aria-current", "true")
    expect(page.locator("#range-90d")).to_be_focused()
    page.locator(".pager").get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("51 to 100 of ")
    expect(page.locator("figure[data-drawn]")).to_have_count(2)
    expect(page.locator("#range-90d")).to_have_attribute("aria-current", "true")
    page.get_by_label("Entered since").focus()
    page.get_by_label("Entered since").select_option("Last 30 days")
    expect(page.locator("#members")).to_have_text("Entered: last 30 days")
    expect(page.get_by_label("Entered since")).to_be_focused()
    expect(page).to_have_url(f"{shown.url}/cohorts/2?range=90d&since=30d")
    page.locator("main details.menu", has_text="Export").locator("summary").click()
    expect(page.get_by_role("link", name="Those who entered as CSV")).to_be_visible()
    assert is_the_same_page(page)
    page.go_back()
    expect(page.locator(".pager")).to_contain_text("51 to 100 of ")
    expect(page.get_by_label("Entered since")).to_have_value("")


def test_back_from_a_member_leads_to_the_same_members(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.locator(".pager").get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("51 to 100 of ")
    member = page.locator("#list tbody a").nth(40)
    whom = member.text_content() or ""
    member.click()
    expect(page.locator(".timeline")).to_be_visible()
    page.go_back()
    expect(page.locator("#list tbody a").nth(40)).to_have_text(whom)


def test_a_filter_that_is_cleared_is_cleared_in_its_field_too(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/audit")
    page.evaluate(STAYS)
    page.get_by_label("Who").select_option(index=1)
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.get_by_label("Who")).to_have_value("")
    expect(page).to_have_url(f"{shown.url}/audit")
    assert is_the_same_page(page)


def test_whoever_was_signed_out_meanwhile_is_led_to_sign_in(page: Page, shown: Server, expects) -> None:
    expects("status of 401")
    page.goto(f"{shown.url}/audit")
    page.context.clear_cookies()
    page.get_by_label("Who").select_option(index=1)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_pages_and_filters_work_without_javascript(bare: Page, shown: Server) -> None:
    bare.goto(f"{shown.url}/cohorts/2")
    bare.locator(".pager").get_by_role("link", name="Next").click()
    expect(bare.locator(".pager")).to_contain_text("51 to 100 of ")
    bare.locator(".pager").get_by_role("link", name="Previous").click()
    expect(bare.locator(".pager")).to_contain_text("1 to 50 of ")
    bare.get_by_label("Entered since").select_option("Last 30 days")
    bare.get_by_role("button", name="Show").click()
    expect(bare.locator("#members")).to_have_text("Entered: last 30 days")


def test_a_cohort_as_of_a_day_tells_how_many_then_in_place(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.evaluate(STAYS)
    page.get_by_role("link", name="a week ago").click()
    expect(page.locator("#list [role=status]")).to_contain_text(" then, ")
    day = page.get_by_label("As of (UTC)").input_value()
    expect(page).to_have_url(f"{shown.url}/cohorts/2?as_of={day}")
    page.get_by_label("Time, or the day's end").fill("10:30")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#members")).to_have_text(f"Members as of {day} 10:30:00 UTC")
    page.locator("main details.menu", has_text="Export").locator("summary").click()
    as_csv = page.get_by_role("link", name="Members of then as CSV")
    expect(as_csv).to_have_attribute("href", f"/cohorts/2/members.csv?as_of={day}T10:30")
    assert is_the_same_page(page)


def test_every_chart_has_zero_on_its_axis(page: Page, shown: Server) -> None:
    for path in ("/", "/cohorts/2", "/cohorts/2?range=all"):
        page.goto(shown.url + path)
        page.locator("figure[data-drawn]").first.wait_for()
        axes = page.evaluate("""() => [...document.querySelectorAll("figure[data-drawn] canvas")]
            .map((canvas) => Chart.getChart(canvas).scales.y.ticks.map(({value}) => value))""")
        assert axes, path
        assert all(0 in ticks for ticks in axes), (path, axes)
