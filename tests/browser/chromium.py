"""Chromium, driven by Playwright; the browser is Debian's: its headless shell, which opens a page for a third of the
processor time that the whole browser takes, or the whole browser where there is no shell."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.watch import Watched

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(found: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        try:
            yield running
        finally:
            running.close()


def sign_in(context: BrowserContext, url: str, email: str, password: str) -> None:
    """Sign in by the form."""
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{url}/")
    page.close()


def context_of(running: Browser | Watched, *, phone: bool = False, dark: bool = False, **more: Any) -> BrowserContext:
    context = running.new_context(
        viewport=PHONE if phone else WIDE, color_scheme="dark" if dark else "light", reduced_motion="reduce", **more
    )
    context.set_default_timeout(15_000)
    return context


def opens(page: Page, url: str) -> bool:
    """Go to a whole page; whether this role may see it."""
    answer = page.goto(url)
    assert answer is not None
    assert answer.status in {200, 403}, f"{url}: {answer.status}"
    assert answer.text().lstrip().startswith("<!doctype html>"), f"{url} is a fragment: places.FRAGMENTS"
    return answer.status == 200
