"""On a phone: a bar of places at the foot, lists of two lines a row, filters behind one button.

That nothing scrolls sideways is seen to by the walk through all pages in test_axe.py."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium, demo
from tests.failing.server import Server


@pytest.fixture(scope="module")
def stays(running, shown: Server):
    context = chromium.context_of(running, phone=True)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield context
    context.close()


@pytest.fixture
def phone(stays) -> Iterator[Page]:
    page = stays.new_page()
    yield page
    page.close()


def test_five_places_stand_at_the_foot_and_more_opens_the_others(phone: Page, shown: Server) -> None:
    phone.goto(f"{shown.url}/cohorts")
    bar = phone.get_by_role("navigation", name="Main")
    words = [*bar.get_by_role("link").all(), bar.locator("summary")]
    assert [word.locator("span").first.inner_text() for word in words] == [
        *("Overview", "Cohorts", "Sessions", "Failures", "More"),
    ]
    boxes = [word.bounding_box() for word in words]
    assert all(box["y"] + box["height"] <= 844 and box["height"] >= 44 for box in boxes if box)
    phone.mouse.wheel(0, 10_000)
    assert bar.bounding_box()["y"] > 700
    bar.locator("summary").click()
    bar.get_by_role("link", name="Connections").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Connections")
    expect(bar.locator("summary")).to_have_attribute("data-current", "")


def test_the_bar_reads_without_javascript(running, shown: Server) -> None:
    context = chromium.context_of(running, phone=True, java_script_enabled=False)
    chromium.sign_in(context, shown.url, demo.email_of("viewer"), demo.PASSWORD)
    page = context.new_page()
    page.goto(f"{shown.url}/sessions")
    page.get_by_role("navigation", name="Main").locator("summary").click()
    expect(page.get_by_role("link", name="Destinations")).to_be_visible()
    page.locator("main summary", has_text="Filter").click()
    page.get_by_label("Change").select_option("Changed something")
    page.locator("#filters").get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile("change=some"))
    context.close()


def test_a_row_is_its_name_and_state_and_below_them_all_else(phone: Page, shown: Server) -> None:
    phone.goto(f"{shown.url}/cohorts")
    row = phone.locator("#list tbody tr", has_text="Paying users")
    name, state, size = (row.locator(part).bounding_box() for part in ("th", "td.first-line", "td[data-word=Members]"))
    assert abs(name["y"] - state["y"]) < 8
    assert size["y"] > name["y"] + 16
    assert "Last sync" in row.locator("td").last.evaluate("cell => getComputedStyle(cell, '::before').content")


def test_filters_are_behind_one_button(phone: Page, shown: Server) -> None:
    phone.goto(f"{shown.url}/sessions")
    expect(phone.get_by_label("Connection")).to_be_hidden()
    phone.locator("main summary", has_text="Filter").click()
    phone.get_by_label("Connection").select_option("crm")
    expect(phone).to_have_url(f"{shown.url}/sessions?connection=crm")
    expect(phone.get_by_label("Connection")).to_be_visible()


def test_on_a_wide_screen_filters_need_no_button(running, shown: Server) -> None:
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("viewer"), demo.PASSWORD)
    page = context.new_page()
    page.goto(f"{shown.url}/sessions")
    expect(page.get_by_label("Connection")).to_be_visible()
    expect(page.locator("main summary", has_text="Filter")).to_be_hidden()
    context.close()


def test_the_name_of_a_project_is_read_whole_in_the_foot_of_the_composer(phone: Page, shown: Server) -> None:
    phone.goto(f"{shown.url}/send?operation=import-events")
    chosen = phone.get_by_label("Project", exact=True)
    spare = chosen.evaluate(
        """select => {
          const style = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
          pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
          const arrow = 20, padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
          const wanted = pen.measureText("acme-production-eu · EU · 2891273").width;
          return select.clientWidth - padding - arrow - wanted;
        }"""
    )
    assert spare >= 0


def test_passwords_of_a_connection_are_said_on_the_line_of_their_word(phone: Page, shown: Server) -> None:
    phone.goto(f"{shown.url}/connections")
    cell = phone.locator('td[data-word="Live passwords"]', has_text="used").first
    lines = cell.evaluate("cell => Math.round(cell.getBoundingClientRect().height / 24)")
    assert lines == 1


@pytest.mark.parametrize("path", ["/send/projects", "/settings/alerts", "/cohorts"])
def test_tabs_are_one_line_with_the_present_one_in_view(phone: Page, shown: Server, path: str) -> None:
    phone.goto(shown.url + path)
    if path == "/cohorts":
        cohort = phone.locator("#list tbody th a").first.get_attribute("href")
        phone.goto(f"{shown.url}{cohort}/settings")
    tabs = phone.locator("nav.tabs").first
    present = tabs.locator("[aria-current]")
    expect(present).to_be_in_viewport(ratio=0.99)
    places = [one.bounding_box() for one in tabs.locator("a").all()]
    assert len({box["y"] for box in places if box}) == 1
    tabs.locator("a").first.focus()
    expect(tabs.locator("a").first).to_be_in_viewport()
