"""How far an export has come: late, missing pages by name, and one truth about it on every page."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, text

from sync.status import progress
from sync.status.cohort import CohortStatus, cohort_statuses
from sync.status.connection import connection_statuses
from tests.relay import MINUTE, SECOND, Browser, Relay, member


class Session:
    def __init__(self, status: str, pages: int, took: int) -> None:
        self.status, self.pages_received, self.started_at, self.last_page_at = status, pages, 0, took


@given(pages=st.integers(2, 10_000), pace=st.integers(0, 600_000), silence=st.integers(0, 3_600_000))
def test_an_export_is_late_after_three_of_its_own_paces_and_never_before_ten_seconds(
    pages: int, pace: int, silence: int
) -> None:
    session = Session("receiving", pages, pace * (pages - 1))
    late = progress.state(session, session.last_page_at + silence) == "late"
    assert late == (silence > max(10_000, 3 * pace))


@given(
    st.sampled_from(["settling", "sweeping", "stalled", "held", "complete", "superseded"]),
    st.integers(0, 1440 * MINUTE),
)
def test_only_what_is_being_received_is_late(status: str, silence: int) -> None:
    assert progress.state(Session(status, 5, 5000), 5000 + silence) == status


@given(st.sets(st.integers(1, 60)), st.integers(1, 60))
def test_every_missing_page_is_named_or_counted(here: set[int], total: int) -> None:
    absent = [page for page in range(1, total + 1) if page not in here]
    ranges: list[tuple[int, int]] = []
    for page in absent:
        ranges[-1:] = [(ranges[-1][0], page)] if ranges and ranges[-1][1] == page - 1 else [*ranges[-1:], (page, page)]
    said = progress.missing(ranges)
    numbers = 0
    for first, last, more in re.findall(r"(\d+)(?: to (\d+))?( more)?", said):
        numbers += int(first) if more else int(last or first) - int(first) + 1
    assert numbers == len(absent)
    assert (" is missing" in said) == (len(absent) in {0, 1})


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([(7, 7)], "page 7 is missing"),
        ([(7, 7), (23, 23)], "pages 7 and 23 are missing"),
        ([(7, 9)], "pages 7 to 9 are missing"),
        ([(1, 1), (3, 3), (5, 5), (7, 7), (9, 10)], "pages 1, 3, 5 and 3 more are missing"),
    ],
)
def test_missing_pages_in_words(ranges: list[tuple[int, int]], said: str) -> None:
    assert progress.missing(ranges) == said


def receive(relay: Relay, pages: list[int], total: int = 40, every: int = SECOND, **more: str) -> None:
    for page in pages:
        relay.refresh([member(f"{page}-{number}") for number in range(3)], page=page, total=total, **more)
        relay.clock.forward(every)


def without(*gone: int) -> list[int]:
    return [page for page in range(1, 41) if page not in gone]


def read(html_: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", html_)).split())


def stands(relay: Relay) -> CohortStatus:
    return relay.database.read(lambda db: cohort_statuses(db, relay.clock()))[0]


def told(relay: Relay, browser: Browser) -> list[str]:
    """What the overview, the cohort and the session say of the one export."""
    session = relay.session()
    return [
        read(browser.page(path)) for path in ("/", f"/cohorts/{session['cohort_id']}", f"/sessions/{session['id']}")
    ]


def test_a_late_export_is_told_the_same_everywhere_without_a_rate(relay: Relay) -> None:
    receive(relay, without(7, 23))
    browser = relay.sign_in("viewer")
    assert "members/s" in told(relay, browser)[0]
    relay.clock.forward(6 * MINUTE)
    for page in told(relay, browser):
        assert "Late" in page
        assert re.search("ages 7 and 23 are missing", page)
        assert "6 min" in page
        assert "members/s" not in page
        assert "done in about" not in page
    lists = [read(browser.page(path)) for path in ("/cohorts", "/sessions", "/connections/crm")]
    assert [bool(re.search(r"\bLate\b", page)) for page in lists] == [True, True, True]
    assert stands(relay).tone == "waiting"


def test_a_page_ends_being_late_and_fifteen_minutes_make_it_stalled(relay: Relay) -> None:
    receive(relay, without(7, 23))
    relay.clock.forward(MINUTE)
    assert stands(relay).state == "late"
    receive(relay, [7])
    assert stands(relay).state == "receiving"
    relay.wait(14 * MINUTE)
    assert stands(relay).state == "late"
    relay.wait(2 * MINUTE)
    assert stands(relay).state == "stalled"
    for page in told(relay, relay.sign_in("viewer")):
        assert re.search("age 23 is missing", page)


def test_a_late_diff_is_late_too_and_the_api_says_what_it_says(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.add(["B"], 1, 3, session="diff")
    relay.clock.forward(SECOND)
    relay.add(["C"], 3, 3, session="diff")
    relay.clock.forward(MINUTE)
    assert (stands(relay).state, stands(relay).says) == ("late", "No page for 1 min; page 2 is missing")
    assert relay.api("/sessions").json["data"][0]["status"] == "receiving"


def test_a_one_time_export_that_stalls_does_not_start_over(relay: Relay) -> None:
    receive(relay, [1, 2], total=3)
    relay.wait(3 * 60 * MINUTE)
    for page in told(relay, relay.sign_in("viewer")):
        assert "Mixpanel does not send a one-time export again by itself" in page
        assert "starts over" not in page


def paused(relay: Relay) -> None:
    relay.refresh(["A"], cohort="8", name="Churn risk")
    relay.clock.forward(SECOND)
    assert (
        relay.post("members", ["A"], page=0, total=3, session="bad", cohort="8", name="Churn risk").status_code == 400
    )


def test_a_connection_is_not_in_step_while_one_of_its_syncs_is_paused(relay: Relay) -> None:
    relay.refresh(["A"], cohort="7")
    paused(relay)
    browser = relay.sign_in("viewer")
    (connection,) = relay.database.read(lambda db: connection_statuses(db, relay.clock())).values()
    assert (connection.state, connection.own_state) == ("failing", "in_step")
    assert connection.says.startswith("Churn risk is paused by Mixpanel; the other one is well.")
    for path in ("/connections", "/connections/crm"):
        page = read(browser.page(path))
        assert "Churn risk is paused by Mixpanel" in page or "Failing" in page
        assert not re.search(r"crm.{0,40}In step", page)


@pytest.mark.parametrize("trouble", ["late", "stalled", "held", "failing"])
def test_a_connection_is_as_well_as_the_worst_of_its_cohorts(relay: Relay, trouble: str) -> None:
    relay.refresh(["A"], cohort="7")
    if trouble in {"late", "stalled"}:
        receive(relay, [1, 3], total=3, cohort="9")
        relay.wait(MINUTE if trouble == "late" else 16 * MINUTE)
    elif trouble == "held":
        relay.refresh([f"u{number}" for number in range(200)], cohort="9", session="all")
        relay.refresh(["u1"], cohort="9", session="few")
    else:
        paused(relay)
    (connection,) = relay.database.read(lambda db: connection_statuses(db, relay.clock())).values()
    assert connection.state == trouble
    assert "the other one is well" in connection.says


def test_all_is_well_while_something_is_received(relay: Relay) -> None:
    relay.refresh(["A"], cohort="7")
    receive(relay, [1], total=3, cohort="8")
    page = read(relay.sign_in("viewer").page("/"))
    assert "All 2 cohorts are well: 1 is in step, 1 is being received." in page


def test_one_look_reads_the_gaps_of_twenty_sessions(relay: Relay) -> None:
    looked = relay.database.read(lambda db: progress.gaps(db, range(1, 100)))
    assert list(looked) == list(range(1, 21))


def test_gaps_are_looked_for_in_the_pages_of_the_sessions_asked_about_alone(relay: Relay) -> None:
    """However many sessions are stored, and whatever a database believes of them before it has counted."""
    for number in range(3):
        relay.post("members", [f"p{number}"], 2, 5, session=f"s{number}")
    explain = "EXPLAIN" if relay.database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    asked = text(f"{explain} {progress._GAPS.text}").bindparams(bindparam("sessions", expanding=True))
    plan = str(relay.database.read(lambda db: db.execute(asked, {"sessions": [1, 2, 3]}).all()))
    assert not re.search("Anti Join|SCAN b", plan), plan
