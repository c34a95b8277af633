"""The log's retention: stays that ended long ago go, each as a whole, and whatever is counted stays true."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from config.clock import DAY
from sync import retention
from sync.retention import prune_log
from tests.api.reading import every, read, refusal
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay
from tests.sync.statements import watched

CHANGES = "/projects/1/cohorts/7/changes"


def prune(relay: Relay, days: int = 30) -> int:
    return prune_log(relay.database, days, relay.clock())


def counted(relay: Relay, cohort: str = "7") -> tuple[int, int, int]:
    """Members by the cohort's own count, by memberships, and by the log (S10)."""
    log = [kind for kind, _, _ in relay.log(cohort)]
    return relay.cohort(cohort)["member_count"], len(relay.members(cohort)), log.count("entered") - log.count("left")


@pytest.fixture
def aged(relay: Relay) -> Relay:
    """Ada and Bob have left long ago, Bob is back, Cyd never left, Dan has left today."""
    relay.add(["ada", "bob", "cyd", "dan"], session="1")
    relay.remove(["ada", "bob"], session="2")
    relay.clock.forward(20 * DAY)
    relay.add(["bob"], session="3")
    relay.clock.forward(20 * DAY)
    relay.remove(["dan"], session="4")
    return relay


def test_s10_only_whole_stays_that_ended_before_go_and_the_sum_stays(aged: Relay) -> None:
    assert prune(aged) == 4
    assert aged.log() == [("entered", "cyd", 1), ("entered", "dan", 1), ("entered", "bob", 2), ("left", "dan", 1)]
    assert counted(aged) == (2, 2, 2)


def test_zero_days_keep_everything(aged: Relay) -> None:
    assert prune(aged, 0) == 0
    assert len(aged.log()) == 8


def test_a_stay_that_ends_later_goes_when_its_time_comes_wherever_it_began(aged: Relay) -> None:
    prune(aged)
    aged.clock.forward(31 * DAY)
    assert prune(aged) == 2
    assert aged.log() == [("entered", "cyd", 1), ("entered", "bob", 2)]


def test_a_walk_along_the_stays_ends_where_the_log_begins(aged: Relay) -> None:
    prune(aged)
    (stay,) = read(aged, "/people/1/bob")["stays"]
    assert (stay["entry_number"], stay["left_at"]) == (2, None)
    assert read(aged, "/people/1/ada")["stays"] == []
    browser = aged.sign_in("viewer")
    for who in ("ada", "bob"):
        assert "RETAIN_LOG_DAYS" in browser.page(f"/people/{aged.person(who)['id']}")
    assert "RETAIN_LOG_DAYS" not in browser.page(f"/people/{aged.person('cyd')['id']}")


def test_whoever_comes_back_goes_on_with_their_entry_number(aged: Relay) -> None:
    prune(aged)
    aged.add(["ada"], session="5")
    assert aged.log()[-1] == ("entered", "ada", 2)
    aged.remove(["ada"], session="6")
    aged.clock.forward(31 * DAY)
    prune(aged)
    assert counted(aged) == (2, 2, 2)


def test_the_feed_from_the_beginning_gives_exactly_the_members(aged: Relay) -> None:
    prune(aged)
    members: set[str] = set()
    for change in every(aged, CHANGES, limit=1):
        (members.add if change["kind"] == "entered" else members.remove)(change["distinct_id"])
    assert members == aged.members()
    assert read(aged, CHANGES)["gone_to"] == 6  # Bob's first exit


def test_a_cursor_that_may_have_missed_an_exit_is_told_so(aged: Relay) -> None:
    """It knew that Bob is in, and his exit is gone."""
    prune(aged)
    status, message = refusal(aged, CHANGES, after="2")
    assert (status, "Begin anew" in message) == (410, True)
    assert read(aged, CHANGES, after="6")["data"][0]["distinct_id"] == "bob"


def test_whoever_begins_anew_reads_on_unless_more_goes_meanwhile(aged: Relay) -> None:
    prune(aged)
    first = read(aged, CHANGES, limit=1)
    assert first["data"][0]["distinct_id"] == "cyd"
    second = read(aged, CHANGES, limit=1, after=first["next"])
    assert second["data"][0]["distinct_id"] == "dan"
    aged.clock.forward(31 * DAY)
    prune(aged)  # Dan's stay, which this reader knows half of
    assert refusal(aged, CHANGES, after=second["next"])[0] == 410


def test_a_cursor_is_good_where_only_entries_were_examined(relay: Relay) -> None:
    relay.add(["ada", "bob", "cyd"])
    relay.clock.forward(40 * DAY)
    prune(relay)
    assert [one["distinct_id"] for one in read(relay, CHANGES, after="1")["data"]] == ["bob", "cyd"]


def test_each_row_of_the_log_is_examined_once(aged: Relay) -> None:
    prune(aged)
    with watched(aged) as statements:
        assert prune(aged) == 0
    assert len(statements) == 1  # a probe of each cohort's next row


def test_neither_database_reads_the_whole_log(aged: Relay, dialect: str) -> None:
    values = {"before": 1, "cohort": 1, "examined": 0, "needed": 9, "step": 9, "numbers": [1, 2]}

    def plans(db: Connection) -> str:
        if dialect == "postgresql":  # a table this small is read whole, were that not discouraged
            db.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
        known = values if dialect == "postgresql" else values | {"numbers": "[1, 2]"}
        statements = (retention._DUE, retention._NEXT, retention._DELETE[dialect])
        return str([db.execute(text(f"{explain} {one.text}"), known).all() for one in statements]).lower()

    plan = aged.database.read(plans)
    assert "seq scan on membership_change" not in plan
    assert "scan x" not in plan.replace("index scan using pk_membership_change on membership_change x", "")
    assert "scan membership_change" not in plan


def test_large_logs_go_in_steps(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 7)
    people = [f"p{number:03}" for number in range(50)]
    relay.add(people, session="in")
    relay.remove(people[10:], session="out")
    relay.clock.forward(31 * DAY)
    assert prune(relay) == 80
    assert counted(relay) == (10, 10, 10)
    assert relay.cohort()["log_examined"] == 90


def test_what_an_unfinished_refresh_counts_from_the_log_stays(relay: Relay) -> None:
    relay.refresh(["ada", "bob"], 1, 2, session="slow")
    relay.remove(["ada"], session="diff")
    relay.clock.forward(40 * DAY)
    assert prune(relay) == 0
    relay.refresh(["cyd"], 2, 2, session="slow")
    assert prune(relay) == 2


def test_the_session_says_which_of_its_people_are_not_known_any_more(aged: Relay) -> None:
    prune(aged)
    browser = aged.sign_in("viewer")
    first, second, third = (row["id"] for row in aged.rows("SELECT id FROM sync_session ORDER BY id LIMIT 3"))
    page = browser.page(f"/sessions/{first}/members/entered")
    assert "Not all of them are known any more" in page
    assert "Entered 4" in page
    assert "cyd" in page
    assert "Not kept any more" in browser.page(f"/sessions/{second}/members/left")
    assert "RETAIN_LOG_DAYS" not in browser.page(f"/sessions/{third}/members/entered")


def test_members_as_of_a_moment_before_say_that_some_may_be_missing(make_relay: MakeRelay) -> None:
    relay = make_relay(retain_log_days=30)
    relay.add(["ada"], session="1")
    relay.clock.forward(MINUTE)
    relay.remove(["ada"], session="2")
    relay.clock.forward(40 * DAY)
    prune(relay)
    cohort = relay.cohort()["id"]
    browser = relay.sign_in("viewer")
    assert "past their retention" in browser.page(f"/cohorts/{cohort}?as_of=2025-06-15T15:07")
    assert "past their retention" not in browser.page(f"/cohorts/{cohort}?as_of=2025-07-25T00:00")


def test_the_worker_prunes_by_the_setting(make_relay: MakeRelay) -> None:
    from tests.commands.conftest import terminal_of

    relay = make_relay(retain_log_days=30)
    relay.add(["ada"], session="1")
    relay.remove(["ada"], session="2")
    relay.clock.forward(31 * DAY)
    assert terminal_of(relay.app)("work", "--once").exit_code == 0
    assert relay.log() == []
    assert "30 days after their end, each as a whole" in relay.sign_in("viewer").page("/settings")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["add_members", "remove_members", "members"]), st.sets(st.sampled_from("abcde"))),
            st.integers(1, 25),
        ),
        max_size=20,
    )
)
def test_s10_holds_whenever_the_log_is_pruned(relay: Relay, steps: list[object]) -> None:
    cohort = f"random-{relay.rows('SELECT count(*) AS cohorts FROM cohort')[0]['cohorts']}"
    relay.add([], cohort=cohort)
    for number, step in enumerate(steps):
        if isinstance(step, int):
            relay.clock.forward(step * DAY)
            prune(relay, 20)
        else:
            action, named = step
            relay.sync(action, sorted(named), session=str(number), cohort=cohort)
        assert len(set(counted(relay, cohort))) == 1
    members: set[str] = set()
    for change in every(relay, f"/projects/1/cohorts/{cohort}/changes"):
        entered = change["kind"] == "entered"
        assert (change["distinct_id"] in members) is not entered
        (members.add if entered else members.remove)(change["distinct_id"])
    assert members == relay.members(cohort)
