"""A long answer on its page: it is seen to come, cancelled, broken off, and taken away whole."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Answer, Mixpanel

EXPORT = "/export/export"
LINES = "".join(
    json.dumps({"event": "Opened", "properties": {"distinct_id": f"u{number}", "time": 1_763_000_000}}) + "\n"
    for number in range(1000)
).encode()


class Coming:
    """An answer that comes piece by piece until `end` is set, or for a minute."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.sent = 0

    def pieces(self) -> Iterator[bytes]:
        for _ in range(600):
            if self.end.is_set() and self.sent > 10:
                return
            self.sent += 1
            yield LINES
            time.sleep(0.1)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, signed_in, mixpanel: Mixpanel):
    context = chromium.context_of(running, java_script_enabled=request.param, storage_state=signed_in)
    one = context.new_page()
    one.live = request.param
    yield one
    mixpanel.forget()
    context.close()


@pytest.fixture
def coming() -> Iterator[Coming]:
    answer = Coming()
    yield answer
    answer.end.set()


def ask(page, url: str) -> None:
    page.goto(f"{url}/send?operation=raw-event-export")
    for name in ("from_date", "to_date"):
        page.locator(f'[name="p.{name}"]').fill("2026-01-01")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/send/history/\d|delivery=\d"))
    beside = re.search(r"delivery=(\d+)", page.url)  # with JavaScript the answer stands beside the form
    if beside:
        page.goto(f"{url}/send/history/{beside[1]}")


def until(page, holds: Callable[[], bool]) -> None:
    """Wait until the page says so; whoever has no JavaScript asks again."""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(200)
        if not page.live:
            page.goto(page.url)
    raise AssertionError(page.locator("#verdict").inner_text()[:600])


def so_far(page) -> int:
    """Records that have come, by what the page says."""
    told = page.locator("#verdict .note strong", has_text="record")
    return int(told.inner_text().split()[0].replace(",", "")) if told.count() else 0


def ended(page, how: str) -> bool:
    """Whether the page says that the answer ended so."""
    return bool(page.locator("section", has=page.locator("#whole")).locator(".state", has_text=how).count())


def taken_away(page, button: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=button).click()
    return Path(download.value.path()).read_bytes()


def test_it_is_seen_to_come_and_taken_away_whole(page, sending: Server, mixpanel: Mixpanel, coming: Coming) -> None:
    mixpanel.script(EXPORT, Answer(pieces=coming.pieces))
    ask(page, sending.url)
    until(page, lambda: so_far(page) > 0)
    first = so_far(page)
    assert page.get_by_label("The answer is coming").count() == 1
    until(page, lambda: so_far(page) > first)
    coming.end.set()
    until(page, lambda: ended(page, "Whole"))
    assert page.get_by_text(f"{coming.sent * 1000:,} records").count() > 0
    assert page.get_by_label("The answer is coming").count() == 0
    assert taken_away(page, "Download all of it") == LINES * coming.sent


def test_it_is_cancelled_and_what_came_is_kept(page, sending: Server, mixpanel: Mixpanel, coming: Coming) -> None:
    mixpanel.script(EXPORT, Answer(pieces=coming.pieces))
    ask(page, sending.url)
    until(page, lambda: so_far(page) > 0)
    page.get_by_role("button", name="Cancel").click()
    until(page, lambda: ended(page, "Cancelled"))
    assert not coming.end.is_set()
    assert page.get_by_role("button", name="Cancel").count() == 0
    content = taken_away(page, "Download what came")
    assert (LINES * coming.sent).startswith(content)
    assert content


def test_one_that_breaks_off_is_said_to_have(page, sending: Server, mixpanel: Mixpanel, coming: Coming) -> None:
    mixpanel.script(EXPORT, Answer(pieces=coming.pieces, cut=True))
    ask(page, sending.url)
    until(page, lambda: so_far(page) > 0)
    coming.end.set()
    until(page, lambda: ended(page, "Broken off"))
    assert not ended(page, "Whole")
    assert taken_away(page, "Download what came") == LINES * coming.sent
