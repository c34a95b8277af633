"""The list of cohorts, the head of one, its tabs and its exports."""

import re

import pytest

from blueprints.dashboard.cohorts import routes
from config.clock import DAY, HOUR
from tests.relay import MINUTE


def table(page: str, place: int = 0) -> list[list[str]]:
    """The text of a page's table, row by row."""
    found = re.findall(r"<tbody>(.*?)</tbody>", page, re.S)[place]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found, re.S)
    return [[_plain(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)] for row in rows]


def _plain(cell: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", cell).replace("&nbsp;", " ").split())


@pytest.fixture
def browser(relay):
    return relay.sign_in("viewer")


def names(page: str) -> list[str]:
    return [row[0] for row in table(page)]


# --- the list


def test_without_a_cohort_the_list_says_what_would_be_here(browser) -> None:
    assert "No cohort yet" in browser.page("/cohorts")


def test_the_list_shows_size_state_and_what_changed_today(relay, browser) -> None:
    relay.refresh(["a", "b", "c"], session="s1")
    relay.clock.forward(30 * MINUTE)
    relay.remove(["a"], session="s2")
    ((name, state, size, _line, today, last),) = table(browser.page("/cohorts"))
    assert (name, state, size, today, last) == ("Paying users", "In step", "2", "+3 \N{MINUS SIGN}1", "just now")


def test_the_list_is_searched_by_name_or_whole_id(relay, browser) -> None:
    relay.refresh(["a"], cohort="71", name="Churn risk")
    relay.refresh(["a"], cohort="72", name="Paying users")
    assert names(browser.page("/cohorts?q=CHURN")) == ["Churn risk"]
    assert names(browser.page("/cohorts?q=72")) == ["Paying users"]
    assert "No cohort matches" in browser.page("/cohorts?q=7")


def test_the_list_is_filtered_by_state(relay, browser) -> None:
    relay.refresh(["a"], cohort="71", name="Done")
    relay.refresh(["a"], total=2, cohort="72", name="Under way")
    assert names(browser.page("/cohorts?state=receiving")) == ["Under way"]
    assert names(browser.page("/cohorts?state=in_step")) == ["Done"]


def test_several_states_can_be_asked_for_and_each_says_how_many(relay, browser) -> None:
    relay.refresh(["a"], cohort="71", name="Done")
    relay.refresh(["a"], total=2, cohort="72", name="Under way")
    page = browser.page("/cohorts")
    assert re.findall(r"<strong>(\d+)</strong> ([a-z ]+)<", page) == [("1", "receiving"), ("1", "in step")]
    assert names(browser.page("/cohorts?state=receiving&state=in_step")) == ["Under way", "Done"]
    (path,) = re.findall(r'id="only-receiving" href="([^"]+)" aria-current', browser.page("/cohorts?state=receiving"))
    assert path == "/cohorts"


def test_what_needs_somebody_comes_first(relay, browser) -> None:
    relay.refresh(["a"], cohort="71", name="A, as it should be")
    relay.refresh(["a"], total=2, cohort="72", name="B, stalled")
    relay.wait(16 * MINUTE)
    relay.refresh(["a"], total=2, cohort="73", name="C, under way")
    assert names(browser.page("/cohorts")) == ["B, stalled", "C, under way", "A, as it should be"]


def test_every_head_sorts_the_list_and_back(relay, browser) -> None:
    for count in range(26):
        relay.refresh([f"p{number}" for number in range(count % 13 + 1)], cohort=str(count), name=f"Cohort {count:02}")
    assert names(browser.page("/cohorts")) == [f"Cohort {count:02}" for count in range(26)]
    assert names(browser.page("/cohorts?sort=-name")) == [f"Cohort {count:02}" for count in range(25, -1, -1)]
    assert names(browser.page("/cohorts?sort=size"))[:2] == ["Cohort 12", "Cohort 25"]
    assert names(browser.page("/cohorts?sort=-size"))[:2] == ["Cohort 00", "Cohort 13"]
    page = browser.page("/cohorts?sort=size&q=cohort")
    assert 'aria-sort="descending"><a id="sort-size" href="/cohorts?q=cohort&amp;sort=-size"' in page


def test_two_hundred_cohorts_are_on_one_page(relay, browser, monkeypatch) -> None:
    assert routes.SHOWN == 200
    monkeypatch.setattr(routes, "SHOWN", 3)
    for count in range(5):
        relay.refresh([], cohort=str(count), name=f"Cohort {count}")
    first = browser.page("/cohorts")
    (following,) = re.findall(r'href="([^"]+)" rel="next"', first)
    second = browser.page(following.replace("&amp;", "&"))
    assert names(first) + names(second) == [f"Cohort {count}" for count in range(5)]
    assert "4 to 5 of 5" in second


def test_the_list_asks_for_itself_again_with_its_filters(relay, browser) -> None:
    relay.refresh(["a"])
    assert 'hx-get="/cohorts/now?q=pay&amp;state=in_step&amp;page=1"' in browser.page("/cohorts?q=pay&state=in_step")
    part = browser.page("/cohorts/now?q=pay&state=in_step")
    assert names(part) == ["Paying users"]
    assert "<h1" not in part


def test_a_wrong_filter_in_the_address_is_as_if_it_were_not_there(relay, browser) -> None:
    relay.refresh(["a"])
    assert names(browser.page("/cohorts?state=odd&sort=odd&page=x")) == ["Paying users"]


# --- the head


def test_the_head_says_how_the_cohort_stands(relay, browser) -> None:
    relay.refresh(["a", "b"], session="s1")
    page = browser.page(f"/cohorts/{relay.cohort()['id']}")
    for said in (
        "<h1>Paying users</h1>",
        "In step",
        "<strong>2</strong> <span>members",
        "Project <code>1</code>",
        "crm",
    ):
        assert said in page


def test_while_a_session_is_under_way_the_head_asks_again_and_then_stops(relay, browser) -> None:
    relay.refresh(["a"], page=1, total=2)
    path = f"/cohorts/{relay.cohort()['id']}/now"
    assert f'hx-get="{path}"' in browser.page(path)
    assert "page 1 of 2" in browser.page(path)
    relay.refresh(["b"], page=2, total=2)
    assert "hx-" not in browser.page(path)


def test_the_head_tells_the_rhythm(relay, browser) -> None:
    for number in range(6):
        relay.add([f"p{number}"], session=f"s{number}")
        relay.clock.forward(30 * MINUTE)
    assert "Every 30 min" in browser.page(f"/cohorts/{relay.cohort()['id']}")


@pytest.mark.parametrize(
    "tab", ["", "/sessions", "/failures", "/rejected", "/settings", "/held", "/now", "/members.csv"]
)
def test_a_cohort_that_is_not_there_is_404(browser, tab) -> None:
    assert browser.get(f"/cohorts/99{tab}").status_code == 404


# --- the charts


def test_sizes_and_moves_are_those_of_the_change_log(relay, browser) -> None:
    relay.refresh(["a", "b", "c"], session="s1")
    relay.clock.forward(5 * DAY)
    relay.add(["d", "e"], session="s2")
    relay.remove(["a"], session="s3")
    relay.clock.forward(5 * DAY)
    browser.sign_in()
    page = browser.page(f"/cohorts/{relay.cohort()['id']}?range=all")
    sizes, moves = table(page, 0), table(page, 1)
    assert [int(row[1]) for row in sizes] == [3] * 5 + [4] * 6
    assert [int(row[2]) for row in sizes] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]
    assert [(int(row[1]), int(row[2])) for row in moves if row[1:] != ["0", "0"]] == [(3, 0), (2, 1)]


def test_a_young_cohort_is_charted_by_the_hour_and_an_old_one_by_the_week(relay, browser) -> None:
    relay.refresh(["a"])
    path = f"/cohorts/{relay.cohort()['id']}?range=all"
    relay.clock.forward(3 * HOUR)
    assert len(table(browser.page(path))) == 4
    relay.clock.forward(300 * DAY)
    browser.sign_in()
    assert len(table(browser.page(path))) <= 92


def test_a_rename_is_marked_on_the_chart_and_told(relay, browser) -> None:
    relay.refresh(["a"], session="s1", name="Trial")
    relay.clock.forward(DAY)
    relay.refresh(["a"], session="s2", name="Trial users")
    page = browser.page(f"/cohorts/{relay.cohort()['id']}?range=all")
    assert "“Trial” became “Trial users”" in page
    assert "Size when renamed" in page


# --- the tabs


def test_the_sessions_of_a_cohort_lead_to_each(relay, browser) -> None:
    relay.refresh(["a", "b"], session="s1")
    relay.add(["c"], session="s2")
    page = browser.page(f"/cohorts/{relay.cohort()['id']}/sessions")
    assert [row[0] for row in table(page)] == ["Diff 2", "Refresh 1"]
    assert f'href="/sessions/{relay.session()["id"]}"' in page


def test_the_sessions_go_on_by_number(relay, browser) -> None:
    for number in range(52):
        relay.add([], session=f"s{number}")
    path = f"/cohorts/{relay.cohort()['id']}/sessions"
    older = re.search(r'href="([^"]+)" rel="next"', browser.page(path))
    assert older is not None
    assert [row[0] for row in table(browser.page(older[1]))] == ["Diff 2", "Diff 1"]


def test_the_failures_of_a_cohort_are_its_own(relay, browser) -> None:
    relay.refresh(["a"], cohort="7")
    relay.post("members", ["a"], page=3, total=2, cohort="7")
    relay.post("members", ["a"], page=3, total=2, cohort="8")
    page = browser.page(f"/cohorts/{relay.cohort()['id']}/failures")
    (failure, _other) = relay.failures()
    assert len(table(page)) == 1
    assert f'href="/failures/{failure["id"]}"' in page


def test_rejected_members_are_shown_with_their_reason_and_raw_value(relay, browser) -> None:
    relay.refresh(["a", "undefined", " "])
    page = browser.page(f"/cohorts/{relay.cohort()['id']}/rejected")
    assert [row[:2] for row in table(page)] == [
        ["&#34;undefined&#34;", "The id is one that Mixpanel throws away"],
        ["&#34; &#34;", "The id is empty or only spaces"],
    ]
    assert "Rejected (2)" in page


def test_many_rejected_members_go_on_by_page(relay, browser) -> None:
    for number in range(1, 31):
        relay.refresh(["null"] * 22, page=number, total=30)
    path = f"/cohorts/{relay.cohort()['id']}/rejected"
    first = browser.page(path)
    assert "And 2 more on this page" in first
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    rest = browser.page(older[1])
    assert {row[3] for row in table(rest) if len(row) > 3} == {str(number) for number in range(26, 31)}


def test_a_page_without_a_number_shows_its_rejected_members_too(relay, browser) -> None:
    relay.refresh(["a", "null"], page=None)
    assert len(table(browser.page(f"/cohorts/{relay.cohort()['id']}/rejected"))) == 1


# --- exports


@pytest.mark.parametrize(("form", "mark"), [("csv", b"\xef\xbb\xbf"), ("ndjson", b"")])
def test_an_export_is_what_the_api_exports(relay, browser, form, mark) -> None:
    """A table begins with the mark by which spreadsheets know its encoding."""
    relay.refresh([{"mixpanel_distinct_id": "a", "email": "a@example.org", "plan": "pro"}, {"distinct_id": "b"}])
    here = browser.get(f"/cohorts/{relay.cohort()['id']}/members.{form}")
    assert here.data == mark + relay.api(f"/projects/1/cohorts/7/members.{form}").data
    assert here.headers["Content-Disposition"].startswith("attachment")
