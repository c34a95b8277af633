"""The search over any page and the single keys, as hands on a keyboard use them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import servers
from tests.browser import chromium, demo
from tests.browser.test_axe import AXE, violations_here
from tests.failing.server import Server

COMPOSER = "/send?operation=import-events&example=1"
CHOSEN = "#found [aria-selected=true]"


@pytest.fixture
def page(running, shown: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", ["/", "/cohorts/2", COMPOSER])
@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_key_opens_the_search_and_escape_gives_the_focus_back(page: Page, shown: Server, path: str, key: str) -> None:
    page.goto(shown.url + path)
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit")
    link.focus()
    page.keyboard.press(key)
    expect(page.locator("#palette-q")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(link).to_be_focused()


def test_a_cohort_is_found_chosen_and_opened_without_a_pointer(page: Page, shown: Server) -> None:
    page.goto(shown.url)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.keyboard.press("/")
    page.keyboard.type("paying")
    expect(page.locator(CHOSEN)).to_contain_text("Paying users")
    page.keyboard.press("ArrowDown")
    expect(page.locator(CHOSEN)).to_contain_text("Compare Paying users")
    expect(page.locator("#palette-q")).to_have_attribute("aria-activedescendant", "found-1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Paying users")
    assert not [url for url in sent if "paying" in url]


def test_enter_before_the_answer_waits_for_it(page: Page, shown: Server) -> None:
    page.goto(shown.url)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("audit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")


def test_what_was_looked_at_lately_comes_first_and_is_forgotten_at_the_end(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    name = page.get_by_role("heading", level=1).text_content() or ""
    page.goto(f"{shown.url}/sessions")
    page.keyboard.press("/")
    expect(page.locator(CHOSEN)).to_contain_text(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.locator("details.menu summary", has_text="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_g_and_a_key_lead_to_every_place(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/account")
    for key, head in {"c": "Cohorts", "s": "Sessions", "f": "Failures", "a": "Audit"}.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1)).to_have_text(head)
        page.wait_for_load_state()  # a page listens to keys once its scripts have run
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page).to_have_url(f"{shown.url}/")


def test_j_and_k_move_in_a_list_and_enter_opens_the_row(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts")
    names = page.locator("#list tbody th a")
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(names.nth(place)).to_be_focused()
    name = names.first.text_content() or ""
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_keys_that_are_typed_into_a_field_do_nothing_else(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts")
    field = page.get_by_label("Name or id")
    field.press_sequentially("g/?jk")
    expect(field).to_have_value("g/?jk")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_question_mark_lists_the_keys(page: Page, shown: Server) -> None:
    page.goto(shown.url)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text(re.compile(r"g\s*c\s*Cohorts"))
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#keys")).to_be_hidden()
    page.locator("details.menu summary", has_text="Account").click()
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_axe_finds_no_violation_in_the_search_and_the_keys(running, shown: Server, phone: bool) -> None:
    if not AXE.exists():
        servers.missing("axe-core (npm)")
    context = chromium.context_of(running, phone=phone)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    page = context.new_page()
    page.goto(shown.url)
    page.keyboard.press("/")
    found = violations_here(page)
    page.keyboard.type("ada")
    expect(page.locator(CHOSEN)).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += violations_here(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    found += violations_here(page)
    context.close()
    assert found == []


def test_without_javascript_the_search_is_a_page(running, shown: Server) -> None:
    context = chromium.context_of(running, java_script_enabled=False)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    page = context.new_page()
    page.goto(f"{shown.url}/failures")
    page.locator("#search").fill("paying")
    page.locator("#search").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    assert "paying" not in page.url
    page.reload()
    page.locator("main .found a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paying users")
    context.close()
