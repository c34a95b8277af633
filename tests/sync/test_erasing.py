"""Erasing a person out of receiving: the sums stay true, and nothing that Mixpanel has said is disturbed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.database import DatabaseUnavailable
from sync import erasure as sync_erasure
from sync.id_sets import decode
from sync.status.cohort import cohort_statuses
from sync.sweep import decisions
from tests.conftest import MakeRelay
from tests.failing.books import Books
from tests.relay import MINUTE, Relay, basic, body, member
from tests.sync.statements import watched

cohort_ids = count(1)
aliases = (f"erased-{number}" for number in count(1))


def erase(relay: Relay, who: str, project: str = "1") -> sync_erasure.PersonCounts:
    alias = next(aliases)
    return relay.database.write(lambda db: sync_erasure.erase(db, project, who, alias, relay.clock()))


def erasures(relay: Relay) -> list[dict[str, object]]:
    return relay.rows("SELECT * FROM sync_session WHERE action = 'erasure' ORDER BY id")


@pytest.fixture
def books(relay: Relay, database_url: str) -> Iterator[Books]:
    """Balanced at the end of every test."""
    found = Books(database_url)
    yield found
    for row in relay.rows("SELECT mixpanel_cohort_id AS id, project_id FROM cohort"):
        found.assert_balanced(row["id"], row["project_id"])


def test_s10_whoever_is_erased_leaves_every_cohort(relay: Relay, books: Books) -> None:
    relay.refresh(["ada", "bob"], cohort="7")
    relay.refresh(["ada"], cohort="8", session="s2")
    relay.add(["ada"], cohort="9", session="s3")
    relay.remove(["ada"], cohort="9", session="s4")
    assert erase(relay, "ada") == sync_erasure.PersonCounts(profiles=1, cohorts=2, stays=3, changes=4)
    assert (relay.members("7"), relay.members("8"), relay.members("9")) == ({"bob"}, set(), set())
    assert [row["left_count"] for row in erasures(relay)] == [1, 1]
    assert relay.cohort("7")["member_count"] == 1


def test_s11_the_log_says_that_somebody_left_and_not_who_it_was(relay: Relay, books: Books) -> None:
    relay.refresh(["ada", "bob"])
    erase(relay, "ada")
    (first, _), (second, who), (third, again) = [(kind, one) for kind, one, _ in sorted(relay.log())][::-1]
    assert {first, second, third} == {"left", "entered"}
    assert relay.log()[-1][0] == "left"
    assert relay.log()[-1][1].startswith("erased-")
    assert "ada" not in {one for _, one, _ in relay.log()}
    assert who
    assert again


def test_a_profile_becomes_nobodys(relay: Relay, books: Books) -> None:
    relay.refresh([member("ada", email="ada@example.com", first_name="Ada", plan="pro")])
    relay.clock.forward(MINUTE)
    erase(relay, "ada")
    (row,) = relay.rows("SELECT * FROM person")
    data = {name: row[name] for name in ("digest", "email", "first_name", "last_name", "phone_number", "named_fields")}
    assert data == dict.fromkeys(data) | {"named_fields": 0}
    assert row["properties"] in ("{}", {})
    assert row["created_at"] == row["updated_at"] == row["erased_at"] == relay.clock()


def test_what_is_known_of_mixpanels_calls_stays(relay: Relay, books: Books) -> None:
    """Rhythm, last call, label, order and "in step" are about Mixpanel, and an erasure is none of its calls."""
    for number in range(5):
        relay.refresh(["ada", "bob"], session=f"s{number}", name=f"name {number}")
        relay.clock.forward(30 * MINUTE)
    untouched = ("name", "session_count", "newest_refresh", "complete_refresh", "last_synced_at", "last_call_at")
    before = relay.cohort()
    (status,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    erase(relay, "ada")
    after = relay.cohort()
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert after["version"] > before["version"]
    (now,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert (now.rhythm, now.state, now.connection) == (status.rhythm, status.state, status.connection)


def test_a_cohort_with_few_sessions_learns_no_rhythm_from_erasures(relay: Relay, books: Books) -> None:
    relay.refresh([str(number) for number in range(5)])
    for number in range(5):
        relay.clock.forward(10 * MINUTE)
        erase(relay, str(number))
    (now,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert (now.rhythm.kind, now.rhythm.last_beat) == ("new", relay.cohort()["last_call_at"])


def test_a_diff_without_a_session_id_goes_on_over_an_erasure(relay: Relay, books: Books) -> None:
    relay.add(["ada"], session=None, page=None)
    erase(relay, "ada")
    relay.add(["bob"], session=None, page=None)
    assert len(relay.rows("SELECT id FROM sync_session WHERE number > 0")) == 1


def test_whom_mixpanel_sends_again_is_new_with_entry_number_one(relay: Relay, books: Books) -> None:
    relay.add([member("ada", email="old@example.com")])
    erase(relay, "ada")
    relay.add(["ada"], session="again")
    assert relay.person("ada")["email"] is None
    assert [(kind, entry) for kind, one, entry in relay.log() if one == "ada"] == [("entered", 1)]


def test_s7_a_replay_of_the_page_that_named_them_brings_nobody_back(relay: Relay, books: Books) -> None:
    relay.refresh(["ada", "bob"])
    erase(relay, "ada")
    relay.refresh(["ada", "bob"])
    assert relay.members() == {"bob"}
    assert relay.rows("SELECT * FROM person WHERE distinct_id = 'ada'") == []


def test_s14_a_refresh_under_way_that_has_named_them_ends_without_them(relay: Relay, books: Books) -> None:
    relay.refresh(["old"])
    relay.refresh(["ada", "bob"], 1, 2, session="s2")
    erase(relay, "ada")
    relay.refresh(["cyd"], 2, 2, session="s2")
    assert relay.members() == {"bob", "cyd"}
    session = relay.rows("SELECT * FROM sync_session WHERE mixpanel_session_id = 's2'")[0]
    assert session["status"] == "complete"
    assert [session[name] for name in ("received", "entered", "left_count", "unchanged")] == [3, 3, 1, 0]


def test_a_page_that_comes_later_in_that_refresh_and_names_them_makes_a_new_person(relay: Relay, books: Books) -> None:
    """Mixpanel still has them: it must be told first."""
    relay.refresh(["ada", "bob"], 1, 2, session="s2")
    erase(relay, "ada")
    relay.refresh(["ada", "cyd"], 2, 2, session="s2")
    assert relay.members() == {"ada", "bob", "cyd"}
    assert [entry for kind, one, entry in relay.log() if one == "ada"] == [1]


def test_a_late_page_of_an_older_refresh_does_not_bring_them_back(relay: Relay, books: Books) -> None:
    relay.refresh(["ada"], 1, 2, session="s1")
    relay.refresh(["ada", "bob"], session="s2")
    erase(relay, "ada")
    relay.refresh(["ada"], 2, 2, session="s1")
    assert relay.members() == {"bob"}
    assert relay.rows("SELECT * FROM person WHERE distinct_id = 'ada'") == []


def test_a_refresh_that_sweeps_in_steps_goes_on_over_an_erasure(make_relay: MakeRelay, database_url: str) -> None:
    relay = make_relay(sweep_inline_members=1)
    relay.refresh(["ada", "bob", "cyd", "dan"])
    relay.work()
    relay.refresh(["ada", "bob"], session="s2")
    assert relay.session()["status"] == "sweeping"
    erase(relay, "ada")
    relay.work()
    assert relay.members() == {"bob"}
    assert relay.rows("SELECT status FROM sync_session WHERE mixpanel_session_id = 's2'") == [{"status": "complete"}]
    Books(database_url).assert_balanced()


def test_a_held_refresh_can_still_be_decided(make_relay: MakeRelay, database_url: str) -> None:
    relay = make_relay(removal_guard_min_members=1)
    relay.refresh(["ada", "bob", "cyd"])
    relay.refresh(["bob"], session="s2")
    erase(relay, "ada")
    held = relay.session()["id"]
    assert relay.database.write(lambda db: decisions.approve(db, held, relay.rules, relay.clock()))
    assert relay.members() == {"bob"}
    Books(database_url).assert_balanced()


def test_whoever_was_never_in_is_erased_without_an_exit(relay: Relay, books: Books) -> None:
    relay.remove(["ada"])
    assert erase(relay, "ada") == sync_erasure.PersonCounts(profiles=1)
    assert erasures(relay) == []
    assert erase(relay, "ada") == sync_erasure.PersonCounts()


def test_an_erasure_is_a_handful_of_statements_a_cohort_whatever_their_size(relay: Relay, books: Books) -> None:
    for size, cohort in ((5, "7"), (2000, "8")):
        relay.refresh([member(f"{cohort}-{number}") for number in range(size)], cohort=cohort)
    with watched(relay) as small:
        erase(relay, "7-0")
    with watched(relay) as large:
        erase(relay, "8-0")
    assert len(small) == len(large) <= 16


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_pages_that_arrive_meanwhile_neither_deadlock_nor_leave_half_of_a_person(
    make_relay: MakeRelay, database_url: str
) -> None:
    """Four connections carry four cohorts of the same people, new cohorts among them, while people are erased."""
    relay = make_relay(removal_guard_percent=0)
    people = [f"p{number:02}" for number in range(40)]

    def carry(cohort: int) -> None:
        client = relay.app.test_client()
        for turn in range(12):
            named = [member(one, email=f"{one}@{turn}.example.org") for one in people[cohort % 3 :: 2]]
            page = body("members", named, cohort=cohort + 10 * (turn // 3), session=f"{cohort} {turn}")
            answer = client.post(
                f"/webhooks/mixpanel/{relay.name}", json=page, headers=basic(relay.name, relay.password)
            )
            assert answer.status_code == 200, answer.json

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(carry, cohort) for cohort in range(4)]
        gone = [pool.submit(erase, relay, one) for one in people * 2]
        for one in [*running, *gone]:
            one.result()
    anonymous_inside = """SELECT p.id FROM person p JOIN membership m ON m.person_id = p.id
        WHERE p.erased_at IS NOT NULL AND m.left_at IS NULL"""
    assert relay.rows(anonymous_inside) == []
    rest = """SELECT p.id FROM person p WHERE p.erased_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.person_id = p.id)"""
    assert relay.rows(rest) == []  # nobody has a profile that no cohort knows
    for cohort in (tens + one for tens in range(0, 40, 10) for one in range(4)):
        Books(database_url).assert_balanced(str(cohort))


def test_a_cohort_that_stays_locked_leaves_everything_as_it_was(relay: Relay, books: Books, dialect: str) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite's writer is one lock; the terminal's next try is the same")
    relay.refresh(["ada"], cohort="7")
    relay.refresh(["ada"], cohort="8", session="s2")
    with relay.database.writer.connect() as other, other.begin():
        other.exec_driver_sql("SELECT id FROM cohort WHERE mixpanel_cohort_id = '8' FOR UPDATE")
        with pytest.raises(DatabaseUnavailable):
            erase(relay, "ada")
    assert (relay.members("7"), relay.members("8")) == ({"ada"}, {"ada"})
    assert erase(relay, "ada").cohorts == 2


# --- at random

ACTIONS = ("members", "add_members", "remove_members")
pages = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3), st.sets(st.sampled_from("abcd")), st.integers(1, 2))
steps = st.lists(st.one_of(pages, st.sampled_from("abcd"), st.sampled_from([1, 3, 20])), min_size=3, max_size=14)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_s10_s14_hold_whenever_somebody_is_erased(relay: Relay, database_url: str, steps: list[object]) -> None:
    """Pages of half-done refreshes and diffs, time, and erasures, in any order."""
    cohort, books = f"random-{next(cohort_ids)}", Books(database_url)
    for step in steps:
        if isinstance(step, int):
            relay.wait(step * MINUTE)
        elif isinstance(step, str):
            erase(relay, step, project=cohort)
            assert step not in relay.members(cohort, cohort)
        else:
            action, session, named, page = step
            relay.sync(action, sorted(named), page, 2, session=f"{session}", cohort=cohort, project=cohort)
        books.assert_balanced(cohort)
    for session in books.sessions(cohort):
        if session["action"] == "members" and session["status"] == "complete":
            named = {one for row in _pages(relay, session["id"]) for one in decode(bytes(row["seen"]))}
            assert session["received"] == len(named)
            assert session["unchanged"] == session["received"] - len(named & _entered(relay, session["id"]))


def _pages(relay: Relay, session: int) -> list[dict[str, bytes]]:
    return relay.rows("SELECT seen FROM sync_page WHERE session_id = :session AND applied", session=session)


def _entered(relay: Relay, session: int) -> set[int]:
    rows = relay.rows(
        "SELECT person_id FROM membership_change WHERE session_id = :session AND entered", session=session
    )
    return {row["person_id"] for row in rows}
