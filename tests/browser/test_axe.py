"""Whether everybody can use every page: axe-core's rules, light and dark, wide and on a phone.

This walk over all pages is also the one that their scripts have to pass: under the policy that people's browsers get,
and watched, as every browser test is, for errors on the console and requests that failed.
"""

from pathlib import Path

import pytest

from tests import servers
from tests.browser import chromium, demo, places
from tests.failing.server import Server

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def test_axe_finds_no_violation_on_any_page_wide_or_on_a_phone(running, shown) -> None:
    if not AXE.exists():
        servers.missing("axe-core (npm)")
    app = demo.app_of(shown)
    context = chromium.context_of(running)
    page = context.new_page()
    found = violations(page, shown.url, places.whole_pages(app, signed_in=False))
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    found |= violations(page, shown.url, places.whole_pages(app))
    context.close()
    app.extensions["runtime"].database.dispose()
    assert found == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation_where_sending_asks_back(running, shown, expects, dark: bool) -> None:
    """What stands at no address of its own: refusals beside their fields, choices, and what is asked before sending."""
    expects("status of 422 .*/send\\)$")
    context = chromium.context_of(running, dark=dark)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    page = context.new_page()
    page.goto(f"{shown.url}/send?operation=import-events")
    page.get_by_label("Distinct id required").fill("undefined")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("is missing").first.wait_for()
    found = violations_here(page)
    page.goto(f"{shown.url}/send?operation=engage-query")
    page.get_by_role("button", name="Choose from Mixpanel's list").first.click()
    page.get_by_role("button", name="Ask again").wait_for()
    found += violations_here(page)
    page.goto(f"{shown.url}/send?operation=delete-profile")
    page.get_by_label("Distinct id required").fill("u1")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send it").wait_for()
    found += violations_here(page)
    context.close()
    assert found == []


OF_COLOURS = ("color-contrast", "link-in-text-block")  # all that differs between light and dark
EMPTY = (
    *("/", "/cohorts", "/sessions", "/failures", "/people", "/connections", "/settings/tokens", "/audit", "/search"),
    *("/destinations", "/destinations/new", "/destinations/new?type=webhook"),
    "/settings/people",
    *("/send", "/send/history", "/send/imports", "/send/comparisons", "/send/projects"),
)


def test_axe_finds_no_violation_before_anything_has_come(running, empty: Server) -> None:
    context = chromium.context_of(running)
    page = context.new_page()
    found = violations(page, empty.url, ["/sign-up"])
    app = demo.app_of(empty)
    demo.add_operators(app)
    app.extensions["runtime"].database.dispose()
    chromium.sign_in(context, empty.url, demo.email_of("admin"), demo.PASSWORD)
    found |= violations(page, empty.url, EMPTY)
    context.close()
    assert found == {}


# Beside a page as a whole: lists that scroll sideways, and states whose sign stands apart from their word.
SIDEWAYS = """() => [
    ...(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []),
    ...[...document.querySelectorAll(".listing")].filter((box) => box.scrollWidth > box.clientWidth + 1)
        .map((box) => box.innerText.slice(0, 60)),
    ...[...document.querySelectorAll(".state")].filter((state) => state.checkVisibility()).filter((state) => {
        const [sign, box] = [state.querySelector(".icon"), state].map((part) => part.getBoundingClientRect());
        return box.height > 28 || sign.right > box.right;
    }).map((state) => state.innerText)]"""


def sideways_here(page) -> list[str]:
    """What does not fit into a phone; of the page as a whole also at 320 px, and at 640 px, which 1280 are at 200 %."""
    wrong = page.evaluate(SIDEWAYS)
    for width in (320, 640):
        page.set_viewport_size(chromium.PHONE | {"width": width})
        wrong += [f"{width} px: {one}" for one in page.evaluate(SIDEWAYS) if one == "the page"]
    page.set_viewport_size(chromium.PHONE)
    return [f"sideways: {one}" for one in wrong]


def violations(page, url: str, paths: list[str]) -> dict[str, list[str]]:
    """Of pages that are opened once, and looked at in light and in dark colours, then as on a phone."""
    found = {}
    for path in paths:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(chromium.WIDE)
        if not chromium.opens(page, url + path):
            continue
        wrong = violations_here(page)
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {one}" for one in violations_here(page, OF_COLOURS)]
        page.set_viewport_size(chromium.PHONE)
        wrong += [f"phone: {one}" for one in violations_here(page) + sideways_here(page)]
        if wrong:
            found[path] = wrong
    return found


def violations_here(page, rules: tuple[str, ...] = ()) -> list[str]:
    """By these rules, or by all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    # Without a preload: it writes styles into the page, which our policy forbids, for a rule that is not asked for.
    options = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": not rules}}}
    options |= {"runOnly": list(rules)} if rules else {}
    wrong = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in wrong]
