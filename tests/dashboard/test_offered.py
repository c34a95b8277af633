"""No page offers what its reader may not do: behind every link and button of every page is no 403."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from security.roles import ROLES, covers, role_of
from tests.browser import places
from tests.dashboard.test_routes import stock
from tests.relay import Browser, Relay

pytestmark = pytest.mark.slow

LINK = re.compile(r'<(?:a|option|link)\b[^>]*?\s(?:href|value)="(/[^"]*)"|hx-get="(/[^"]*)"')
FORM = re.compile(r"<form\b[^>]*>")
BUTTON = re.compile(r'formaction="([^"]+)"|hx-post="([^"]+)"')


def links(page: str) -> set[str]:
    return {html.unescape(one or other).partition("#")[0] for one, other in LINK.findall(page)}


def posts(page: str, path: str) -> Iterator[str]:
    """Where the forms and buttons of a page post to; a form without an address posts to its own page."""
    for form in FORM.findall(page):
        if re.search(r'method="post"', form, re.IGNORECASE):
            action = re.search(r'action="([^"]*)"', form)
            yield html.unescape(action.group(1)) if action and action.group(1) else path
    yield from (html.unescape(one or other) for one, other in BUTTON.findall(page))


def needed(relay: Relay, path: str) -> str:
    """The least role that may post there."""
    endpoint, _arguments = relay.app.url_map.bind("localhost").match(urlsplit(path).path, method="POST")
    return role_of(relay.app.view_functions[endpoint]) or "admin"


def walk(relay: Relay, browser: Browser, role: str, followed: dict[str, int]) -> set[str]:
    """Follow every link of every page, and look at where its forms go; returns the links. `followed` are the statuses
    of what was asked for before and answers as it did."""
    seen, asked = set[str](), 0
    for path in places.pages(relay.app):
        answer = browser.get(path)
        followed[path] = answer.status_code
        if answer.status_code != 200:
            continue
        seen |= links(answer.text)
        for link in links(answer.text):
            if link not in followed:
                followed[link] = browser.get(link).status_code
            assert followed[link] != 403, f"{path} offers {role} {link}"
        for target in posts(answer.text, path):
            asked += 1
            try:
                least = needed(relay, target)
            except HTTPException:
                pytest.fail(f"{path} posts to {target}, which is no address")
            assert covers(role, least), f"{path} offers {role} to post to {target}"
    assert asked > 10
    return seen


@pytest.mark.parametrize("role", ROLES)
def test_nor_do_the_pages_of_a_relay_that_has_little_yet(relay: Relay, role: str) -> None:
    browser = relay.sign_in(role)
    assert walk(relay, browser, role, {})
    relay.refresh(["ada"])
    assert "No project to send to yet" in browser.page("/send")
    assert walk(relay, browser, role, {})


EXPORT = re.compile(r"\.(csv|ndjson)(\?|$)")


@pytest.mark.parametrize("role", ROLES)
def test_whatever_a_page_offers_its_reader_may_do(relay: Relay, role: str) -> None:
    """Whoever may export: it changes what every page offers, and of exports alone whether they are answered."""
    stock(relay)
    browser, runtime, followed = relay.sign_in(role), relay.app.extensions["runtime"], dict[str, int]()
    for export_role in ROLES:
        relay.app.extensions["runtime"] = runtime.with_settings(export_role=export_role)
        seen = walk(relay, browser, role, followed)
        exports = {link for link in seen if EXPORT.search(link) and "members" in link}
        assert bool(exports) == covers(role, export_role)
        followed = {link: status for link, status in followed.items() if not EXPORT.search(link)}
