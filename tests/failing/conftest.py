"""Servers that may be broken: each test gets its own app process, and a PostgreSQL that nobody else uses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.failing.cluster import Cluster, private_cluster
from tests.failing.server import GRANIAN, Server
from tests.failing.worker import MakeWorker, workers

MakeServer = Callable[..., Server]


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(own_cluster: Cluster) -> Iterator[Cluster]:
    """A PostgreSQL that the test may stop; the next test finds it up again."""
    yield own_cluster
    own_cluster.start()


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cohort-relay.db"


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Makes a server that runs: ``make_server(url, "crm", "ads", THREADS="2")`` with the webhook connections crm and
    ads, and a setting besides."""
    made: list[Server] = []

    def make(
        url: str, *connections: str, command: tuple[str, ...] = GRANIAN, instance: Path = tmp_path, **more: str
    ) -> Server:
        made.append(Server(instance, url, command, more=more))
        made[-1].start()
        made[-1].prepare(*connections)
        made[-1].wait_ready()
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def make_worker(database_url: str, tmp_path: Path) -> Iterator[MakeWorker]:
    """Makes workers that run: ``make_worker(sweep_step_members=1)``."""
    with workers(database_url, tmp_path) as make:
        yield make
