"""The time zone of an account: charts by the hour, dates that are given, today, exact times; UTC on hover."""

import re

import pytest

from blueprints import time_zone
from config.clock import Zone
from tests.relay import Browser, Relay

HOUR, DAY = 60 * 60 * 1000, 24 * 60 * 60 * 1000
KOLKATA = "Asia/Kolkata"  # 5 h 30 min ahead of UTC, all year


def choose(browser: Browser, zone: str) -> int:
    return int(browser.post("/account/time-zone", {"time_zone": zone}).status_code)


def test_a_zone_is_chosen_kept_and_in_the_audit_trail(relay: Relay) -> None:
    viewer = relay.sign_in("viewer")
    assert choose(viewer, KOLKATA) == 302
    assert re.search(rf"<option selected>{KOLKATA}</option>", viewer.page("/account"))
    (entry,) = relay.rows("SELECT action, subject FROM audit_entry WHERE action = 'operator.time_zone'")
    assert entry["subject"] == "viewer@example.org"


@pytest.mark.parametrize("zone", ["", "Nowhere/Town", "../../etc/passwd", "\0"])
def test_what_is_no_zone_is_refused(relay: Relay, zone: str) -> None:
    viewer = relay.sign_in("viewer")
    assert choose(viewer, zone) == 422
    assert "Choose a zone of the list." in viewer.post("/account/time-zone", {"time_zone": zone}).text


def test_the_overviews_hours_are_those_of_the_zone_which_is_named(relay: Relay) -> None:
    relay.refresh(["A"])
    viewer = relay.sign_in("viewer")
    assert 'data-zone="UTC"' in viewer.page("/")
    choose(viewer, KOLKATA)
    page = viewer.page("/")
    assert f'<span class="quiet">by hour, {KOLKATA}</span>' in page
    assert '<th scope="row">20:30</th>' in page  # 15:00 UTC, the hour of the tests' clock


def test_a_date_as_of_ends_at_midnight_of_the_zone(relay: Relay) -> None:
    relay.clock.forward(-(relay.clock() % DAY) + 19 * HOUR)  # 00:30 of the next day in Kolkata
    relay.refresh(["A"])
    day = Zone().day(relay.clock())
    path = f"/cohorts/{relay.cohort()['id']}?as_of={day}"
    relay.clock.forward(2 * DAY)
    viewer = relay.sign_in("viewer")
    assert "<strong>1 member</strong> then" in viewer.page(path)
    choose(viewer, KOLKATA)
    page = viewer.page(path)
    assert "<strong>0 members</strong> then" in page
    assert f"As of ({KOLKATA})" in page


def test_today_begins_at_midnight_of_the_zone(relay: Relay) -> None:
    relay.clock.forward(-(relay.clock() % DAY) + DAY + 18 * HOUR)
    relay.refresh(["A"])
    path = f"/cohorts/{relay.cohort()['id']}?since=today"
    relay.clock.forward(HOUR)
    viewer = relay.sign_in("viewer")
    assert "/people/" in viewer.page(path).split('id="list"')[1]
    choose(viewer, KOLKATA)
    assert "/people/" not in viewer.page(path).split('id="list"')[1]


def test_an_export_is_named_by_the_day_of_the_zone(relay: Relay) -> None:
    relay.clock.forward(-(relay.clock() % DAY) + 19 * HOUR)
    relay.refresh(["A"])
    admin = relay.sign_in("admin")
    path = f"/cohorts/{relay.cohort()['id']}/members.csv"
    here = admin.get(path).headers["Content-Disposition"]
    choose(admin, KOLKATA)
    there = admin.get(path).headers["Content-Disposition"]
    today = Zone().day(relay.clock())
    assert str(today) in here
    assert str(today) not in there


def test_the_browsers_zone_comes_by_its_cookie(relay: Relay) -> None:
    relay.refresh(["A"])
    viewer = relay.sign_in("viewer")
    choose(viewer, "browser")
    assert "data-says-zone" in viewer.page("/")
    assert 'data-zone="UTC"' in viewer.page("/")
    for said, named in ((KOLKATA, KOLKATA), ("Nowhere/Town", "UTC"), ("../../etc/passwd", "UTC")):
        viewer.client.set_cookie("time_zone", said)
        assert f'data-zone="{named}"' in viewer.page("/")


@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59"])
def test_moments_at_the_ends_of_time_do_no_harm(relay: Relay, moment: str) -> None:
    relay.refresh(["A"])
    viewer = relay.sign_in("viewer")
    for zone in (KOLKATA, "America/Los_Angeles"):
        choose(viewer, zone)
        assert viewer.get(f"/cohorts/{relay.cohort()['id']}?as_of={moment}").status_code == 200


def test_times_on_hover_stay_utc(relay: Relay) -> None:
    viewer = relay.sign_in("viewer")
    choose(viewer, KOLKATA)
    assert re.search(r'<time datetime="[^"]+Z" title="[^"]+ UTC" data-ago>', viewer.page("/account"))


def test_the_zones_of_this_machine_are_read_once_however_many_times_a_page_tells(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        relay.refresh(["A"], cohort=str(number))
    viewer = relay.sign_in("viewer")
    choose(viewer, KOLKATA)
    read = []
    monkeypatch.setattr(time_zone, "available_timezones", lambda: read.append(1) or {KOLKATA})
    time_zone.known.cache_clear()
    try:
        assert viewer.page("/sessions").count("<time") >= 3
        assert len(read) == 1
    finally:
        time_zone.known.cache_clear()
