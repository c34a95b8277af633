"""A read replica answers lists, exports and pages as long as it follows; whatever it lacks the primary says."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app import create_app
from models import replica
from models.maintenance import schema
from tests.conftest import MakeRelay, settings_for
from tests.failing.server import wait_until
from tests.failing.standby import Pair, primary_and_standby
from tests.relay import MINUTE, Relay

pytestmark = pytest.mark.slow
COHORT = "/projects/1/cohorts/7"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with primary_and_standby() as made:
        yield made


@pytest.fixture
def name(pair: Pair) -> str:
    return pair.new_database()


@pytest.fixture
def database_url(pair: Pair, name: str, tmp_path: Path) -> str:
    """An empty relay's, with its tables."""
    url = pair.primary.url(name)
    database = create_app(settings_for(tmp_path, database_url=url)).extensions["runtime"].database
    database.alter(schema.upgrade)
    database.dispose()
    return url


@pytest.fixture
def relay(make_relay: MakeRelay, pair: Pair, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay with ada in its cohort, which the standby has as well; every call looks how far that is behind."""
    monkeypatch.setattr(replica, "EVERY", 0.0)
    made = make_relay(database_read_url=pair.standby.url(name))
    made.refresh({"ada"})
    follow(pair)
    assert listed(made) == {"ada"}
    yield made
    follow(pair)


def pause(pair: Pair) -> None:
    """From now on the standby keeps what comes, and shows none of it."""
    with psycopg.connect(pair.standby.url(), autocommit=True) as db:
        db.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: db.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",), 10, "pause")


def follow(pair: Pair) -> None:
    """Let the standby go on, and wait until it has all."""
    with psycopg.connect(pair.primary.url(), autocommit=True) as db:
        (newest,) = db.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("0/0",)
    with psycopg.connect(pair.standby.url(), autocommit=True) as db:
        db.execute("SELECT pg_wal_replay_resume()")
        asked = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        wait_until(lambda: db.execute(asked, (newest,)).fetchone() == (True,), 20, "the standby")


def listed(relay: Relay) -> set[str]:
    return {member["distinct_id"] for member in relay.api(f"{COHORT}/members").json["data"]}


def test_lists_and_exports_are_the_replicas_and_one_member_is_the_primarys(relay: Relay, pair: Pair) -> None:
    pause(pair)
    relay.refresh({"ada", "bob"}, session="s2")
    assert listed(relay) == {"ada"}
    assert "bob" not in relay.api(f"{COHORT}/members.ndjson").text
    assert relay.api(f"{COHORT}/members/bob").status_code == 200
    follow(pair)
    assert listed(relay) == {"ada", "bob"}


def test_a_cursor_that_is_ahead_of_the_replica_is_answered_and_one_that_is_ahead_of_both_is_refused(
    relay: Relay, pair: Pair
) -> None:
    pause(pair)
    relay.refresh({"ada", "bob"}, session="s2")
    page = relay.api(f"{COHORT}/changes", after="2")
    assert (page.status_code, page.json["data"], page.json["next"]) == (200, [], "2")
    assert relay.api(f"{COHORT}/changes", after="3").status_code == 400
    assert [change["distinct_id"] for change in relay.api(f"{COHORT}/changes").json["data"]] == ["ada"]


def test_a_cohort_that_the_replica_does_not_know_yet_is_found_at_the_primary(relay: Relay, pair: Pair) -> None:
    pause(pair)
    relay.refresh({"bob"}, session="new", cohort="4711")
    assert relay.api("/projects/1/cohorts/4711/members").status_code == 200


def test_a_page_says_how_old_it_is_and_whoever_has_sent_a_form_sees_the_newest(relay: Relay, pair: Pair) -> None:
    admin = relay.sign_in("admin")
    follow(pair)
    pause(pair)
    relay.refresh({"ada", "zoe"}, session="s2")
    path = re.search(r'href="(/cohorts/\d+)"', admin.page("/cohorts"))
    assert path is not None
    page = admin.page(path[1])
    assert "Read from a replica" in page
    assert "zoe" not in page
    admin.post("/account/time-zone", {"time_zone": "UTC"})
    assert "zoe" in admin.page(path[1])
    assert "Read from a replica" not in admin.page(path[1])
    relay.clock.forward(MINUTE)
    assert "zoe" not in admin.page(path[1])


def test_one_that_is_too_far_behind_is_asked_no_more(relay: Relay, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pause(pair)
    relay.refresh({"ada", "bob"}, session="s2")
    assert listed(relay) == {"ada"}
    monkeypatch.setattr(replica, "MOST_BEHIND", 0.0)
    assert listed(relay) == {"ada", "bob"}


def test_the_lag_is_in_metrics_and_doctor(relay: Relay) -> None:
    said = relay.client.get("/metrics").text
    found = re.search(r"^cohort_relay_replica_behind_seconds ([\d.e-]+)$", said, re.MULTILINE)
    assert found is not None
    assert float(found[1]) < 5
    done = relay.app.test_cli_runner().invoke(args=["doctor"])
    assert "replica: 127.0.0.1" in done.output


def test_one_that_is_gone_costs_nobody_an_answer(make_relay: MakeRelay, pair: Pair, name: str) -> None:
    """A standby of its own, because it does not come back."""
    relay = make_relay(database_read_url="postgresql://postgres@127.0.0.1:1/nowhere")
    relay.refresh({"ada"})
    assert listed(relay) == {"ada"}
    assert relay.database.replica is not None
    assert relay.database.replica.behind is None
    assert "does not answer" in relay.app.test_cli_runner().invoke(args=["doctor"]).output
