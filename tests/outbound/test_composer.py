"""The composer's form: what is wrong stands where the eye is, and what was typed comes back."""

import base64
import io
import json
import re

import pytest

from outbound import deliveries
from outbound.downloads.folder import folder_of
from outbound.downloads.targets import size_of
from outbound.operations.registry import OPERATIONS, filled
from outbound.operations.types import CallInput
from outbound.projects import Credentials, Project
from outbound.request.compose import compose
from tests.commands.conftest import terminal_of
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_downloads import EXPORT, lines
from tests.relay import Browser, Relay

ALONE = Project(1, "p", "us", "1", None, None, None, None, None, 0, 0, None, None)
NOW = 1_795_500_000_000
CSV = "sku,name\nA-1,Desk\nA-2,Chair\n"


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("admin")


def last(relay: Relay) -> deliveries.Delivery:
    return relay.database.read(lambda db: deliveries.search(db, deliveries.Filter(), 2**62, 1))[0]


def test_a_send_that_is_stopped_says_why_beside_the_button_and_shows_the_first_wrong_field(browser: Browser) -> None:
    typed = {"operation": "import-events", "project": "prod", "p.distinct_id": "null", "p.time": "never", "do": "send"}
    seen = browser.post("/send", typed)
    assert seen.status_code == 422
    beside = seen.text[seen.text.index('id="stops"') : seen.text.index(">Send</button>")]
    assert "<strong>Not sent:</strong> event is missing." in beside
    assert 'href="#f-event" data-fix>Fix</a>' in beside
    assert seen.text.count(" autofocus") == 1
    assert "autofocus" in seen.text[seen.text.index('id="f-event"') :].partition(">")[0]


def test_three_hundred_rows_of_properties_come_back_from_a_form_that_may_hold_files(browser: Browser) -> None:
    rows = {f"k{number}": f"v{number}" for number in range(300)}
    typed = {"operation": "import-events", "project": "prod", "p.event": "Opened", "p.distinct_id": "u"}
    typed |= {"k.properties": [*rows], "v.properties": [*rows.values()]}
    encoding = {"headers": {"HX-Request": "true"}, "content_type": "multipart/form-data"}
    shown = browser.post("/send/preview", typed, **encoding)
    assert shown.status_code == 200
    assert shown.text.count("k299") == shown.text.count("v299") >= 1


def test_a_call_is_picked_and_shown_by_the_name_that_people_know(browser: Browser) -> None:
    assert len({operation.name.lower() for operation in OPERATIONS.values()}) == len(OPERATIONS)
    for typed in ("Segmentation", " segmentation "):
        assert browser.get("/send", query_string={"operation": typed}).location == "/send?operation=segmentation-query"
    page = browser.get("/send?operation=segmentation-query").text
    assert re.search(r'id="operation"[^>]* value="Segmentation"', page)
    assert '<option value="Segmentation">segmentation-query</option>' in page


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.id)
def test_every_field_that_the_checks_demand_is_marked_required(operation) -> None:
    known = filled(operation.examples[0], NOW).params
    given = {name: value for name, value in known.items() if (one := operation.param(name)) and one.required}
    for problem in compose(operation, ALONE, Credentials("t", "a", "s"), CallInput(given), NOW).stops(force=False):
        param = operation.param(problem.field.removeprefix("params."))
        assert param is None or param.required or param.advised, problem


def test_the_table_of_a_call_comes_back_to_be_edited(relay: Relay, browser: Browser) -> None:
    typed = {"operation": "replace-lookup-table", "project": "prod", "p.id": "t-1", "p.csv": CSV, "sure": "yes"}
    assert browser.post("/send", typed).status_code == 303
    page = browser.get(f"/send?operation=replace-lookup-table&delivery={last(relay).id}").text
    assert "A-2,Chair" in page


def test_a_file_is_uploaded_and_comes_back_to_be_left_out(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    content = bytes(range(256))
    typed = {"operation": "raw-request", "project": "prod", "p.method": "POST", "p.url": "/upload", "k.files": "data"}
    assert browser.post("/send", typed | {"u.files": (io.BytesIO(content), "a.bin")}).status_code == 303
    assert content in mixpanel.to("/api/upload")[0].body
    page = browser.get(f"/send?operation=raw-request&delivery={last(relay).id}").text
    assert "a.bin, 256 bytes" in page
    kept = '{"data": {"name": "a.bin", "base64": "' + base64.b64encode(content).decode() + '"}}'
    browser.post("/send", typed | {"k.files": "", "j.files": kept, "d.files": "data", "p.text": "alone"})
    assert mixpanel.to("/api/upload")[1].body == b"alone"


def test_the_page_of_a_long_answer_says_how_much_is_kept_and_has_all_of_it(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    content = lines(20_000)
    mixpanel.script(EXPORT, Answer(body=content))
    typed = {"operation": "raw-event-export", "project": "prod", "p.from_date": "2026-01-01", "p.to_date": "2026-01-01"}
    page = browser.get(browser.post("/send", typed).location).text
    assert "20,000 records" in page
    assert f"The history has kept 256.0 KB of {size_of(len(content))}." in " ".join(page.split())
    found = browser.get(f"/send/history/{last(relay).id}/answer")
    assert (found.data, "attachment" in found.headers["Content-Disposition"]) == (content, True)
    folder_of(relay.app.extensions["runtime"]).remove(
        next(folder_of(relay.app.extensions["runtime"]).path.iterdir()).name
    )
    assert "no longer kept" in browser.get(f"/send/history/{last(relay).id}").text
    assert browser.get(f"/send/history/{last(relay).id}/answer").status_code == 404


@pytest.mark.parametrize("operation", ["import-events", "track-event"])
def test_what_is_shown_is_what_is_sent_however_long_somebody_looks(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, operation: str
) -> None:
    time = re.search(r'name="p.time" value="(\d+)"', browser.get(f"/send?operation={operation}").text)
    assert time is not None
    typed = {"operation": operation, "project": "prod", "p.event": "E", "p.distinct_id": "u", "p.time": time[1]}
    shown = browser.get(browser.post("/send/preview", typed).location).text
    relay.clock.forward(90_000)
    browser.post("/send", typed)
    sent = mixpanel.calls[-1].records[0]["properties"]
    assert sent["time"] == int(time[1])
    assert sent["$insert_id"] in shown


def test_an_event_without_a_time_happens_when_its_preview_was_made(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    typed = {"operation": "track-event", "project": "prod", "p.event": "E", "p.distinct_id": "u"}
    shown = browser.post("/send/preview", typed, headers={"HX-Request": "true"}).text
    seen = re.search(r'name="at" value="(\d+)"', shown)
    assert seen is not None
    insert_id = re.search(r"\$insert_id&#34;</span>: <span[^>]*>&#34;([^&]+)", shown)
    assert insert_id is not None
    relay.clock.forward(90_000)
    browser.post("/send", typed | {"at": seen[1]})
    sent = mixpanel.calls[-1].records[0]["properties"]
    assert (sent["time"], sent["$insert_id"]) == (int(seen[1]) // 1000, insert_id[1])


@pytest.mark.parametrize("at", ["9" * 17, "-1", "1.5", "soon", "0"])
def test_no_form_says_that_its_preview_was_made_at_another_time(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, at: str
) -> None:
    typed = {"operation": "track-event", "project": "prod", "p.event": "E", "p.distinct_id": "u", "at": at}
    browser.post("/send", typed)
    assert mixpanel.calls[-1].records[0]["properties"]["time"] == relay.clock() // 1000


@pytest.mark.parametrize("body", [None, [{"event": "E", "properties": {"distinct_id": "u", "time": 1_700_000_000}}]])
def test_sent_again_is_the_same_event_or_a_new_one_as_was_asked(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, body: object
) -> None:
    typed = {"operation": "import-events", "project": "prod", "p.time": "1700000000"}
    typed |= {"body": json.dumps(body)} if body else {"p.event": "E", "p.distinct_id": "u"}
    browser.post("/send", typed)
    first = last(relay).id
    relay.clock.forward(90_000)
    for how in ({}, {"as": "new", "sure": "yes"}):
        assert browser.post(f"/send/history/{first}/again", how).status_code == 303
    sent, same, new = (call.records[0]["properties"] for call in mixpanel.calls)
    assert sent == same
    assert new["time"] == relay.clock() // 1000
    assert new["$insert_id"] != sent["$insert_id"]


def test_an_event_without_a_time_is_sent_again_with_the_one_it_had(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    given = ["--param", "event=E", "--param", "distinct_id=u"]
    terminal_of(relay.app)("send", "track-event", "--project", "prod", *given)
    relay.clock.forward(90_000)
    browser.post(f"/send/history/{last(relay).id}/again")
    assert mixpanel.calls[0].records == mixpanel.calls[1].records
