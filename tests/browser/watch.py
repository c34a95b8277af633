"""What goes wrong in a browser without a word: errors on the console, uncaught ones, requests that failed.

Every context of the browser that tests are given is watched, and a test during which something was found fails.
"""

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, WebError

# Whoever leaves a page breaks off what it was asking for, and a download breaks off the going to it.
BROKEN_OFF = "net::ERR_ABORTED"
# Hosts of other tests come and go (tests/failing/hosts.py), and Chromium lets go of what it was loading meanwhile.
NETWORK_CHANGED = r"net::ERR_NETWORK_CHANGED"


class Watched:
    """A browser whose contexts are watched. `expected` are patterns of what a test has declared."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.found: list[str] = []
        self.expected: list[str] = []

    def new_context(self, **options: Any) -> BrowserContext:
        context = self.browser.new_context(**options)
        context.on("console", self._hears)
        context.on("weberror", self._catches)
        context.on("requestfailed", self._misses)
        return context

    def _hears(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            self.found.append(f"console: {message.text} ({message.location.get('url')})")

    def _catches(self, error: WebError) -> None:
        self.found.append(f"uncaught: {error.error} ({error.page.url if error.page else 'no page'})")

    def _misses(self, request: Request) -> None:
        if request.failure != BROKEN_OFF:
            self.found.append(f"failed: {request.method} {request.url}: {request.failure}")

    def begin(self) -> None:
        self.found.clear()
        self.expected.clear()

    def expects(self, pattern: str) -> None:
        """Declare what may go wrong in this test, as a regular expression that is found in it."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        """What has gone wrong since the beginning, without what was declared."""
        known = [*self.expected, NETWORK_CHANGED]
        return [one for one in self.found if not any(re.search(pattern, one) for pattern in known)]
