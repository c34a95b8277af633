"""What pages gain by JavaScript, by what an operator notices of it: on every kind of page, the composer's too."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from config.durations import UNITS, age
from tests.browser import chromium, demo, places

FAR_ON = 100 * 86_400_000  # milliseconds
COMPOSER = "/send?operation=import-events&example=1"
COPY_ALL = """async () => {
    const found = [];
    for (const button of document.querySelectorAll("[data-copy]")) {
        await navigator.clipboard.writeText("nothing yet");
        button.click();
        for (let turn = 0; turn < 100 && !button.dataset.copied; turn++) await new Promise(requestAnimationFrame);
        found.push([button.dataset.copy, await navigator.clipboard.readText(), button.textContent]);
    }
    return found;
}"""


@pytest.fixture
def context(running, shown):
    """An admin's browser that may use the clipboard."""
    found = chromium.context_of(running)
    found.grant_permissions(["clipboard-read", "clipboard-write"], origin=shown.url)
    chromium.sign_in(found, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield found
    found.close()


def test_every_copy_button_of_every_page_copies_its_value(context: BrowserContext, shown) -> None:
    app, page = demo.app_of(shown), context.new_page()
    have_some = [
        path for path in places.whole_pages(app) if "data-copy" in context.request.get(shown.url + path).text()
    ]
    app.extensions["runtime"].database.dispose()
    assert {path.split("/")[1].split("?")[0] for path in have_some} >= {"cohorts", "connections", "people", "send"}
    wrong = {path: found for path in have_some if (found := miscopied(page, shown.url + path))}
    assert wrong == {}


def miscopied(page: Page, url: str) -> list[list[str]]:
    """Buttons after which the clipboard holds something else than they promise, or that do not say that they copied."""
    page.goto(url)
    found = page.evaluate(COPY_ALL)
    assert found, url
    return [one for one in found if one[0] != one[1] or one[2] != "copied"]


@pytest.mark.parametrize("path", ["/", COMPOSER])
def test_escape_closes_every_menu(context: BrowserContext, shown, path: str) -> None:
    page = context.new_page()
    page.goto(shown.url + path)
    for menu in page.locator("details.menu").all():
        if not menu.is_visible():
            continue  # that of a phone
        menu.locator("summary").click()
        expect(page.locator("details.menu[open]")).to_have_count(1)  # whichever was open before is closed
        page.keyboard.press("Escape")
        expect(page.locator("details.menu[open]")).to_have_count(0)
        expect(menu.locator("summary")).to_be_focused()


def test_arrows_move_in_a_menu(context: BrowserContext, shown) -> None:
    page = context.new_page()
    page.goto(f"{shown.url}/cohorts/1")
    menu = page.locator("main details.menu").first
    menu.locator("summary").click()
    entries = menu.locator("a:visible, button:visible").all()
    for key, entry in (("ArrowDown", 0), ("ArrowDown", 1), ("End", -1), ("ArrowDown", 0), ("ArrowUp", -1), ("Home", 0)):
        page.keyboard.press(key)
        expect(entries[entry]).to_be_focused()


def test_ages_are_written_as_the_server_writes_them(context: BrowserContext, shown) -> None:
    ages = [sign * (length + more) for length, _name in UNITS for more in (-1, 0, 1) for sign in (1, -1)]
    ages += [0, 400, 4_999, 5_000, 400 * 86_400_000]
    page = context.new_page()
    page.goto(shown.url)
    written = page.evaluate("async (ages) => ages.map((await import('/static/times.js')).age)", ages)
    assert written == [age(one) for one in ages]


@pytest.mark.parametrize("path", ["/cohorts", COMPOSER])
def test_relative_times_stay_fresh(context: BrowserContext, shown, path: str) -> None:
    page = context.new_page()
    page.clock.install()
    page.goto(shown.url + path)
    first = page.locator("main time[data-ago]").first
    before = first.text_content() or ""
    expect(first).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, .+ here$"))
    page.clock.fast_forward(FAR_ON)
    expect(first).not_to_have_text(before)
