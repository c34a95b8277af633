"""What other pages say of destinations: the overview, a person's line of time, a cohort."""

import re

from tests.dashboard import relayed
from tests.dashboard.test_destinations import plain
from tests.relay import Relay


def test_the_overview_counts_destinations_as_it_counts_cohorts(relay: Relay) -> None:
    relay.refresh(["ada"])
    number = relayed.connect(relay.app)
    browser = relay.sign_in("viewer")
    assert "The one destination gets nothing yet." in plain(browser.page("/"))
    subscription = relayed.subscribe(relay.app)
    assert "The one cohort and 1 destination are in step." in plain(browser.page("/"))
    relayed.message(relay.app, subscription, "ada", "waiting")
    assert "The one cohort is in step." in plain(browser.page("/"))
    assert "The one destination is being told." in plain(browser.page("/"))
    relayed.change(relay.app, "destination", number, failing_since=relay.clock(), failures=2)
    assert "The one cohort is in step. The one destination has trouble." in plain(browser.page("/"))
    relayed.change(relay.app, "destination", number, status="paused", cause="gone", reason="410")
    page = browser.page("/overview/now")
    assert "1 thing needs you" in plain(page)
    assert f'<a class="button" href="/destinations/{number}">Open' in page


def test_a_persons_line_of_time_shows_what_was_told_to_whom(relay: Relay) -> None:
    relay.refresh(["ada"])
    relay.remove(["ada"], session="s2")
    relayed.connect(relay.app)
    subscription = relayed.subscribe(relay.app)
    relayed.message(relay.app, subscription, "ada", "applied")
    relayed.message(relay.app, subscription, "ada", "rejected", kind="left", reason="http_422")
    relayed.message(relay.app, subscription, "ada", "applied", kind="erased")
    person = relay.person("ada")["id"]
    page = relay.sign_in("viewer").page(f"/people/{person}")
    turns = [plain(turn) for turn in re.findall(r'<li class="(?:entered|left)">(.*?)</li>', page, re.DOTALL)]
    assert ["Rejected It answered 422" in turn for turn in turns] == [True, False]
    assert "to hook Applied" in turns[1]
    assert "That they were erased to hook" in plain(page)
    assert f"/destinations/subscriptions/{subscription}/messages?person={person}" in page


def test_a_cohort_says_where_it_goes(relay: Relay) -> None:
    relay.refresh(["ada"])
    relayed.connect(relay.app)
    browser, cohort = relay.sign_in("operator"), relay.cohort()["id"]
    assert "Goes to" not in browser.page(f"/cohorts/{cohort}")
    subscription = relayed.subscribe(relay.app)
    page = browser.page(f"/cohorts/{cohort}")
    assert "Goes to hook" in plain(page)
    assert f'href="/destinations/subscriptions/{subscription}"' in page
