"""Where the reader of a long list is, and the way to its other pages: the same on every list."""

import html
import re

import pytest

from tests.relay import Browser, Relay


def link(page: str, word: str) -> str | None:
    """The address behind `word` in the pager; None where it leads nowhere."""
    found = re.search(rf'<a class="button" href="([^"]+)"[^>]*>{word}</a>', page)
    return html.unescape(found[1]) if found else None


def says(page: str) -> str:
    found = re.search(r'<nav class="pager".*?<span class="quiet small">([^<]*)</span>', page, re.DOTALL)
    return found[1] if found else ""


@pytest.fixture
def browser(relay: Relay) -> Browser:
    relay.refresh([f"p{number:03}" for number in range(230)])
    return relay.sign_in("viewer")


def test_a_list_tells_where_its_reader_is(browser: Browser) -> None:
    path, told = "/cohorts/1?range=90d", []
    while path:
        page = browser.page(path)
        told.append(says(page))
        path = link(page, "Next") or ""
    assert told == ["1 to 50 of 230", "51 to 100 of 230", "101 to 150 of 230", "151 to 200 of 230", "201 to 230 of 230"]


def test_previous_leads_back_through_the_same_pages_and_first_to_the_first(browser: Browser) -> None:
    seen = ["/cohorts/1"]
    while following := link(browser.page(seen[-1]), "Next"):
        seen.append(following)
    back = [seen[-1]]
    while previous := link(browser.page(back[-1]), "Previous"):
        back.append(previous)
    assert back == seen[::-1]
    assert {link(browser.page(path), "First") for path in seen[1:]} == {seen[0]}
    assert link(browser.page(seen[0]), "First") is None


def test_a_list_of_one_page_has_no_pager(relay: Relay) -> None:
    relay.refresh(["A"])
    assert 'class="pager"' not in relay.sign_in("viewer").page("/cohorts/1")


def test_pages_of_those_who_entered_lately_count_on_without_a_total(relay: Relay) -> None:
    relay.refresh([f"p{number}" for number in range(120)])
    browser = relay.sign_in("viewer")
    second = browser.page(link(browser.page("/cohorts/1?since=7d"), "Next") or "")
    assert says(second) == "51 to 100"
    assert link(second, "Previous") == "/cohorts/1?since=7d"


def test_another_stretch_of_the_charts_keeps_the_page_of_members(browser: Browser) -> None:
    second = browser.page(link(browser.page("/cohorts/1"), "Next") or "")
    other = re.search(r'id="range-90d" href="([^"]+)"', second)
    assert other is not None
    assert says(browser.page(html.unescape(other[1]))) == "51 to 100 of 230"


def test_an_address_leads_back_through_forty_pages_at_most(relay: Relay) -> None:
    relay.refresh([f"p{number}" for number in range(60)])
    browser = relay.sign_in("viewer")
    trail = ",".join(f"{50 * number}:{number}" for number in range(1, 100))
    page = browser.page(f"/cohorts/1?after=50&seen=5000&back={trail}")
    behind = link(page, "Previous")
    assert behind is not None
    assert behind.count(":") == 39
    assert behind.startswith("/cohorts/1?after=99&seen=4950&")


@pytest.mark.parametrize("back", ["x", ":", "1:", ":1", "1:<b>", "-1:5", "5:" + "9" * 100, "%00:%00", ","])
def test_what_is_no_way_back_leads_to_the_first_page(browser: Browser, back: str) -> None:
    assert link(browser.page(f"/cohorts/1?after=10&seen=50&back={back}"), "Previous") == "/cohorts/1"
