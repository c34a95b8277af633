"""What people download from a page: what the page shows, by a name that tells it, and without a formula."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound import spreadsheets
from tests.relay import Browser, Relay, member

HOUR = 3_600_000
STARTS = "=+-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"


@given(st.text(" \"'\n\N{NO-BREAK SPACE}", max_size=3), st.sampled_from(STARTS), st.text(max_size=20))
def test_no_cell_is_reckoned_with(before: str, start: str, rest: str) -> None:
    assert spreadsheets.disarmed(f"{before}{start}{rest}") == f"'{before}{start}{rest}"


@given(st.from_regex(r"[A-Za-z0-9_{(].*", fullmatch=True))
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert spreadsheets.disarmed(cell) == cell


def download(browser: Browser, path: str) -> tuple[list[dict[str, str]], str]:
    answer = browser.get(path)
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))), answer.headers["Content-Disposition"]


def test_the_page_disarms_and_the_api_does_not(relay: Relay) -> None:
    relay.refresh([member("=1+1", email="ada@example.org", first_name="@SUM(A1)")])
    (row,), name = download(relay.sign_in("viewer"), f"/cohorts/{relay.cohort()['id']}/members.csv")
    assert (row["distinct_id"], row["first_name"], row["email"]) == ("'=1+1", "'@SUM(A1)", "ada@example.org")
    assert name == 'attachment; filename="paying-users-2025-06-15.csv"'
    assert "\r\n=1+1," in relay.api("/projects/1/cohorts/7/members.csv").text


@pytest.mark.parametrize("people", [3, 1300])
def test_a_view_of_then_exports_whom_it_shows(relay: Relay, people: int) -> None:
    then = [f"u{number}" for number in range(people)]
    relay.refresh(then, session="1")
    relay.clock.forward(24 * HOUR)
    relay.refresh([*then[:-1], "new"], session="2")
    browser, root = relay.sign_in("viewer"), f"/cohorts/{relay.cohort()['id']}"
    page = browser.page(f"{root}?as_of=2025-06-15T20:00")
    assert f'href="{root}/members.csv?as_of=2025-06-15T20:00"' in page
    rows, name = download(browser, f"{root}/members.csv?as_of=2025-06-15T20:00")
    assert {row["distinct_id"] for row in rows} == set(then)
    assert len(rows) == people
    assert name == 'attachment; filename="paying-users-2025-06-15-20-00.csv"'
    now, _name = download(browser, f"{root}/members.csv")
    assert {row["distinct_id"] for row in now} == {*then[:-1], "new"}
    assert browser.get(f"{root}/members.csv?as_of=nonsense").status_code == 400


@pytest.mark.parametrize("people", [3, 1300])
def test_a_view_of_those_who_entered_exports_whom_it_shows(relay: Relay, people: int) -> None:
    relay.refresh(["before", "leaves", *(f"old{number}" for number in range(5))], session="1")
    relay.clock.forward(24 * HOUR)
    new = [f"u{number}" for number in range(people)]
    relay.add([*new, "gone"], session="2")
    relay.remove(["gone", "leaves"], session="3")
    browser, root = relay.sign_in("viewer"), f"/cohorts/{relay.cohort()['id']}"
    assert f'href="{root}/members.csv?since=today"' in browser.page(f"{root}?since=today")
    for since, expected in (("today", set(new)), ("7d", {*new, "before", *(f"old{number}" for number in range(5))})):
        rows, name = download(browser, f"{root}/members.csv?since={since}")
        assert {row["distinct_id"] for row in rows} == expected
        assert len(rows) == len(expected)
        assert name == f'attachment; filename="paying-users-2025-06-16-entered-{since}.csv"'
    assert len(browser.get(f"{root}/members.ndjson?since=today").text.splitlines()) == people
    assert browser.get(f"{root}/members.csv?since=nonsense").status_code == 400


@pytest.mark.parametrize(
    "view", ["", "?as_of=2025-06-15T20:00", "?since=today", "?as_of=2025-06-15T20:00&amp;since=7d"]
)
def test_each_view_of_members_links_to_the_export_of_what_it_shows(relay: Relay, view: str) -> None:
    relay.refresh(["ada", "bob", "eve"], session="1")
    relay.clock.forward(24 * HOUR)
    relay.refresh(["ada", "new"], session="2")
    browser, root = relay.sign_in("viewer"), f"/cohorts/{relay.cohort()['id']}"
    page = browser.page(root + view.replace("&amp;", "&"))
    shown = {one for one in ("ada", "bob", "eve", "new") if f"<code>{one}</code>" in page or f">{one}<" in page}
    (link,) = re.findall(rf'href="({root}/members\.csv[^"]*)"', page)
    rows, _name = download(browser, link.replace("&amp;", "&"))
    assert {row["distinct_id"] for row in rows} == shown
