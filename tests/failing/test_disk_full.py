"""Bar: on a full disk Mixpanel hears 503, and when there is room again the same process takes the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app import create_app
from models.maintenance import schema
from tests.conftest import settings_for
from tests.failing.account import assert_tells_of_the_outage
from tests.failing.books import Books
from tests.failing.cluster import Cluster, private_cluster
from tests.failing.conftest import MakeServer
from tests.failing.sender import Sender
from tests.failing.server import Server, wait_until
from tests.failing.small_disk import Disk, small_disk
from tests.failing.test_database_away import (
    after,
    assert_ends_exact,
    assert_refused_in_time,
    before,
    pages,
    readiness,
    sender_in_the_middle,
)
from tests.relay import Relay, TestClock

RECOVERED_WITHIN = 60  # seconds


def assert_refused_while_full(crm: Sender, server: Server, disk: Disk) -> int:
    """The next page is refused, as often as it comes; returns how often. What was on the way may still have fitted.
    Where the database still speaks, it says why, to Mixpanel and at `/readyz`."""
    disk.fill()
    for page in pages[4:]:
        reply = crm.post(page)
        if reply.status != 200:
            break
        disk.fill()
    replies = [reply, *(crm.post(page) for _ in range(3))]
    for one in replies:
        assert_refused_in_time(one, one.json["action"])
    assert requests.get(f"{server.url}/healthz", timeout=10).ok
    ready = requests.get(f"{server.url}/readyz", timeout=10)
    if ready.ok:
        assert "has no room left: its disk is full" in replies[-1].json["error"]["message"]
        assert ready.json()["checks"]["writes"] == "has no room left: its disk is full"
    return len(replies)


def test_s10_an_export_goes_on_after_the_disk_of_its_sqlite_file_was_full(make_server: MakeServer) -> None:
    with small_disk(24) as disk:
        url = f"sqlite:///{disk.folder}/cohort-relay.db"
        server, books = make_server(url, "crm", instance=disk.folder, LOG_LEVEL="info"), Books(url)
        crm = sender_in_the_middle(server)
        process = server.process

        refused = assert_refused_while_full(crm, server, disk)
        disk.free()

        assert_ends_exact(crm, books)
        assert crm.statuses == {200, 503}
        assert books.failures("database_unavailable") == refused
        assert (server.process, readiness(server)) == (process, 200)
        assert_tells_of_the_outage(server, refused)
        server.close()


def test_the_overview_says_that_the_disk_is_full_until_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(24) as disk:
        settings = settings_for(tmp_path, database_url=f"sqlite:///{disk.folder}/cohort-relay.db")
        clock = TestClock()
        app = create_app(settings, clock)
        app.extensions["runtime"].database.alter(schema.upgrade)
        relay = Relay(app, clock)
        relay.refresh(before, session="first")
        viewer = relay.sign_in("viewer")
        disk.fill()
        answers = [relay.post("members", after, session=f"{number}").status_code for number in range(3)]
        assert answers[-1] == 503
        assert "<strong>The disk of the database is full.</strong>" in viewer.page("/")
        disk.free()
        relay.refresh(after, session="second")
        assert "The disk of the database" not in viewer.page("/")
        assert relay.members() == set(after)
        relay.database.dispose()


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(128) as one:
        yield one


@pytest.fixture(params=["data", "log"])
def cluster_on(disk: Disk, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Without room for data PostgreSQL refuses a statement; without room for its log it ends, all of it."""
    where = {"data": {"parent": disk.folder}, "log": {"log_on": disk.folder}}
    with private_cluster(**where[request.param]) as one:
        yield one


def test_s10_an_export_goes_on_after_the_disk_of_postgresql_was_full(
    disk: Disk, cluster_on: Cluster, make_server: MakeServer, tmp_path: Path
) -> None:
    url = cluster_on.new_database()
    server, books = make_server(url, "crm", LOG_LEVEL="info"), Books(url)
    crm = sender_in_the_middle(server)
    process = server.process

    if cluster_on.log_on is not None:
        disk.fill()
        cluster_on.write_ahead()
    refused = assert_refused_while_full(crm, server, disk)
    disk.free()
    wait_until(lambda: serves_again(cluster_on), RECOVERED_WITHIN, "the recovery")

    assert_ends_exact(crm, books)
    assert crm.statuses == {200, 503}
    assert books.failures("database_unavailable") == refused
    assert (server.process, readiness(server)) == (process, 200)
    assert_tells_of_the_outage(server, refused)


def serves_again(cluster: Cluster) -> bool:
    """A PostgreSQL that could not even recover has ended, and is started again by whoever watches over it."""
    cluster.start()
    return cluster.is_serving
