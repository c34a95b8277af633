"""Two calls beside one another: what differs, part by part, and which two can be compared."""

import re

import pytest

from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_pages import EVENT
from tests.relay import Browser, Relay


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def sent(browser: Browser, **changed: str) -> str:
    return str(browser.post("/send", EVENT | changed).location).rpartition("/")[2]


def cells(page: str) -> list[list[str]]:
    """The text of each cell, row by row."""
    rows = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0].split("</tr>")[:-1]
    return [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)]
        for row in rows
    ]


def test_what_differs_between_two_calls_is_told(browser: Browser, mixpanel: Mixpanel) -> None:
    first = sent(browser)
    mixpanel.script("/api/import", Answer(400, {"code": 400, "error": "no"}))
    second = sent(browser, **{"p.event": "1"})
    page = browser.page(f"/send/history/compare?of={second}&of={first}")
    found = {row[1]: tuple(row[2:]) for row in cells(page)}
    assert found["[0].event"] == ("Signed up", "&#34;1&#34;")
    assert found["code"] == ("200", "400")
    assert found["verdict"] == ("accepted", "rejected")
    assert found["error"][1] == "no"
    assert "url" not in found


def test_one_call_is_compared_with_the_one_before(browser: Browser) -> None:
    first = sent(browser)
    browser.post("/send", {"operation": "me", "project": "prod"})
    second = sent(browser, **{"p.distinct_id": "u2"})
    page = browser.page(f"/send/history/compare?of={second}")
    assert f"Call {first}" in page
    assert "[0].properties.distinct_id" in page


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Choose two calls"),
        ("of=1", "There is no earlier call"),
        ("of=1&of=2", "two different calls"),
        ("of=1&of=2&of=3", "Choose two calls"),
        ("of=99999&of=1", "Choose two calls"),
        ("of=x&of=-1", "Choose two calls"),
    ],
)
def test_what_cannot_be_compared_says_why(browser: Browser, query: str, says: str) -> None:
    sent(browser)
    browser.post("/send", {"operation": "me", "project": "prod"})
    assert says in browser.page(f"/send/history/compare?{query}")
