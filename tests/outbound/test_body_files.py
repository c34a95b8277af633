"""Bodies from files: kept once, checked line by line, sent from the disk, and what was typed stays."""

import gzip
import io
import json
import os
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from outbound import body_files, deliveries
from outbound.operations.registry import OPERATIONS
from outbound.operations.types import CallInput
from outbound.send import ready
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import project_of, runtime_of
from tests.relay import Browser, Relay

TABLE = b"sku,name\nA-1,Desk\nA-2,Chair\n"
NOW = 1_795_500_000_000
RAW = {"operation": "raw-request", "project": "prod", "p.method": "POST", "p.url": "/import", "p.family": "api"}
LOOKUP = {"operation": "replace-lookup-table", "project": "prod", "p.id": "t-1"}
EVENTS = {"operation": "import-events", "project": "prod"}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def event(number: int, **more: Any) -> bytes:
    return json.dumps(
        {"event": "Opened", "properties": {"time": 1_700_000_000 + number, "distinct_id": "u"} | more}
    ).encode()


def kept(browser: Browser, operation: str, content: bytes, name: str = "products.csv") -> Any:
    token = browser.token
    fields = {"csrf_token": token, "operation": operation, "body_upload": (io.BytesIO(content), name)}
    return browser.client.post("/send/files", data=fields, headers={"HX-Request": "true"})


def key_of(answer: Any) -> str:
    found = re.search(r'name="body_file" value="([^"]+)"', answer.text)
    assert found is not None, answer.text
    return found[1]


def files_of(relay: Relay) -> list[Path]:
    return sorted(body_files.folder_of(runtime_of(relay).uploads).glob("*"))


def test_a_table_from_a_file_is_sent_as_it_is_and_its_name_stays_in_the_form(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    answer = kept(browser, "replace-lookup-table", b"\xef\xbb\xbf" + TABLE)
    assert "products.csv" in answer.text
    typed = LOOKUP | {"body_file": key_of(answer)}
    page = browser.get(browser.post("/send", typed | {"do": "check"}).location).text
    assert "products.csv" in page
    assert 'value="t-1"' in page
    assert browser.post("/send", typed | {"sure": "yes"}).status_code == 303
    assert mixpanel.calls[-1].body == TABLE
    told = relay.database.read(lambda db: deliveries.search(db, deliveries.Filter(), 2**62, 1))[0]
    assert (told.given, told.request["body"], told.verdict) == (None, TABLE.decode(), "accepted")


def test_without_javascript_the_file_comes_with_the_form_and_stays_while_the_rest_is_mended(
    browser: Browser, mixpanel: Mixpanel
) -> None:
    token = browser.token
    fields = LOOKUP | {"csrf_token": token, "p.id": "", "do": "send"}
    fields["body_upload"] = (io.BytesIO(TABLE), "products.csv")  # type: ignore[assignment]
    page = browser.client.post("/send", data=fields)
    assert page.status_code == 422
    assert "<strong>products.csv</strong>" in page.text
    assert browser.post("/send", LOOKUP | {"body_file": key_of(page), "sure": "yes"}).status_code == 303
    assert mixpanel.calls[-1].body == TABLE


def test_a_table_with_a_key_twice_stops_the_call_and_force_sends_it(browser: Browser, mixpanel: Mixpanel) -> None:
    key = key_of(kept(browser, "replace-lookup-table", TABLE + b"A-1,Lamp\n"))
    seen = browser.post("/send", LOOKUP | {"body_file": key})
    assert "no key comes twice" in seen.text
    assert mixpanel.calls == []
    assert browser.post("/send", LOOKUP | {"body_file": key, "sure": "forced", "force": "1"}).status_code == 303


@pytest.mark.parametrize("name", ["events.ndjson", "events.json"])
def test_the_first_wrong_lines_of_a_raw_import_are_named_before_anything_is_sent(
    browser: Browser, mixpanel: Mixpanel, name: str
) -> None:
    wrong = [b"{", b'{"event": ""}', event(1, time="soon"), *[b"[]"] * 4]
    content = b"\n".join([event(0), *wrong, event(9)])
    for typed in (
        RAW | {"body_file": key_of(kept(browser, "raw-request", content, name))},
        RAW | {"p.text": content.decode()},
    ):
        page = browser.post("/send", typed | {"do": "check"})
        page = browser.get(page.location) if page.status_code == 303 else page
        says = page.text
        assert "Line 2: No JSON object" in says
        assert "Line 3, event: An event has a name" in says
        assert "Line 4, properties.time: It must be a number" in says
        assert "2 more lines are wrong." in says
    assert mixpanel.calls == []


def test_the_wrong_lines_of_records_are_named_with_their_reasons(browser: Browser, mixpanel: Mixpanel) -> None:
    lines = [event(0), b"", b"{nothing", event(3, time="soon"), event(4, time="soon")]
    key = key_of(kept(browser, "import-events", gzip.compress(b"\n".join(lines)), "events.ndjson.gz"))
    page = browser.get(browser.post("/send", EVENTS | {"body_file": key, "do": "check"}).location).text
    assert "Line 3: No JSON object" in page
    assert "Lines 4, 5: It must be a number" in page
    assert mixpanel.calls == []
    key = key_of(kept(browser, "import-events", b"\n".join([event(0), event(1)]), "events.ndjson"))
    assert browser.post("/send", EVENTS | {"body_file": key, "sure": "yes"}).status_code == 303
    assert [record["properties"]["time"] for record in mixpanel.calls[-1].records] == [1_700_000_000, 1_700_000_001]


def test_what_is_no_text_too_large_or_too_many_is_refused_and_leaves_nothing(
    relay: Relay, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(kept(browser, "replace-lookup-table", TABLE))
    for content, says in ((b"PK\x03\x04zip", "ZIP file"), (b"", "empty"), (b"a,b\n" * 400, "larger than 0 MB")):
        monkeypatch.setattr(body_files, "MOST_BYTES", 1000)
        answer = kept(browser, "replace-lookup-table", content)
        assert (answer.status_code, says in answer.text) == (422, True), answer.text
        assert len(files_of(relay)) == 1
    monkeypatch.setattr(body_files, "MOST_FILES", 1)
    assert "(1) wait already" in kept(browser, "replace-lookup-table", TABLE).text
    assert "products.csv" in browser.post("/send", LOOKUP | {"p.id": "", "body_file": key}).text


def test_a_file_is_nobody_elses_and_goes_an_hour_after_it_was_used(relay: Relay, browser: Browser) -> None:
    key = key_of(kept(browser, "replace-lookup-table", TABLE))
    (path,) = files_of(relay)
    assert "is gone" in relay.sign_in("admin").post("/send", LOOKUP | {"body_file": key}).text
    assert "is gone" in browser.post("/send", RAW | {"body_file": key}).text
    os.utime(path, (1, 1))
    browser.post("/send", LOOKUP | {"body_file": key, "do": "check"})
    body_files.tidy(path.parent)
    assert files_of(relay) == [path]
    os.utime(path, (1, 1))
    body_files.tidy(path.parent)
    assert files_of(relay) == []
    seen = browser.post("/send", LOOKUP | {"body_file": key})
    assert "is gone. Choose it again" in seen.text
    assert 'value="t-1"' in seen.text


def test_the_file_leaves_the_form_where_that_is_ticked(browser: Browser) -> None:
    key = key_of(kept(browser, "replace-lookup-table", TABLE))
    page = browser.get(
        browser.post("/send", LOOKUP | {"body_file": key, "drop_body_file": "1", "do": "check"}).location
    )
    assert "products.csv" not in page.text
    assert "The table is missing" in page.text or "Table is missing" in page.text


def test_a_large_file_is_never_in_memory(relay: Relay, mixpanel: Mixpanel, tmp_path: Path) -> None:
    row = b"%07d," + b"x" * 1000 + b"\n"
    content = tmp_path / "large.csv"
    with content.open("wb") as file:
        file.write(b"sku,name\n")
        file.writelines(row % number for number in range(20_000))
    operation = OPERATIONS["replace-lookup-table"]
    runtime = runtime_of(relay)
    tracemalloc.start()
    with content.open("rb") as source:
        body = body_files.keep(tmp_path / "kept", source, "large.csv", operation, NOW)
    call = ready(runtime, project_of(relay), operation, CallInput({"id": "t-1"}, body))
    assert call.composed.stops(force=False) == []
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert body.size > 20_000_000
