"""The last 24 hours on the overview: entries, exits and refusals by hour, what moved most, the latest failures."""

import re

from sqlalchemy import text

from config.clock import DAY, HOUR, MINUTE
from security import connections
from tests.dashboard.test_people import words
from tests.relay import Relay


def totals(page: str) -> str:
    found = re.search(r'<p class="totals">(.*?)</p>', page, re.DOTALL)
    assert found is not None
    return words(found[1])


def hours(page: str) -> dict[str, tuple[int, ...]]:
    """The table under the chart, without the hours in which nothing happened."""
    found: dict[str, tuple[int, ...]] = {}
    for hour, cells in re.findall(r'<tr[^>]*><th scope="row">(\d\d:00)</th>(.*?)</tr>', page):
        values = tuple(int(value) for value in re.findall(r'data-value="(\d+)"', cells))
        found[hour] = values
    assert len(found) == 24
    return {hour: values for hour, values in found.items() if any(values)}


def test_the_last_day_is_counted_by_the_hour(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="1")  # at 15:06
    relay.clock.forward(2 * HOUR)
    relay.remove(["A"], session="2")
    relay.post_raw("not json")
    page = relay.sign_in("viewer").page("/")
    assert totals(page) == "3 entered · 1 left · 3 calls · 1 refused"
    assert hours(page) == {"15:00": (3, 0, 0), "17:00": (0, 1, 1)}


def test_what_is_older_than_a_day_is_not_counted(relay: Relay) -> None:
    relay.refresh(["A"], session="1")
    relay.clock.forward(DAY)
    relay.add(["B"], session="2")
    assert totals(relay.sign_in("viewer").page("/")) == "1 entered · 0 left · 1 call · 0 refused"


def test_the_totals_are_the_change_logs(relay: Relay) -> None:
    for number in range(6):
        relay.refresh([f"{number} {one}" for one in range(5 + number)], session=str(number))
        relay.clock.forward(HOUR)
    log = [kind for kind, _, _ in relay.log()]
    page = relay.sign_in("viewer").page("/")
    assert totals(page).startswith(f"{log.count('entered')} entered · {log.count('left')} left · 6 calls")
    assert sum(values[0] for values in hours(page).values()) == log.count("entered")


def test_heartbeats_alone_are_said_in_words(relay: Relay) -> None:
    relay.add([], session="1")
    page = relay.sign_in("viewer").page("/")
    assert "Nobody entered or left. Mixpanel called, and its cohorts had not changed." in words(page)


def test_the_cohorts_that_moved_most_come_first(relay: Relay) -> None:
    relay.refresh(["A", "B"], cohort="7", name="Small", session="1")
    relay.refresh([str(one) for one in range(1, 10)], cohort="8", name="Large", session="2")
    relay.refresh(["1", "2"], cohort="8", name="Large", session="3")
    relay.add([], cohort="9", name="Still", session="4")
    page = words(relay.sign_in("viewer").page("/"))
    moved = page[page.index("Cohorts that moved most") : page.index("Latest failures")]
    assert moved.strip() == "Cohorts that moved most Large 9 entered, 7 left +2 Small 2 entered, 0 left +2"


def test_the_latest_failures_say_what_mixpanel_does_next(relay: Relay) -> None:
    relay.refresh(["A"])
    for number in range(5):
        relay.clock.forward(2 * MINUTE)
        relay.post("members", ["A"], page=0, total=3, session=str(number))
    page = relay.sign_in("viewer").page("/")
    shown = re.findall(r'href="/failures/(\d+)">An impossible page number', page)
    assert [int(number) for number in shown] == [row["id"] for row in relay.failures()[:-4:-1]]
    assert "400 · crm · Paying users · just now" in words(page)
    assert "Mixpanel has paused this sync" in page


def test_a_failure_that_calls_have_followed_no_longer_asks_for_anybody(relay: Relay) -> None:
    relay.post("members", ["A"], page=0, total=3)
    browser = relay.sign_in("viewer")
    assert "Mixpanel has paused this sync" in browser.page("/")
    relay.clock.forward(MINUTE)
    relay.refresh(["A"])
    page = browser.page("/")
    assert "Over: Mixpanel's next call came through" in page
    assert "Mixpanel has paused this sync" not in page


def test_a_password_that_a_refused_call_has_used_does_not_end_its_failure(relay: Relay) -> None:
    relay.post("members", ["A"], page=0, total=3)
    values = {"at": relay.clock() + MINUTE}  # which is known to the minute
    relay.database.write(
        lambda db: db.execute(text("UPDATE connection_password SET last_used_at = :at"), values).rowcount
    )
    assert "Mixpanel has paused this sync" in relay.sign_in("viewer").page("/")


def test_connections_that_never_called_are_shown(relay: Relay) -> None:
    relay.refresh(["A"])
    key = relay.app.extensions["runtime"].settings.secret_key
    relay.database.write(lambda db: connections.add(db, key, "later", relay.clock()))
    page = relay.sign_in("viewer").page("/")
    assert "Connections to look at later Waiting for the first call from Mixpanel" in words(page)
