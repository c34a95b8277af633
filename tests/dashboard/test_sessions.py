"""The sessions' list, and one session with its pages."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.relay import MINUTE, SECOND, Browser, Relay


def visible(html: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def one(relay: Relay, browser: Browser, number: int | None = None) -> str:
    return visible(browser.page(f"/sessions/{relay.session(number)['id']}"))


def cells(html: str) -> list[tuple[str, str]]:
    """State and words of each cell of the strip."""
    strip = re.search(r'<ul class="strip".*?</ul>', html, re.DOTALL)
    return [] if strip is None else re.findall(r'<li class="(\w+)" title="([^"]+)">', strip[0])


def strip(relay: Relay, browser: Browser) -> list[tuple[str, str]]:
    return cells(browser.page(f"/sessions/{relay.session()['id']}"))


def polls(relay: Relay, browser: Browser) -> bool:
    return "hx-trigger" in browser.page(f"/sessions/{relay.session()['id']}/now")


# --- the list


def listed(browser: Browser, **filters: Any) -> list[str]:
    html = browser.get("/sessions", query_string=filters).text
    return re.findall(r'<th scope="row"><a href="/sessions/\d+">([^<]+)</a>', html)


def fill(relay: Relay) -> None:
    relay.refresh(["A"], session="1")
    relay.add(["B"], session="2")
    relay.remove(["A"], session="3")
    relay.refresh(["A"], 1, 2, session="4", cohort="8", name="Trial 100%")


def test_the_list_says_what_each_cycle_is_newest_first(relay: Relay) -> None:
    fill(relay)
    assert listed(relay.sign_in("viewer")) == [
        "Refresh of Trial 100%",
        "Diff of Paying users",
        "Refresh of Paying users",
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"status": "complete"}, 2),
        ({"status": ["complete", "receiving"]}, 3),
        ({"status": "receiving"}, 1),
        ({"status": "running"}, 1),
        ({"status": "held"}, 0),
        ({"kind": "refresh"}, 2),
        ({"kind": "diff"}, 1),
        ({"kind": "added"}, 1),
        ({"connection": "crm"}, 3),
        ({"connection": "other"}, 0),
        ({"cohort": "TRIAL"}, 1),
        ({"cohort": "0%"}, 1),
        ({"cohort": "_"}, 0),
        ({"cohort": "7"}, 2),
        ({"cohort": "pay", "kind": "refresh", "status": "complete"}, 1),
        ({"status": "nonsense", "kind": "nonsense", "before": "nonsense", "when": "x", "change": "x"}, 3),
        ({"cohort": "\0", "connection": "\0", "before": "9" * 30}, 3),
    ],
)
def test_filters_live_in_the_url(relay: Relay, filters: dict[str, Any], count: int) -> None:
    fill(relay)
    assert len(listed(relay.sign_in("viewer"), **filters)) == count


def test_the_list_goes_on_by_key_and_keeps_its_filters(relay: Relay) -> None:
    for number in range(120):
        relay.add([], session=str(number))
    browser = relay.sign_in("viewer")
    lengths, path = [], "/sessions?kind=added&change=none"
    while path:
        html = browser.page(path)
        lengths.append(html.count('<th scope="row">'))
        found = re.search(r'href="([^"]+)" rel="next"', html)
        path = found[1].replace("&amp;", "&") if found else ""
    assert lengths == [50, 50, 20]


def test_an_empty_list_tells_nothing_yet_from_nothing_matches(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    assert "No sessions yet" in browser.page("/sessions")
    fill(relay)
    assert "Clear the filters" in browser.page("/sessions?status=held")


# --- one session


def test_a_session_shows_its_five_numbers_as_links(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="before")
    relay.refresh(["A", "C", None], session="s")
    html = relay.sign_in("viewer").page(f"/sessions/{relay.session()['id']}")
    found = re.findall(r'/members/(\w+)"><strong>([\d,]+)</strong>', html)
    assert found == [("received", "3"), ("entered", "1"), ("left", "1"), ("unchanged", "1"), ("rejected", "1")]


def test_what_is_not_there_is_not_found(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    for path in ("/sessions/1", "/sessions/1/now", "/sessions/1/members/left", f"/sessions/{10**30}"):
        assert browser.get(path).status_code == 404


def test_progress_says_pages_pace_and_the_expected_end(relay: Relay) -> None:
    relay.refresh(["A", "B"], 1, 10, session="s")
    relay.clock.forward(4 * SECOND)
    relay.refresh(["C", "D"], 2, 10, session="s")
    words = one(relay, relay.sign_in("viewer"))
    assert "Receiving 2 of 10 pages, done in about 32 s" in words
    assert "Missing 3 to 10" in words
    assert "When the 8 missing pages are here, those whom no page named leave." in words
    assert "Wait between pages p50 4 s · p99 4 s · longest 4 s" in words


def test_it_refreshes_itself_only_while_it_runs(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    relay.refresh(["A"], 1, 2)
    assert polls(relay, browser)
    relay.refresh(["B"], 2, 2)
    assert not polls(relay, browser)


def test_a_settling_session_polls_and_says_when_it_ends(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    relay.refresh(["A"], page=None)
    assert polls(relay, browser)
    assert "Settling done in 2 min unless another page comes" in one(relay, browser)
    assert "Mixpanel did not say how many there are" in one(relay, browser)
    relay.settle()
    assert not polls(relay, browser)


def test_a_sweeping_session_says_so(make_relay: Any) -> None:
    relay = make_relay(sweep_inline_members=1)
    relay.refresh(["A", "B"], session="1")
    relay.work()
    relay.refresh(["A"], session="2")
    browser = relay.sign_in("viewer")
    assert "Those whom no page named leave now, in steps" in one(relay, browser)
    assert polls(relay, browser)


def test_a_stalled_session_says_since_when_and_that_nobody_left(relay: Relay) -> None:
    relay.refresh(["A"], 1, 10)
    relay.clock.forward(MINUTE)
    relay.refresh(["B"], 2, 10)
    relay.wait(19 * MINUTE)
    browser = relay.sign_in("viewer")
    assert "Pages 3 to 10 are missing; the last page came 19 min ago. Nobody has left." in one(relay, browser)
    assert not polls(relay, browser)


def test_a_superseded_session_leads_to_the_newest(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2, session="1")
    relay.refresh(["B"], session="2")
    html = relay.sign_in("viewer").page(f"/sessions/{relay.session(1)['id']}")
    assert "A newer refresh began before this one was complete" in html
    assert f'href="/sessions/{relay.session(2)["id"]}">See the newest refresh' in html


def held(relay: Relay) -> dict[str, Any]:
    relay.refresh([f"m{number}" for number in range(200)], session="1")
    relay.refresh(["m1"], session="2")
    return relay.session()


def test_a_held_session_leads_to_the_decision(relay: Relay) -> None:
    session = held(relay)
    html = relay.sign_in("viewer").page(f"/sessions/{session['id']}")
    assert "This refresh would remove 199 of 200 members. Everyone stays until you decide." in html
    assert f'href="/cohorts/{session["cohort_id"]}/held"' in html


@pytest.mark.parametrize(
    ("decision", "status", "says"),
    [
        ("approved", "complete", "an operator approved it"),
        ("rejected", "superseded", "an operator rejected that"),
        ("agreed", "complete", "it went through by itself"),
    ],
)
def test_the_decision_is_told(relay: Relay, decision: str, status: str, says: str) -> None:
    session = held(relay)
    change = text("UPDATE sync_session SET decision = :decision, status = :status WHERE id = :id")
    relay.database.write(lambda db: db.execute(change, {"decision": decision, "status": status, "id": session["id"]}))
    assert says in one(relay, relay.sign_in("viewer"))


def test_an_empty_diff_is_a_sign_of_life(relay: Relay) -> None:
    relay.add([])
    assert "An empty diff is Mixpanel's sign of life".replace("'", "&#39;") in one(relay, relay.sign_in("viewer"))
