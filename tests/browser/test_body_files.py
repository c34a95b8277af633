"""A body from a file: it leaves the browser once, is checked as it comes, and what was typed stays."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Mixpanel

LOOKUP = "/send?operation=replace-lookup-table"
EVENTS = "/send?operation=import-events"


@pytest.fixture
def page(running, signed_in, mixpanel: Mixpanel) -> Iterator[Page]:
    context = chromium.context_of(running, storage_state=signed_in)
    mixpanel.calls.clear()
    mixpanel.forget()
    yield context.new_page()
    context.close()


def test_a_table_leaves_the_browser_once_and_is_sent_from_the_relay(
    page: Page, sending: Server, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    table = tmp_path / "products.csv"
    table.write_text("sku,name\n" + "".join(f"A-{number},{'x' * 500}\n" for number in range(4000)))
    large: list[str] = []
    page.on("request", lambda sent: large.append(sent.url) if int(sent.headers.get("content-length", 0)) > 10**6 else 0)
    page.goto(sending.url + LOOKUP)
    page.get_by_label("Lookup table required").fill("t-1")
    page.get_by_label("Or from a file").set_input_files(table)
    expect(page.locator("#body-file")).to_contain_text("products.csv")
    expect(page.get_by_label("Another file")).to_be_focused()
    expect(page.locator("#request .json")).to_contain_text("A-0,xxx")
    page.get_by_label("Lookup table required").fill("t-2")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#answered")).to_contain_text("Accepted")
    expect(page.get_by_label("Lookup table required")).to_have_value("t-2")
    assert mixpanel.calls[0].body == table.read_bytes()
    assert len(large) <= 1


def test_wrong_lines_are_named_and_another_file_takes_the_place(
    page: Page, sending: Server, mixpanel: Mixpanel, tmp_path: Path, expects: Callable[[str], None]
) -> None:
    expects("422")
    events = tmp_path / "events.ndjson"
    good = json.dumps({"event": "Opened", "properties": {"time": 1763971200, "distinct_id": "ada"}}) + "\n"
    events.write_text(good + "{\n")
    page.goto(sending.url + EVENTS)
    page.get_by_text("As JSON: one record, or many").click()
    page.get_by_label("Or from a file").set_input_files(events)
    expect(page.locator("#request")).to_contain_text("Line 2: No JSON object")
    events.write_bytes(b"PK\x03\x04")
    page.get_by_label("Another file").set_input_files(events)
    expect(page.locator("#body-file [role=alert]")).to_contain_text("ZIP file")
    events.write_text(good)
    page.get_by_label("Another file").set_input_files(events)
    expect(page.locator("#request")).to_contain_text("The checks find nothing wrong")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#answered")).to_contain_text("1 record accepted.")
    assert mixpanel.calls[0].records[0]["event"] == "Opened"
