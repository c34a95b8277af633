"""The watch that fails browser tests: it sees each of the ways in which a page breaks in silence."""

import re

import pytest

from tests.browser import chromium
from tests.browser.watch import Watched

PAGES = {
    "an error on the console": ("<script>console.error('broken')</script>", "console: broken"),
    "an uncaught error": ("<script>nowhere.to.be.found</script>", "uncaught: .*nowhere"),
    "one name declared by two scripts": ("<script>let a</script><script>let a</script>", "uncaught: .*already been"),
    "a rejected promise": ("<script>Promise.reject(new Error('late'))</script>", "uncaught: .*late"),
    "a script that is missing": ("<script src='/nowhere.js'></script>", "console: .*404"),
    "a server that hangs up": ("<img src='http://127.0.0.1:1/'>", "failed: GET http://127.0.0.1:1/"),
    "what the policy forbids": ("<p style='color: red'>", "console: .*style"),
}
PLACE = "http://page.test"
POLICY = {"Content-Security-Policy": "script-src 'self' 'unsafe-inline'; style-src 'self'"}


@pytest.mark.parametrize("kind", PAGES)
def test_the_watch_sees(running: Watched, kind: str) -> None:
    html, pattern = PAGES[kind]
    context = chromium.context_of(running)
    context.route(f"{PLACE}/**", lambda route: route.fulfill(status=404))
    context.route(f"{PLACE}/page", lambda route: route.fulfill(body=html, content_type="text/html", headers=POLICY))
    context.new_page().goto(f"{PLACE}/page", wait_until="networkidle")
    context.close()
    assert any(re.search(pattern, one) for one in running.unexpected()), running.found
    running.expects(pattern)
    running.expects("404|ERR_")
    assert running.unexpected() == []
