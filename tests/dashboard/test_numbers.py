"""The numbers on the screens equal the JSON API's and the change log's, however badly the sending went (S14)."""

import re
from html import unescape

import pytest

from simulator.loopback import served
from tests.commands.conftest import terminal_of
from tests.relay import Browser, Relay

pytestmark = pytest.mark.slow

WORST = ("--out-of-order", "--lose", 0.2, "--restart", 0.5, "--duplicate", 0.3, "--seed", "worst")
SIZE = ("--connections", 2, "--cohorts", 2, "--people", 130, "--page-size", 20, "--cycles", 4, "--churn", 0.2)
NUMBER = re.compile(r"<strong>([^<]*)</strong>\s*<span>([^<]*)</span>")


@pytest.fixture
def played(relay: Relay) -> Relay:
    """A relay after the simulator's worst run."""
    with served(relay.app) as url:
        result = terminal_of(relay.app)("simulate", "--json", "--url", url, *SIZE, *WORST)
    assert result.exit_code == 0, result.output
    return relay


def numbers(page: str) -> dict[str, int]:
    """The large numbers of a page, by the word under each."""
    found = NUMBER.findall(page)
    return {word: whole(shown) for shown, word in found if re.fullmatch(r"[+\N{MINUS SIGN}\d,]+", shown)}


def whole(shown: str) -> int:
    return int(re.sub(r"[^0-9]", "", shown))


def rows_of(browser: Browser, path: str) -> int:
    """How many rows a list has, over all its pages."""
    count = 0
    while path:
        page = browser.page(path)
        count += len(re.findall(r'<th scope="row"', page.split("<tbody>", 1)[1])) if "<tbody>" in page else 0
        following = re.search(r'<a class="button" href="([^"]+)" rel="next"', page)
        path = unescape(following.group(1)) if following else ""
    return count


def logged(relay: Relay, where: str, number: int) -> dict[str, int]:
    (row,) = relay.rows(
        f"""SELECT coalesce(sum(CASE WHEN entered THEN 1 ELSE 0 END), 0) AS entered,
            coalesce(sum(CASE WHEN entered THEN 0 ELSE 1 END), 0) AS "left"
        FROM membership_change WHERE {where} = :number""",
        number=number,
    )
    return row


def test_f10_every_sessions_numbers_are_the_apis_and_the_logs(played: Relay) -> None:
    browser = played.sign_in("viewer")
    sessions = played.api("/sessions", limit=1000).json["data"]
    assert len(sessions) > 20
    for one in sessions:
        shown = numbers(browser.page(f"/sessions/{one['id']}"))
        wanted = {name: one[name] for name in ("received", "entered", "left", "unchanged", "rejected")}
        assert {name: shown[name] for name in wanted} == wanted, one
        assert logged(played, "session_id", one["id"]) == {"entered": one["entered"], "left": one["left"]}
        for kind in ("entered", "left"):
            assert rows_of(browser, f"/sessions/{one['id']}/members/{kind}") == one[kind], one


def test_s10_every_cohorts_size_is_the_apis_the_logs_and_its_lists(played: Relay) -> None:
    browser = played.sign_in("viewer")
    ids = {row["mixpanel_cohort_id"]: row["id"] for row in played.rows("SELECT id, mixpanel_cohort_id FROM cohort")}
    cohorts = played.api("/cohorts").json["data"]
    assert len(cohorts) == 4
    for one in cohorts:
        path = f"/cohorts/{ids[one['cohort_id']]}"
        log = logged(played, "cohort_id", ids[one["cohort_id"]])
        page = browser.page(path)
        shown = numbers(page)
        assert shown["members"] == one["member_count"] == log["entered"] - log["left"]
        assert (shown["entered today"], shown["left today"]) == (log["entered"], log["left"])
        assert rows_of_members(browser, path) == one["member_count"]
        assert f">{one['member_count']:,}<" in browser.page("/cohorts")


def rows_of_members(browser: Browser, path: str) -> int:
    """The members' list alone: the charts' tables are on the same page."""
    count = 0
    while path:
        page = browser.page(path)
        count += len(re.findall(r'<a href="/people/\d+"', page))
        following = re.search(r'<a class="button" href="([^"]+)" rel="next"', page)
        path = unescape(following.group(1)) if following else ""
    return count


def test_the_overview_counts_what_the_log_has(played: Relay) -> None:
    page = played.sign_in("viewer").page("/")
    (row,) = played.rows(
        """SELECT sum(CASE WHEN entered THEN 1 ELSE 0 END) AS entered,
            sum(CASE WHEN entered THEN 0 ELSE 1 END) AS "left" FROM membership_change"""
    )
    assert f"<strong>{row['entered']:,}</strong> entered" in page
    assert f"<strong>{row['left']:,}</strong> left" in page
