"""Failures: grouped by cause, and one of them with what Mixpanel does next."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.relay import MINUTE, Browser, Relay
from tests.sync.statements import watched

DAY = 24 * 60 * MINUTE


def visible(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def groups(browser: Browser, **filters: str) -> list[str]:
    html = browser.get("/failures", query_string=filters).text
    return [visible(row) for row in re.findall(r'<tr>\s*<th scope="row">.*?</tr>', html, re.DOTALL)]


def last(relay: Relay) -> str:
    return f"/failures/{relay.failures()[-1]['id']}"


def fail(relay: Relay) -> None:
    """Three wrong page numbers over two days, a wrong password, and something that is not JSON."""
    relay.refresh(["A"])
    for _ in range(2):
        relay.clock.forward(1000)
        relay.post("members", ["A"], 0, 10)
    relay.clock.forward(2 * DAY)
    relay.post("members", ["A"], 0, 10)
    relay.clock.forward(4 * MINUTE)
    relay.post_raw("{}", {"Authorization": "Basic bm9ib2R5OndyaXRl"})
    relay.clock.forward(4 * MINUTE)
    relay.post_raw("not json")


def test_failures_are_grouped_by_cause_with_what_comes_next(relay: Relay) -> None:
    fail(relay)
    assert groups(relay.sign_in("viewer")) == [
        "The body is not JSON 400 Mixpanel has paused this sync crm not read 1 just now just now",
        "Wrong username or password 401 Mixpanel has paused this sync crm not read 1 4 min ago 4 min ago",
        "An impossible page number 400 Mixpanel has paused this sync crm Paying users 3 2 d ago 8 min ago",
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"stretch": "24h"}, 3),
        ({"status": "400"}, 2),
        ({"status": "503"}, 0),
        ({"cause": "not_json"}, 1),
        ({"connection": "crm", "status": "401"}, 1),
        ({"connection": "other"}, 0),
        ({"stretch": "nonsense", "status": "nonsense", "cause": "\0", "connection": "\0"}, 3),
    ],
)
def test_filters_live_in_the_url(relay: Relay, filters: dict[str, str], count: int) -> None:
    fail(relay)
    assert len(groups(relay.sign_in("viewer"), **filters)) == count


def test_a_stretch_counts_only_what_is_in_it(relay: Relay) -> None:
    fail(relay)
    (group,) = groups(relay.sign_in("viewer"), stretch="24h", cause="impossible_page")
    assert " Paying users 1 " in group


def test_an_empty_list_tells_none_yet_from_none_here(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    assert "Every call so far was applied" in browser.page("/failures")
    fail(relay)
    assert "Clear the filters" in browser.page("/failures?status=503")
    relay.clock.forward(30 * DAY)
    browser.sign_in()
    assert "Show the last 90 days" in browser.page("/failures")


ROW = text("""
    INSERT INTO failure (at, last_at, count, connection, project_id, cohort_id, action, status, cause, message,
        request_id, body_bytes, traceback)
    VALUES (:at, :at, 1, :connection, '1', :cohort, 'members', 400, 'impossible_page', 'No page.', 'r', 9, NULL)""")


def test_of_many_groups_the_newest_show_and_the_rest_is_counted(relay: Relay) -> None:
    rows: list[dict[str, Any]] = [
        {"at": relay.clock() - number, "connection": "crm", "cohort": str(number % 130)} for number in range(10_000)
    ]
    relay.database.write(lambda db: db.execute(ROW, rows))
    browser = relay.sign_in("viewer")
    with watched(relay) as statements:
        html = browser.page("/failures")
    assert html.count('<th scope="row">') == 100
    assert "And 30 groups more" in html
    assert len(html.encode()) < 200_000
    assert len(statements) <= 12


def test_failures_that_calls_have_followed_ask_for_nobody(relay: Relay) -> None:
    fail(relay)
    browser = relay.sign_in("viewer")
    relay.clock.forward(MINUTE)
    relay.refresh(["A"], session="after")
    assert groups(browser) == [
        "The body is not JSON 400 Over: Mixpanel's next call came through crm not read 1 1 min ago 1 min ago",
        "Wrong username or password 401 Over: Mixpanel's next call came through crm not read 1 5 min ago 5 min ago",
        "An impossible page number 400 Over: Mixpanel's next call came through crm Paying users 3 2 d ago 9 min ago",
    ]
    assert "Calls of this connection have come through since" in browser.page(last(relay))


# --- one failure


def test_a_failure_says_what_we_answered_and_what_mixpanel_does_next(relay: Relay) -> None:
    relay.refresh(["A"])
    for _ in range(3):
        relay.clock.forward(1000)
        answered = relay.post("members", ["A"], 0, 10).json
    relay.clock.forward(4 * MINUTE)
    browser = relay.sign_in("viewer")
    with watched(relay) as statements:
        html = browser.page(last(relay))
    assert answered is not None
    assert f"<pre>{answered['error']['message']}</pre>" in html
    words = visible(html)
    assert "3 times since 2025-06-15 15:06:41 UTC, last 4 min ago" in words
    assert "sync and mailed the people who set it up." in words
    assert "Start the sync again" in words
    assert "POST /webhooks/mixpanel/crm" in words
    assert f'href="/cohorts/{relay.cohort()["id"]}"' in html
    assert 'href="/connections/crm"' in html
    assert len(statements) <= 12


def test_a_call_that_came_through_since_is_told(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.post("members", ["A"], 0, 10)
    browser = relay.sign_in("viewer")
    assert "the sync runs again" not in browser.page(last(relay))
    relay.clock.forward(MINUTE)
    relay.add(["B"], session="next")
    assert "the sync runs again" in browser.page(last(relay))


def test_what_passes_by_itself_asks_nobody_to_start_a_sync(relay: Relay) -> None:
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET enabled = :no"), {"no": False}))
    assert relay.post("members", ["A"]).status_code == 503
    words = visible(relay.sign_in("viewer").page(last(relay)))
    assert "Mixpanel tries again up to 5 times within a minute, then at its next cycle." in words
    assert "Start the sync again" not in words


def test_only_admins_see_a_traceback(relay: Relay) -> None:
    relay.post_raw("not json")
    kept = text("UPDATE failure SET status = 500, cause = 'fault', traceback = 'File x.py, line 7 <KeyError>'")
    relay.database.write(lambda db: db.execute(kept))
    assert "x.py, line 7 &lt;KeyError&gt;" in relay.sign_in("admin").page(last(relay))
    for role in ("viewer", "operator"):
        html = relay.sign_in(role).page(last(relay))
        assert "x.py" not in html
        assert "shown to admins" in html


def test_the_same_cause_is_listed_and_others_are_not(relay: Relay) -> None:
    fail(relay)
    ids = {row["cause"]: row["id"] for row in relay.failures()}
    html = relay.sign_in("viewer").page(f"/failures/{ids['impossible_page']}")
    assert re.findall(r'<a href="/failures/(\d+)"><time', html) == ["1"]


def test_what_is_not_there_is_not_found(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    assert [browser.get(f"/failures/{number}").status_code for number in (1, 10**30)] == [404, 404]
