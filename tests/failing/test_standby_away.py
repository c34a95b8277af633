"""A synchronous standby that does not answer: PostgreSQL lets commits wait without an end. Who reads does not wait, who
writes hears so in time, and when the standby is there again everything is exact."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app import create_app
from config.clock import now
from models.maintenance import schema
from tests.conftest import settings_for
from tests.failing.cluster import Cluster, private_cluster
from tests.failing.server import wait_until
from tests.failing.worker import workers
from tests.relay import Relay, TestClock

before, after = ["ada", "ben"], ["ben", "cleo"]
TROUBLE = "keeps nothing new: its synchronous standby does not answer"
WITHIN = 10  # seconds
MINUTE = 60_000


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    with private_cluster() as one:
        yield one


@pytest.fixture
def relay(own: Cluster, tmp_path: Path) -> Iterator[Relay]:
    clock = TestClock()
    app = create_app(settings_for(tmp_path, database_url=own.new_database()), clock)
    app.extensions["runtime"].database.alter(schema.upgrade)
    relay = Relay(app, clock)
    relay.refresh(before, session="first")
    yield relay
    wait_for_standby(own, "")
    relay.database.dispose()


def wait_for_standby(cluster: Cluster, name: str) -> None:
    """Let commits wait for a standby of this name, which nobody has; for none where it is empty."""
    with psycopg.connect(cluster.url(), autocommit=True) as db:
        db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        db.execute("SELECT pg_reload_conf()")
        wait_until(lambda: _waits(db) == bool(name), 20, "the setting")


def _waits(db: psycopg.Connection) -> bool:
    """Whether a commit waits; PostgreSQL warns where it was told to wait no longer."""
    warnings: list[object] = []
    db.add_notice_handler(warnings.append)
    enough = threading.Timer(0.5, db.cancel)
    enough.start()
    db.execute("SELECT pg_logical_emit_message(true, 'a commit', '')")
    enough.cancel()
    enough.join()
    db.remove_notice_handler(warnings.append)
    return bool(warnings)


def waiting(cluster: Cluster) -> int:
    with psycopg.connect(cluster.url()) as db:
        (count,) = db.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone() or (0,)
        return count


def test_s10_a_page_is_refused_in_time_and_the_cohort_ends_exact(relay: Relay, own: Cluster) -> None:
    wait_for_standby(own, "nobody")
    began = time.monotonic()
    first = relay.post("members", after, session="second")
    assert time.monotonic() - began < WITHIN
    assert (first.status_code, int(first.headers["Retry-After"]) > 0) == (503, True)
    assert TROUBLE in first.get_json()["error"]["message"]

    wait_for_standby(own, "")
    relay.refresh(after, session="second")
    assert relay.members() == set(after)


def test_while_a_commit_waits_nobody_begins_another(relay: Relay, own: Cluster) -> None:
    wait_for_standby(own, "nobody")
    assert relay.post("members", after, session="second").status_code == 503
    began = time.monotonic()
    for number in range(5):
        assert relay.post("members", after, session="second", cohort=f"{number}").status_code == 503
    assert (time.monotonic() - began < WITHIN, waiting(own)) == (True, 1)

    wait_for_standby(own, "")
    for number in range(5):
        assert relay.post("members", after, session="second", cohort=f"{number}").status_code == 200


def test_readers_do_not_wait_and_are_told(relay: Relay, own: Cluster) -> None:
    viewer, ready = relay.sign_in("viewer"), relay.app.test_client()
    wait_for_standby(own, "nobody")
    relay.clock.forward(2 * MINUTE)  # so that the page notes that somebody was there
    began = time.monotonic()
    assert "synchronous standby" not in viewer.page("/")
    assert (time.monotonic() - began < WITHIN, waiting(own)) == (True, 0)
    assert "writes" not in ready.get("/readyz").get_json()["checks"]

    relay.post("members", after, session="second")
    assert "<strong>The database waits for its synchronous standby.</strong>" in viewer.page("/")
    said = ready.get("/readyz")
    assert (said.status_code, said.get_json()["checks"]["writes"]) == (200, TROUBLE)

    wait_for_standby(own, "")
    relay.refresh(after, session="second")
    assert "synchronous standby" not in viewer.page("/")


def test_a_worker_leaves_no_trail_of_connections_and_goes_on_by_itself(
    relay: Relay, own: Cluster, tmp_path: Path
) -> None:
    assert isinstance(relay.clock, TestClock)
    relay.clock.time = now()  # the worker's
    cohorts = [str(number) for number in range(10)]
    for cohort in cohorts:
        relay.refresh(before, session="first", cohort=cohort)
        relay.refresh(after, session="second", cohort=cohort, page=None)  # ends when it has settled
    url = own.url(relay.database.writer.url.database or "")
    with workers(url, tmp_path) as make:
        wait_for_standby(own, "nobody")
        worker = make(settle_seconds=1)
        wait_until(lambda: waiting(own), 60, "a commit of its own")
        time.sleep(8)  # as long as it would leave several behind
        assert (worker.is_alive, waiting(own)) == (True, 1)
        wait_for_standby(own, "")
        wait_until(lambda: all(relay.members(cohort) == set(after) for cohort in cohorts), 60, "the ends")
        assert (worker.is_alive, waiting(own)) == (True, 0)
