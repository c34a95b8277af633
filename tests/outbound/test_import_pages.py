"""Imports from the pages: upload, look through, begin, pause, go on, cancel, and the failed records to take away."""

import gzip
import io
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from blueprints.outbound.import_preview import LOOKED_AT
from outbound.imports import jobs, runner, uploads
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import TOKEN, runtime_of
from tests.relay import Browser, Relay

EVENTS = [{"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": f"u{n}"}} for n in range(3)]
ILLEGAL = {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "null"}}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def upload(browser: Browser, content: str, kind: str = "events", name: str = "file.ndjson") -> Any:
    form = {"project": "prod", "kind": kind, "file": (io.BytesIO(content.encode()), name)}
    return browser.post("/send/imports", form, content_type="multipart/form-data")


def lines(*records: Any) -> str:
    return "\n".join(map(json.dumps, records))


def state(relay: Relay) -> str:
    return relay.database.read(lambda db: jobs.listed(db, 2**62, 1))[0].state


def work(relay: Relay) -> None:
    runner.run_due(runtime_of(relay), threading.Event())


def test_nothing_is_sent_before_somebody_has_seen_what_is_in_the_file(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    page = browser.get(upload(browser, lines(*EVENTS, ILLEGAL, 5)).location).text
    assert "1 record of 5 cannot be sent" in page
    assert "Line 5" in page
    assert "1 id means nobody to Mixpanel" in page
    work(relay)
    assert (state(relay), mixpanel.calls) == ("ready", [])


@pytest.mark.parametrize("good", [1, 3])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_question_counts_what_leaves(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, good: int, bad: int
) -> None:
    place = upload(browser, lines(*EVENTS[:good], *range(bad))).location
    page = browser.page(place)
    left_out = f" ({bad} left out)" if bad else ""
    assert f"Send {good} record{'s' if good > 1 else ''}{left_out}?" in page
    browser.post(f"{place}/start")
    work(relay)
    assert sum(len(call.json) for call in mixpanel.calls) == good


def test_a_file_that_was_not_looked_through_to_its_end_claims_no_number(relay: Relay, browser: Browser) -> None:
    many = [*EVENTS * (LOOKED_AT // len(EVENTS)), *EVENTS]
    page = browser.page(upload(browser, lines(*many)).location)
    assert f"Send what can be sent of {len(many):,} records?" in page


def test_an_import_begins_runs_and_offers_what_failed(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    place = upload(browser, lines(*EVENTS, ILLEGAL)).location
    assert browser.post(f"{place}/start", {"strict": "1"}).status_code == 303
    assert "About to begin" in browser.get(place).text
    work(relay)
    page = browser.get(place).text
    assert "Done, with failed records" in page
    assert "is an id that Mixpanel throws away" in page
    assert json.loads(browser.get(f"{place}/failed.ndjson").text) == ILLEGAL
    assert browser.get(f"{place}/failed.csv").text.splitlines()[1].startswith("4,refused,properties.distinct_id,")
    assert len(mixpanel.calls[0].records) == 3


def test_the_columns_of_a_csv_are_guessed_and_can_be_changed(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    place = upload(browser, "who,when,plan\nu1,1750000000,pro\n", name="t.csv").location
    assert "cannot be sent" in browser.get(place).text
    form = {"column.0": "distinct_id", "column.1": "time", "column.2": "property", "always.event": "Bought"}
    browser.post(f"{place}/columns", form)
    assert "The one record can be sent" in browser.get(place).text
    browser.post(f"{place}/start", {})
    work(relay)
    sent = mixpanel.calls[0].records[0]
    assert sent["event"] == "Bought"
    assert sent["properties"].items() >= {"distinct_id": "u1", "time": 1_750_000_000, "plan": "pro"}.items()


def test_it_is_paused_goes_on_and_is_cancelled_after_a_question(relay: Relay, browser: Browser) -> None:
    place = upload(browser, lines(*EVENTS)).location
    browser.post(f"{place}/start", {})
    browser.post(f"{place}/pause", {})
    assert state(relay) == "paused"
    browser.post(f"{place}/resume", {})
    assert state(relay) == "waiting"
    assert "cannot be resumed" in browser.get(f"{place}/cancel").text
    browser.post(f"{place}/cancel", {})
    assert state(relay) == "cancelled"
    assert "Nothing to cancel" in browser.get(f"{place}/cancel").text
    work(relay)
    assert state(relay) == "cancelled"


@pytest.mark.parametrize(("content", "says"), [("", "empty"), ("\x00\x01", "no text file")])
def test_a_file_that_is_none_is_refused_beside_its_field_and_not_kept(
    relay: Relay, browser: Browser, content: str, says: str
) -> None:
    answer = upload(browser, content)
    assert answer.status_code == 422
    assert says in answer.text
    assert list(runtime_of(relay).uploads.iterdir()) == []


def test_a_file_that_is_too_large_is_refused(make_relay: Any) -> None:
    relay = make_relay(max_import_mb=1)
    browser = relay.sign_in("operator")
    assert upload(browser, "x" * 3_000_000).status_code == 413


def test_other_forms_stay_small(relay: Relay, browser: Browser) -> None:
    assert browser.post("/people/search", {"q": "x" * 2_000_000}).status_code == 413


def cohort_of(relay: Relay) -> int:
    relay.refresh([{"mixpanel_distinct_id": f"m{n}", "email": f"m{n}@example.org"} for n in range(12)])
    found: int = relay.database.read(lambda db: db.execute(text("SELECT id FROM cohort")).scalar_one())
    return found


def test_each_member_of_a_cohort_gets_an_event_after_ten_were_seen_and_the_number_typed(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    cohort = cohort_of(relay)
    assert f"/send/cohorts/{cohort}" in browser.get(f"/cohorts/{cohort}").text
    form = browser.get(f"/send/cohorts/{cohort}").text
    template = re.search(r'<textarea id="template"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    assert template is not None
    typed = {"kind": "events", "project": "prod", "template": template[1].replace("&#34;", '"')}
    place = browser.post(f"/send/cohorts/{cohort}", typed).location
    assert browser.get(place).text.count('aria-label="Record ') == 10
    assert "Send 12 records?" in browser.page(place)
    browser.post(f"{place}/start", {"count": "11"})
    assert state(relay) == "ready"
    browser.post(f"{place}/start", {"count": "12"})
    work(relay)
    assert sorted(one["properties"]["distinct_id"] for one in mixpanel.calls[0].records) == sorted(
        f"m{n}" for n in range(12)
    )


def test_a_template_that_cannot_be_filled_in_keeps_what_was_typed(relay: Relay, browser: Browser) -> None:
    cohort = cohort_of(relay)
    answer = browser.post(f"/send/cohorts/{cohort}", {"kind": "people", "project": "prod", "template": '{"$set": {}}'})
    assert answer.status_code == 422
    assert "stands nowhere in it" in answer.text
    assert "$set" in answer.text


def test_no_token_stands_on_the_page_of_an_import(relay: Relay, browser: Browser) -> None:
    page = browser.get(upload(browser, lines({"$distinct_id": "u1", "$set": {"a": 1}}), "people").location).text
    assert "••••" in page
    assert TOKEN not in page


def held(relay: Relay) -> list[Path]:
    return list(runtime_of(relay).uploads.iterdir())


def test_the_upload_of_an_import_goes_when_it_is_cancelled(relay: Relay, browser: Browser) -> None:
    place = upload(browser, lines(*EVENTS)).location
    assert len(held(relay)) == 1
    browser.post(f"{place}/cancel", {})
    assert held(relay) == []


def test_an_import_that_nobody_begins_ends_and_its_upload_goes(relay: Relay, browser: Browser) -> None:
    place = upload(browser, lines(*EVENTS)).location
    (path,) = held(relay)
    os.utime(path, (0, 0))
    uploads.tidy(relay.database, runtime_of(relay).uploads, relay.clock() + (uploads.DRAFT_DAYS - 1) * uploads.DAY)
    assert (state(relay), held(relay)) == ("ready", [path])
    uploads.tidy(relay.database, runtime_of(relay).uploads, relay.clock() + (uploads.DRAFT_DAYS + 1) * uploads.DAY)
    assert (state(relay), held(relay)) == ("cancelled", [])
    assert "Nobody began it within 7 days" in browser.get(place).text


def test_a_file_that_no_row_names_is_removed_once_it_is_old(relay: Relay, browser: Browser) -> None:
    upload(browser, lines(*EVENTS))
    (kept,) = held(relay)
    os.utime(kept, (0, 0))
    (lost, young) = (runtime_of(relay).uploads / name for name in ("lost", "young"))
    lost.write_text("u1")
    young.write_text("u1")
    os.utime(lost, (0, 0))
    uploads.tidy(relay.database, runtime_of(relay).uploads, relay.clock())
    assert sorted(held(relay)) == sorted([kept, young])


@pytest.mark.parametrize(
    "content",
    [b"\x1f\x8b", gzip.compress(b"id,b\nu,1\n" * 99)[:-9], b"a,a\n1,2\n", b'"' + b"x" * 200_000 + b"\n"],
    ids=["two bytes of gzip", "cut gzip", "two heads alike", "one long head"],
)
def test_a_damaged_upload_is_answered_in_a_sentence_and_not_kept(
    relay: Relay, browser: Browser, content: bytes
) -> None:
    form = {"project": "prod", "kind": "events", "file": (io.BytesIO(content), "x.csv")}
    assert browser.post("/send/imports", form, content_type="multipart/form-data").status_code == 422
    assert held(relay) == []


def test_what_is_advised_against_is_sent_and_counted(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    long = {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "u9", "url": "x" * 300}}
    twin = {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "u0"}}
    place = upload(browser, lines(*EVENTS, long, twin)).location
    assert "1 text will be cut" in browser.get(place).text
    browser.post(f"{place}/start", {})
    work(relay)
    page = browser.get(place).text
    assert "1 text will be cut" in page
    assert "1 event is equal to one before it" in page
    assert len(mixpanel.calls[0].records) == 5


def test_options_of_profiles_stand_in_every_update(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    place = upload(browser, lines({"$distinct_id": 42, "$set": {"a": 1}}), "people").location
    browser.post(f"{place}/start", {"ignore_time": "1", "keep_place": "1", "ignore_alias": "1"})
    work(relay)
    said = {"$distinct_id": "42", "$ignore_time": True, "$ip": 0, "$ignore_alias": True}
    assert mixpanel.calls[0].records[0].items() >= said.items()


def test_the_offset_of_an_old_dump_is_taken_from_its_times(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    place = upload(browser, lines(*EVENTS)).location
    assert "number of hours" in browser.post(f"{place}/start", {"time_offset": "west"}).text
    browser.post(f"{place}/start", {"time_offset": "-8"})
    work(relay)
    assert mixpanel.calls[0].records[0]["properties"]["time"] == 1_750_000_000 + 8 * 3600


def test_events_that_are_about_nobody_are_sent_so(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    place = upload(browser, "event,time\nE,1750000000\n", name="t.csv").location
    browser.post(f"{place}/columns", {"column.0": "event", "column.1": "time", "nobody": "1"})
    browser.post(f"{place}/start", {})
    work(relay)
    assert mixpanel.calls[0].records[0]["properties"]["distinct_id"] == ""


def test_two_columns_cannot_be_one(relay: Relay, browser: Browser) -> None:
    place = upload(browser, "a,b\n1,2\n", name="t.csv").location
    answer = browser.post(f"{place}/columns", {"column.0": "event", "column.1": "event"})
    assert answer.status_code == 422
    assert "only one column can be event" in answer.text
