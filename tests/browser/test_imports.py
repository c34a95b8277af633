"""An import from its page, with the worker at work: begun, followed, paused, let go on, and cancelled."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from outbound.imports import jobs
from tests.browser import chromium, demo
from tests.failing.server import Server
from tests.mixpanel import Answer, Call, Mixpanel, in_order

EVENTS = 50_000


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, signed_in, mixpanel: Mixpanel):
    context = chromium.context_of(running, java_script_enabled=request.param, storage_state=signed_in)
    mixpanel.calls.clear()
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


@pytest.fixture
def gate(mixpanel: Mixpanel) -> Iterator[threading.Event]:
    """Mixpanel answers imports once this is set, and then slowly: a worker hears of a pause within a second."""
    open_gate = threading.Event()

    def held(call: Call) -> Answer:
        late = open_gate.is_set()
        open_gate.wait(20)
        return replace(in_order(call), after=2 if late else 0)

    mixpanel.script("/api/import", held)
    yield open_gate
    open_gate.set()
    mixpanel.forget()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "events.ndjson"
    with path.open("w") as written:
        for number in range(EVENTS):
            properties = {"time": 1_763_000_000, "distinct_id": f"u{number}", "$insert_id": f"e-{number}"}
            written.write(json.dumps({"event": "Opened", "properties": properties}) + "\n")
    return path


def begin(page, url: str, file: Path) -> None:
    page.goto(f"{url}/send/imports")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_text("The first 5,000 records can be sent").wait_for()
    page.get_by_role("button", name="Start sending").click()


def until(page, holds: Callable[[], bool]) -> None:
    """Wait until the page says so; whoever has no JavaScript asks again."""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(200)
        if not page.live:
            page.goto(page.url)
    raise AssertionError(page.locator("#import").inner_text())


def accepted(page) -> int:
    return int(page.locator(".numbers li", has_text="accepted").locator("strong").inner_text().replace(",", ""))


def is_let_go(server: Server) -> bool:
    """Whether no worker is at the newest import any more."""
    database = demo.app_of(server).extensions["runtime"].database
    (newest,) = database.read(lambda db: jobs.listed(db, 2**62, 1))
    database.dispose()
    return newest.claimed_by is None


def test_it_is_paused_and_goes_on_where_it_was(
    page, sending: Server, mixpanel: Mixpanel, gate: threading.Event, file: Path
) -> None:
    begin(page, sending.url, file)
    until(page, lambda: bool(mixpanel.calls) and page.get_by_text("Sending").count() > 0)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").first.wait_for()
    gate.set()
    until(page, lambda: is_let_go(sending))
    page.goto(page.url)
    assert 0 < accepted(page) < EVENTS
    mixpanel.forget()
    page.get_by_role("button", name="Resume").click()
    until(page, lambda: page.get_by_text("Done").count() > 0)
    assert accepted(page) == EVENTS
    seen = Counter(one["properties"]["$insert_id"] for call in mixpanel.calls for one in call.records)
    assert (len(seen), set(seen.values())) == (EVENTS, {1})


def test_it_is_cancelled_after_a_question_and_sends_no_more(
    page, sending: Server, mixpanel: Mixpanel, gate: threading.Event, file: Path
) -> None:
    begin(page, sending.url, file)
    until(page, lambda: bool(mixpanel.calls) and page.get_by_text("Sending").count() > 0)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the import").click()
    page.get_by_text("Batches that are under way").wait_for()
    gate.set()
    until(page, lambda: page.get_by_text("What Mixpanel has taken stays there.").count() > 0)
    until(page, lambda: is_let_go(sending))
    assert sum(len(call.records) for call in mixpanel.calls) < EVENTS
    assert page.get_by_role("button", name="Resume").count() == 0
