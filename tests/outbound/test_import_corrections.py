"""Failed records of an import: shown with their values, corrected on the page, and sent again as their own import."""

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.outbound import import_corrections
from outbound.imports.failures import Failure
from tests.mixpanel import Mixpanel
from tests.outbound.test_import_pages import ILLEGAL, lines, upload, work
from tests.relay import Browser, Relay

GOOD = {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "u1"}}
LATE = {
    "event": "e",
    "properties": {"time": "yesterday", "distinct_id": "u2", "seats": 3, "note": 'a "b"', "id": "007"},
}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def failing(relay: Relay, browser: Browser) -> str:
    """An import of which lines 2 to 4 failed: an id of nobody, no time, no JSON."""
    place: str = upload(browser, "\n".join([lines(GOOD, ILLEGAL, LATE), "oops"])).location
    browser.post(f"{place}/start", {"strict": "1"})
    work(relay)
    return place


def filled(page: str) -> dict[str, list[str]]:
    """The values of the form as a browser would send them."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input name="(value\.\d+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(html.unescape(value))
    for name, value in re.findall(r'<textarea id="text-\d+" name="(text\.\d+)"[^>]*>([^<]*)</textarea>', page):
        found[name] = [html.unescape(value)]
    return found


def sent(mixpanel: Mixpanel) -> list[dict[str, Any]]:
    return [one for call in mixpanel.calls for one in call.records]


def test_failed_records_are_corrected_and_sent_again(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    place = failing(relay, browser)
    assert f'href="{place}/failed"' in browser.get(place).text
    form = filled(browser.get(f"{place}/failed").text)
    assert form["value.3"][:5] == ["e", "yesterday", "u2", "3", 'a "b"']
    form["value.3"][1] = "1750000001"
    answer = browser.post(f"{place}/failed", form | {"take": ["3"]})
    assert answer.status_code == 303
    again = answer.location
    assert "The one record can be sent" in browser.get(again).text
    browser.post(f"{again}/start", {})
    work(relay)
    properties = sent(mixpanel)[-1]["properties"]
    assert properties.items() >= (LATE["properties"] | {"time": 1_750_000_001}).items()  # type: ignore[operator]
    assert "It was corrected in" in browser.get(f"{place}/failed").text
    assert re.findall(r'name="take" value="(\d)" checked', browser.get(f"{place}/failed").text) == ["2", "4"]


def test_what_is_wrong_still_is_said_beside_its_record_and_what_was_typed_stays(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    place = failing(relay, browser)
    form = filled(browser.get(f"{place}/failed").text)
    form["value.3"][1] = "tomorrow"
    form["value.3"][4] = "typed & kept"
    form["text.4"] = ['{"event": ']
    answer = browser.post(f"{place}/failed", form | {"take": ["3", "4"]})
    assert answer.status_code == 422
    assert "It is no time" in answer.text
    assert "No JSON object" in answer.text
    again = filled(answer.text)
    assert (again["value.3"], again["text.4"]) == (form["value.3"], form["text.4"])
    assert re.findall(r'name="take" value="(\d)" checked', answer.text) == ["3", "4"]
    nothing = browser.post(f"{place}/failed", form)
    assert (nothing.status_code, "Tick the records" in nothing.text) == (422, True)
    assert len(mixpanel.calls) == 1


def test_viewers_may_look_and_not_send(relay: Relay, browser: Browser) -> None:
    place = failing(relay, browser)
    viewer = relay.sign_in("viewer")
    page = viewer.get(f"{place}/failed").text
    assert "Import the ticked records" not in page
    assert viewer.post(f"{place}/failed", {"take": "3"}).status_code == 403


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(record=st.dictionaries(st.text(max_size=6), json_values, min_size=1, max_size=6))
def test_a_record_that_nobody_touched_is_sent_as_it_was(record: dict[str, Any]) -> None:
    written = json.dumps(record, ensure_ascii=False)
    found = import_corrections._as_kept(Failure(1, "rejected", None, "", written))
    assert not any(set(value) & {"\n", "\r"} for _, value in found.values)  # a field of one line would lose them
    if found.values:
        assert json.dumps(found.record()) == json.dumps(json.loads(written))
    else:
        assert found.text == written
