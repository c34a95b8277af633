"""Back, pressed in a real browser: after a search and after a form it leads to the page before, and asks nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser import chromium, demo
from tests.failing.server import Server


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, shown: Server) -> Iterator[Page]:
    context = chromium.context_of(running, java_script_enabled=request.param)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    yield context.new_page()
    context.close()


def goes_back(page: Page) -> Response | None:
    """Press Back. A browser that has a form to send again shows a page of its own instead, and fails here."""
    answer = page.go_back()
    assert page.url.startswith("http")
    return answer


def posts(page: Page) -> list[str]:
    """Every form that the page sends from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if request.method == "POST" else None)
    return found


def search(page: Page, field: str, wanted: str) -> None:
    before = page.url
    page.locator(field).fill(wanted)
    page.locator(field).press("Enter")
    page.wait_for_url(lambda url: url != before)


@pytest.mark.parametrize(
    ("start", "field", "hits"),
    [
        ("/people", "#people-q", "main tbody a"),
        ("/cohorts/2", "main form[role=search] input[name=q]", "main tbody a"),
        ("/connections", "#search", "main .found a"),
    ],
)
def test_back_after_a_search_and_what_it_found(page: Page, shown: Server, start: str, field: str, hits: str) -> None:
    page.goto(shown.url + start)
    sent = posts(page)
    search(page, field, "ada")
    found = page.url
    assert len(sent) == 1
    page.locator(hits).first.click()
    page.wait_for_url(lambda url: url != found)
    goes_back(page)
    expect(page).to_have_url(found)
    expect(page.locator(hits).first).to_be_visible()
    page.reload()
    expect(page.locator(hits).first).to_be_visible()
    goes_back(page)
    expect(page).to_have_url(shown.url + start)
    assert len(sent) == 1
    assert "=ada" not in found


def test_back_after_a_form_leads_to_the_form_and_repeats_nothing(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.goto(f"{shown.url}/cohorts/2/settings")
    sent = posts(page)
    page.locator("main input[name=percent]").fill("40")
    page.get_by_role("button", name="Set the guard").click()
    expect(page.locator("main")).to_contain_text("Held over 40")
    page.reload()
    goes_back(page)
    expect(page.locator("h1")).to_be_visible()
    assert len(sent) == 1


def test_back_after_a_rotation_makes_no_other_password(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/connections/newsletter")
    sent = posts(page)
    page.get_by_role("button", name="Rotate the password").click()
    expect(page.locator("[data-password] code")).to_be_visible()
    page.reload()
    goes_back(page)
    expect(page.locator("h1")).to_contain_text("newsletter")
    assert len(sent) == 1
    assert page.goto(f"{shown.url}/connections/newsletter") is not None
    expect(page.locator("section", has_text="Live passwords").last.locator("tbody tr")).not_to_have_count(0)
