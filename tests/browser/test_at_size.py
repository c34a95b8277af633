"""Cohorts and sessions as an operator of 63 cohorts reads them: filters while typing, heads that sort, rows to press, a
day of bars, and lists that keep themselves fresh."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from config.clock import now
from tests import servers
from tests.browser import chromium, demo
from tests.browser.test_axe import AXE, violations
from tests.browser.test_walk import EMAIL, PASSWORD, flask_operator, send
from tests.dashboard import many
from tests.failing.server import Server

POLLED = 11_000  # milliseconds: a list asks for itself every ten seconds


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("large")
    server = Server(folder, f"sqlite:///{folder}/cohort-relay.db", demo.SERVE, more=demo.OFTEN)
    server.prepare()
    app = demo.app_of(server)
    demo.add_operators(app)
    app.extensions["runtime"].database.write(lambda db: many.fill(db, now(), 2))
    app.extensions["runtime"].database.dispose()
    try:
        server.revive()
        yield server
    finally:
        server.close()


@pytest.fixture
def page(running, large: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, large.url, demo.email_of("viewer"), demo.PASSWORD)
    yield context.new_page()
    context.close()


def names(page: Page) -> list[str]:
    return page.locator("#list tbody th").all_text_contents()


def test_cohorts_are_filtered_while_somebody_types(page: Page, large: Server) -> None:
    page.goto(large.url)
    page.goto(f"{large.url}/cohorts")
    field = page.get_by_label("Name or id")
    field.press_sequentially("segment 4")
    expect(page.locator("#list tbody tr")).to_have_count(10)
    expect(field).to_be_focused()
    expect(page).to_have_url(f"{large.url}/cohorts?q=segment+4")
    page.reload()
    expect(page.locator("#list tbody tr")).to_have_count(10)
    page.get_by_role("link", name="1 failing").click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#only-failing")).to_have_attribute("aria-current", "true")
    expect(field).to_have_value("segment 4")
    page.go_back()
    expect(page.locator("#list tbody tr")).to_have_count(10)
    page.go_back()  # the letters were no pages
    expect(page).to_have_url(f"{large.url}/")


def test_heads_sort_and_stay_in_view(page: Page, large: Server) -> None:
    page.goto(f"{large.url}/cohorts")
    assert names(page)[0] == "Segment 40 of customers"
    page.get_by_role("link", name="Members").click()
    expect(page.locator("#list tbody th").first).to_have_text("Segment 63 of customers")
    expect(page.get_by_role("link", name="Members")).to_be_focused()
    page.get_by_role("link", name="Members").press("Enter")
    expect(page.locator("#list tbody th").first).to_have_text("Segment 01 of customers")
    page.locator("#list tbody tr").last.scroll_into_view_if_needed()
    assert page.evaluate("document.querySelector('#list thead th').getBoundingClientRect().top") == 0


def test_a_whole_row_is_to_press(page: Page, large: Server) -> None:
    page.goto(f"{large.url}/cohorts")
    page.locator("#list tbody tr").nth(2).locator("td").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Segment 44 of customers")


def test_a_bar_of_the_day_filters_its_half_hour(page: Page, large: Server) -> None:
    page.goto(f"{large.url}/sessions")
    bar = page.locator(".day-bars g").nth(20)
    when = bar.get_attribute("data-when") or ""
    bar.locator(".ground").click(force=True)
    expect(page.get_by_label("When (UTC)")).to_have_value(when)
    expect(page.locator(".day-bars g.chosen")).to_have_attribute("data-when", when)
    page.locator(".day-bars g").nth(20).locator(".ground").click(force=True)
    expect(page).to_have_url(f"{large.url}/sessions")


def test_several_states_and_those_that_changed_something(page: Page, large: Server) -> None:
    page.goto(f"{large.url}/sessions")
    page.get_by_role("link", name="1 stalled").click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="2 under way").click()
    expect(page.locator("#list tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator("tr.fold").first).to_be_visible()
    page.get_by_label("Change").select_option("Changed something")
    expect(page.locator("tr.fold")).to_have_count(0)
    page.get_by_label("Change").select_option("")
    page.locator("tr.fold td").first.click()
    expect(page.locator("#list tbody td").get_by_text("no change").first).to_be_visible()


def test_the_lists_keep_themselves_fresh(running, empty: Server) -> None:
    empty.prepare("crm")
    flask_operator(empty)
    context = chromium.context_of(running)
    chromium.sign_in(context, empty.url, EMAIL, PASSWORD)
    pages = {path: context.new_page() for path in ("/cohorts", "/sessions")}
    send(empty, 1)
    for path, page in pages.items():
        page.clock.install()
        page.goto(empty.url + path)
        expect(page.locator("#list tbody")).to_contain_text("Receiving")
    send(empty, 2)
    send(empty, 3)
    for page in pages.values():
        page.clock.run_for(POLLED)
        expect(page.locator("#list tbody")).not_to_contain_text("Receiving")
    context.close()


def test_axe_finds_no_violation_at_size(running, large: Server) -> None:
    if not AXE.exists():
        servers.missing("axe-core (npm)")
    context = chromium.context_of(running)
    chromium.sign_in(context, large.url, demo.email_of("viewer"), demo.PASSWORD)
    paths = ["/cohorts?state=in_step&sort=-size", "/sessions", "/sessions?status=stalled", "/sessions?change=none"]
    assert violations(context.new_page(), large.url, paths) == {}
    context.close()
