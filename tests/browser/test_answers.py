"""Answers of queries in a real browser: a chart, a table that sorts in its place, JSON to find, fold and copy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Answer, Mixpanel

DAYS = {f"2026-11-{day:02}": day * 7 % 40 for day in range(1, 31)}
COUNTRIES = {"data": {"series": [*DAYS], "values": {"Germany": DAYS, "France": {"2026-11-02": 1000}}}, "legend_size": 2}


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, signed_in, mixpanel: Mixpanel) -> Iterator[Page]:
    context = chromium.context_of(running, storage_state=signed_in, java_script_enabled=request.param)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    mixpanel.calls.clear()
    mixpanel.forget()
    yield context.new_page()
    context.close()


@pytest.fixture
def live(page: Page, request: pytest.FixtureRequest) -> bool:
    return bool(request.node.callspec.params["page"])


def ask(page: Page, sending: Server, mixpanel: Mixpanel, body: Any = COUNTRIES) -> None:
    mixpanel.script("/query/segmentation", Answer(body=body))
    page.goto(f"{sending.url}/send?operation=segmentation-query")
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#verdict .verdict")).not_to_contain_text("Under way")


def dates(page: Page) -> list[str]:
    return page.locator("#shown tbody th").all_inner_texts()


def test_a_query_is_answered_with_what_came_a_table_and_totals(page: Page, sending, mixpanel, live: bool) -> None:
    ask(page, sending, mixpanel)
    expect(page.locator("#verdict .verdict")).to_contain_text("2 event names, 30 days, 1,575 events")
    assert page.locator("#shown thead th").all_inner_texts() == ["Date", "France", "Germany"]
    assert page.locator("#shown tfoot").inner_text().split() == ["Total", "1,000", "575"]
    expect(page.locator("#shown canvas")).to_be_visible(visible=live)


def test_heads_sort_the_table_and_keep_its_chart_and_the_form(page: Page, sending, mixpanel, live: bool) -> None:
    ask(page, sending, mixpanel)
    where = page.url
    page.locator("#shown thead").get_by_role("link", name="Germany").click()
    expect(page.locator("#shown th[aria-sort=descending]")).to_contain_text("Germany")
    assert dates(page)[0] == "2026-11-17"
    page.locator("#shown thead").get_by_role("link", name="Germany").click()
    expect(page.locator("#shown th[aria-sort=ascending]")).to_contain_text("Germany")
    if live:
        expect(page).to_have_url(where)
        expect(page.get_by_label("Event required")).to_have_value("Signed up")
        expect(page.locator("#sort-0-2")).to_be_focused()
        page.locator("#shown canvas").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#shown .chart-says")).to_have_text("2026-11-30: France 0, Germany 10")


def test_json_is_found_folded_and_copied(page: Page, sending, mixpanel, live: bool) -> None:
    ask(page, sending, mixpanel)
    page.get_by_role("link", name="JSON", exact=True).click()
    shown = page.locator("#answer-json")
    expect(shown).to_contain_text('"legend_size": 2')
    first = shown.locator("details details").first
    first.locator("summary").first.click()
    expect(first).not_to_have_attribute("open", "")
    expect(page.get_by_label("Find")).to_be_visible(visible=live)
    if not live:
        return
    page.get_by_role("button", name="Fold all").click()
    expect(shown.locator("details details[open]")).to_have_count(0)
    page.get_by_label("Find").fill("france")
    expect(page.locator("[data-found]")).to_have_text("1 of 1")
    expect(shown.get_by_text('"France"')).to_be_in_viewport()
    page.get_by_label("Find").fill("2026-11-0")
    page.keyboard.press("Enter")
    expect(page.locator("[data-found]")).to_have_text("2 of 19")
    page.get_by_label("Find").fill("nowhere")
    expect(page.locator("[data-found]")).to_have_text("Not there")
    page.get_by_role("button", name="Copy", exact=True).last.click()
    expect(page.get_by_text("copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText().then((text) => JSON.parse(text))") == COUNTRIES


def test_the_table_is_downloaded_as_csv(page: Page, sending, mixpanel, live: bool) -> None:
    ask(page, sending, mixpanel)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert "2026-11-02,1000,14" in download.value.path().read_text()


def test_an_odd_answer_is_shown_as_the_json_that_it_is(page: Page, sending, mixpanel, live: bool) -> None:
    ask(page, sending, mixpanel, {"data": [1, {"<b>": "odd"}]})
    expect(page.locator("#verdict .verdict")).to_contain_text("Answered")
    expect(page.locator("#answer-json")).to_contain_text('"<b>": "odd"')
    expect(page.locator("#shown table")).to_have_count(0)
