"""Cohorts and sessions where 63 cohorts sync every half hour: what the lists cost, and what they say first."""

import html
import re

import pytest

from tests.dashboard import many
from tests.relay import Browser, Relay
from tests.sync.statements import watched

pytestmark = pytest.mark.slow

MOST_STATEMENTS = 12
MOST_BYTES = 200_000
DAYS = 2
PATHS = (
    *("/cohorts", "/cohorts/now", "/cohorts?sort=size", "/cohorts?state=in_step", "/cohorts?q=customers"),
    *("/sessions", "/sessions/now", "/sessions?change=some", "/sessions?change=none", "/sessions?status=stalled"),
    *("/sessions?status=complete&status=stalled", "/sessions?cohort=Segment+18", "/sessions?kind=diff&when=24h"),
    *("/sessions?connection=crm", "/sessions?before=3000", "/", "/failures", "/connections"),
)


@pytest.fixture
def browser(relay: Relay) -> Browser:
    relay.database.write(lambda db: many.fill(db, relay.clock(), DAYS))
    return relay.sign_in("viewer")


def rows(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]


def test_every_page_of_them_is_small_and_makes_few_statements(relay: Relay, browser: Browser) -> None:
    assert relay.rows("SELECT count(*) AS sessions FROM sync_session")[0]["sessions"] == DAYS * 48 * 63 * 2
    wrong = {}
    for path in PATHS:
        with watched(relay) as seen:
            page = browser.page(path)
        if len(seen) > MOST_STATEMENTS or len(page) > MOST_BYTES:
            wrong[path] = len(seen), len(page)
    assert wrong == {}


def test_all_cohorts_are_on_one_page_and_the_worst_come_first(browser: Browser) -> None:
    page = browser.page("/cohorts")
    found = rows(page)
    assert len(found) == 63
    assert ["Failing" in found[0], "Stalled" in found[1], "Late" in found[2], "Receiving" in found[3]] == [True] * 4
    counts = re.findall(r"<strong>([\d,]+)</strong> ([a-z ]+)<", page)
    assert counts == [("1", "failing"), ("1", "stalled"), ("1", "late"), ("1", "receiving"), ("59", "in step")]


def test_the_one_stall_is_one_press_away(browser: Browser) -> None:
    page = browser.page("/sessions")
    stalled = re.search(r'id="only-stalled" href="([^"]+)"', page)
    assert stalled is not None
    (row,) = rows(browser.page(html.unescape(stalled[1])))
    assert row.startswith("Diff of Segment 18 of customers Stalled 7 of 40")


def test_every_cycle_is_shown_once_and_none_is_lost(relay: Relay, browser: Browser) -> None:
    path, shown, folded, pages = "/sessions", [], 0, 0
    while path:
        page = browser.page(path)
        found = rows(page)
        folded += sum(int(row.split(" ")[0].replace(",", "")) for row in found if "without change" in row)
        shown += re.findall(r'<tr id="session-(\d+)"', page)
        pages += 1
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(following[1]) if following else ""
    assert len(shown) == len(set(shown))
    assert len(shown) + folded == DAYS * 48 * 63 + 3  # those of the troubles stand alone: theirs began at another time
    assert pages > 20


def test_adds_and_removes_of_one_cycle_are_one_row(browser: Browser) -> None:
    both = [row for row in rows(browser.page("/sessions")) if re.search(r"\+\d+ \N{MINUS SIGN}\d+", row)]
    assert both
    assert all(row.startswith("Diff of Segment") for row in both)


def test_cycles_without_change_in_a_row_are_one_line(relay: Relay) -> None:
    for number in range(6):
        relay.add([], session=f"quiet {number}")
        relay.clock.forward(many.CYCLE)
    relay.add(["A"], session="change")
    relay.clock.forward(many.CYCLE)
    relay.add([], session="quiet again")
    found = rows(relay.sign_in("viewer").page("/sessions"))
    assert [re.sub(r"\d\d:\d\d", "HH:MM", row) for row in found if "without" in row] == [
        "1 cycle without change , since HH:MM",
        "6 cycles without change , HH:MM to HH:MM",
    ]
    assert len(found) == 3


def test_a_half_hour_of_the_day_can_be_chosen(browser: Browser) -> None:
    page = browser.page("/sessions")
    (when, words) = re.findall(r'<g data-when="([^"]+)"[^>]*><title>([^<]+)</title>', page)[10]
    chosen = browser.page(f"/sessions?when={when}&change=none")
    assert re.fullmatch(r"\d\d:\d\d to \d\d:\d\d: \d+ sessions", words)
    times = re.findall(r'<time datetime="([^"]+)"', chosen[chosen.index("<tbody>") :])
    assert times
    assert min(times)[:16] >= when
    assert f'<option value="{when}" selected>' in chosen
