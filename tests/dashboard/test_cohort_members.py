"""Who is in a cohort: the list, its filters by time, the search. And that all of it stays small."""

import random
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from blueprints.dashboard.cohorts import head
from blueprints.dashboard.cohorts import members as cohort_members
from config.clock import DAY, HOUR
from tests.dashboard.test_cohorts import table
from tests.relay import MINUTE

PEOPLE = [
    {"distinct_id": "u1", "email": "Ada@Example.org", "first_name": "Ada", "last_name": "Lovelace"},
    {"distinct_id": "u2", "email": "grace@example.org", "first_name": "Grace", "last_name": "Hopper"},
    {"distinct_id": "u3", "email": "adam@example.org", "first_name": "Adam", "last_name": "Van Ada"},
    {"distinct_id": "ada", "first_name": "Émilie"},
]


@pytest.fixture
def browser(relay):
    return relay.sign_in("viewer")


def path(relay, more: str = "") -> str:
    return f"/cohorts/{relay.cohort()['id']}{more}"


def shown(page: str) -> list[str]:
    """The distinct ids on a page, in their order."""
    return re.findall(r'data-copy="([^"]+)"', page)


def everyone(browser, address: str) -> list[str]:
    """The distinct ids of all pages, by the links from each to the next."""
    found, pages = [], 0
    while address:
        page = browser.page(address.replace("&amp;", "&"))
        found += shown(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address, pages = following[1] if following else "", pages + 1
        assert pages < 50
    return found


def search(browser, address: str, **form) -> str:
    answer = browser.submit(address, form)
    assert answer.status_code == 200
    return answer.text


# --- the list


def test_members_are_shown_with_their_profile_and_stay(relay, browser) -> None:
    ada = {"mixpanel_distinct_id": "a", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
    relay.refresh([ada | {"plan": "pro"}])
    relay.remove(["a"], session="s2")
    relay.add(["a"], session="s3")
    row = table(browser.page(path(relay)), 2)[0]
    assert row == ["Ada Lovelace", "a", "ada@example.org", "pro", "just now", "2nd"]


def test_the_commonest_properties_are_columns(relay, browser) -> None:
    plan, seats = {"plan": "pro", "seats": 4}, {"seats": 2, "beta": True, "city": "Oslo"}
    relay.refresh([{"distinct_id": "a", **plan}, {"distinct_id": "b", **seats}, {"distinct_id": "c", "seats": 1}])
    heads = re.findall(r'<th scope="col">([^<]+)</th>', browser.page(path(relay)).partition("Distinct id")[2])
    assert heads == ["E-mail", "seats", "plan", "beta", "Entered", "Entry"]


def test_a_member_leads_to_the_person(relay, browser) -> None:
    relay.refresh(["a"])
    assert f'href="/people/{relay.person("a")["id"]}"' in browser.page(path(relay))


def test_the_list_goes_on_by_person_without_gap_or_repeat(relay, browser) -> None:
    relay.refresh([f"p{number:03}" for number in range(120)])
    assert everyone(browser, path(relay)) == [f"p{number:03}" for number in range(120)]


def test_an_empty_cohort_says_so(relay, browser) -> None:
    relay.refresh([])
    assert "Nobody is in this cohort" in browser.page(path(relay))


# --- entered since


def test_entered_since_shows_the_newest_first_and_only_who_is_still_in(relay, browser) -> None:
    relay.refresh(["old", "leaver"], session="s1")
    relay.clock.forward(3 * DAY)
    relay.add(["leaver-of-today", "b"], session="s2")
    relay.clock.forward(HOUR)
    relay.add(["c"], session="s3")
    relay.remove(["leaver", "leaver-of-today"], session="s4")
    assert everyone(browser, path(relay, "?since=today")) == ["c", "b"]
    assert set(everyone(browser, path(relay, "?since=7d"))) == {"c", "b", "old"}


def test_who_came_back_counts_from_the_return(relay, browser) -> None:
    relay.refresh(["a", "b"], session="s1")
    relay.clock.forward(10 * DAY)
    relay.remove(["a"], session="s2")
    relay.add(["a"], session="s3")
    browser.sign_in()
    assert everyone(browser, path(relay, "?since=7d")) == ["a"]
    assert set(everyone(browser, path(relay, "?since=30d"))) == {"a", "b"}


def test_a_long_session_counts_those_who_entered_by_its_late_pages(relay, browser) -> None:
    relay.clock.time = relay.clock.time // DAY * DAY - MINUTE
    relay.refresh(["yesterday"], page=1, total=2)
    relay.clock.forward(2 * MINUTE)
    relay.refresh(["today"], page=2, total=2)
    assert everyone(browser, path(relay, "?since=today")) == ["today"]


def test_entered_since_goes_on_by_the_log(relay, browser, monkeypatch) -> None:
    monkeypatch.setattr(cohort_members, "EXAMINED", 40)
    relay.refresh([f"p{number:03}" for number in range(130)], session="s1")
    relay.remove([f"p{number:03}" for number in range(100, 130)], session="s2")
    found = everyone(browser, path(relay, "?since=today"))
    assert sorted(found) == [f"p{number:03}" for number in range(100)]


def test_nobody_entered_since(relay, browser) -> None:
    relay.refresh(["a"])
    relay.clock.forward(40 * DAY)
    browser.sign_in()
    assert "None of the present members entered in that time" in browser.page(path(relay, "?since=30d"))


# --- as of


def as_of(moment: int) -> str:
    """The field's value for a moment."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


def test_as_of_a_moment_is_what_the_log_says_of_it(relay, browser, monkeypatch) -> None:
    """Forty syncs in which everybody comes and goes, asked about at every one of them."""
    monkeypatch.setattr(cohort_members, "EXAMINED", 7)
    people, chance = [f"p{number:02}" for number in range(20)], random.Random(7)
    moments = []
    for number in range(40):
        relay.clock.forward(MINUTE)
        action = chance.choice((relay.add, relay.remove))
        action(chance.sample(people, 6), session=f"s{number}")
        moments.append((relay.clock(), sorted(relay.members())))
    for moment, members in moments:
        page = browser.page(path(relay, f"?as_of={as_of(moment)}"))
        assert f"<strong>{len(members)} member{'' if len(members) == 1 else 's'}</strong> then" in page
        assert sorted(everyone(browser, path(relay, f"?as_of={as_of(moment)}"))) == members
        assert sorted(everyone(browser, path(relay, f"?as_of={as_of(moment + MINUTE - 1)}"))) == members


def test_as_of_shows_the_stay_of_that_time(relay, browser) -> None:
    relay.add(["a"], session="s1")
    first = relay.clock()
    for number in range(3):
        relay.clock.forward(HOUR)
        relay.remove(["a"], session=f"r{number}")
        relay.add(["a"], session=f"a{number}")
    row = table(browser.page(path(relay, f"?as_of={as_of(first)}")), 2)[0]
    assert row[-2:] == ["3 h ago", "1st"]


def test_a_date_alone_means_its_end(relay, browser) -> None:
    relay.clock.time = relay.clock.time // DAY * DAY
    relay.add(["a"], session="s1")
    relay.clock.forward(DAY - 1)
    relay.add(["b", "c"], session="s2")
    relay.clock.forward(1)
    relay.remove(["a"], session="s3")
    day = as_of(relay.clock() - DAY)[:10]
    for query in (f"?as_of={day}", f"?day={day}", f"?day={day}&time="):
        page = browser.page(path(relay, query))
        assert f"Members as of the end of {day}" in page
        assert shown(page) == ["a", "b", "c"]
        assert "<strong>3 members</strong> then, <strong>2</strong> now" in page
    assert shown(browser.page(path(relay, f"?day={day}&time=10:00"))) == ["a"]
    yesterday = re.search(r'id="as-of-1" href="([^"]+)"', browser.page(path(relay, "")))
    assert yesterday is not None
    assert yesterday[1] == path(relay, f"?as_of={day}")


def test_who_entered_by_the_pages_of_a_session_so_far_is_counted(relay, browser) -> None:
    relay.add(["a", "b"], 1, 2, session="long")
    first = relay.clock()
    relay.clock.forward(MINUTE)
    relay.add(["c"], 2, 2, session="long")
    assert "<strong>2 members</strong> then, <strong>3</strong> now" in browser.page(
        path(relay, f"?as_of={as_of(first)}")
    )


def test_before_the_first_sync_nobody_was_a_member(relay, browser) -> None:
    relay.refresh(["a"])
    assert "Nobody was a member at that moment" in browser.page(path(relay, f"?as_of={as_of(relay.clock() - 1)}"))


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01T10:00", "9" * 40])
def test_what_is_no_moment_is_said_and_the_members_of_now_are_shown(relay, browser, wrong) -> None:
    relay.refresh(["a"])
    page = browser.page(path(relay, f"?as_of={wrong}"))
    assert "is not a date and time" in page
    assert shown(page) == ["a"]


@pytest.mark.parametrize("wrong", ["?after=x", "?after=" + "9" * 30, "?since=odd", "?range=odd"])
def test_what_an_address_says_wrongly_is_as_if_it_were_not_there(relay, browser, wrong) -> None:
    relay.refresh(["a"])
    assert shown(browser.page(path(relay, wrong))) == ["a"]


def test_an_export_of_a_moment_reads_five_hundred_members_at_once(relay) -> None:
    people = [f"p{number:04}" for number in range(1201)]
    relay.refresh(people)
    cohort = relay.database.read(lambda db: head.find(db, relay.cohort()["id"]))
    found = cohort_members.pieces_as_of(relay.database, cohort, relay.clock())
    sizes = [len(piece) for piece in found]
    assert (max(sizes), sum(sizes)) == (500, 1201)


# --- all of it stays small


@pytest.mark.parametrize(
    "more",
    ["", "?range=all&since=30d", "?as_of=2026-01-01T10:00", "/sessions", "/failures", "/rejected", "/settings", "/now"],
)
def test_a_page_takes_at_most_twelve_statements(relay, browser, more) -> None:
    relay.refresh(PEOPLE)
    assert count_statements(relay, lambda: browser.page(path(relay, more))) <= 12


def test_the_list_and_a_search_take_at_most_twelve_statements(relay, browser) -> None:
    relay.refresh(PEOPLE)
    address, token = path(relay), browser.token
    assert count_statements(relay, lambda: browser.page("/cohorts")) <= 12
    form = {"csrf_token": token, "q": "ada van lovelace"}
    found = []
    assert count_statements(relay, lambda: found.append(browser.client.post(address, data=form).location)) <= 12
    assert count_statements(relay, lambda: browser.page(found[0])) <= 12


def test_the_page_of_a_held_refresh_takes_at_most_twelve_statements(make_relay) -> None:
    relay = make_relay(removal_guard_min_members=2)
    relay.refresh(["a", "b", "c"], session="s1")
    relay.refresh(["a"], session="s2")
    browser, address = relay.sign_in("operator"), path(relay, "/held")
    assert count_statements(relay, lambda: browser.page(address)) <= 12


def count_statements(relay, work) -> int:
    seen: list[str] = []

    def hear(_db, _cursor, sql, *_rest) -> None:
        seen.append(sql)

    engines = {relay.database.reader, relay.database.writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", hear)
    try:
        work()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", hear)
    assert seen
    return len(seen)
