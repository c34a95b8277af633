"""What a vendor allows is for one credential: however many destinations have it, and however many processes send."""

import threading
import time
import uuid

import pytest

from destinations import destinations
from destinations.budget import Budget
from destinations.contract import Answer
from destinations.destinations import NewDestination
from destinations.giving_way import GivingWay
from destinations.runner import Runner
from tests import servers
from tests.destinations.conftest import Relaying
from tests.destinations.test_worker import working
from tests.failing.server import wait_until

RARELY = 0.001  # calls a second: the next one is after the test


def connect(relaying: Relaying, name: str, key: str, **settings: object) -> None:
    draft = NewDestination(name, "chat", settings, {"KEY": key})
    relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relaying.now))
    relaying.subscribe(name, start="present")


def run(relaying: Relaying, name: str, budget: Budget) -> int:
    """A process with this budget sends until nothing may be sent; return how many calls it has made."""
    before = len(relaying.there(name).bodies)
    stop = threading.Event()
    Runner(relaying.runtime, relaying.of(name), budget, stop, GivingWay(relaying.runtime, stop.wait)).run()
    return len(relaying.there(name).bodies) - before


@pytest.fixture
def redis_url() -> str:
    return servers.redis_url()


def test_two_processes_share_a_budget_in_redis(relaying: Relaying, redis_url: str) -> None:
    relaying.relay.refresh(["ada", "bob", "eve"])
    connect(relaying, "one", uuid.uuid4().hex, rate=RARELY)
    relaying.plan()
    assert [run(relaying, "one", Budget(redis_url)) for _ in range(2)] == [1, 0]
    assert run(relaying, "one", Budget()) == 1  # without Redis each process counts for itself


def test_two_destinations_with_one_credential_share_a_budget_in_redis(relaying: Relaying, redis_url: str) -> None:
    relaying.relay.refresh(["ada", "bob"])
    key = uuid.uuid4().hex
    for name, its in (("one", key), ("two", key), ("three", uuid.uuid4().hex)):
        connect(relaying, name, its, rate=RARELY)
    relaying.plan()
    assert [run(relaying, name, Budget(redis_url)) for name in ("one", "two", "three")] == [1, 0, 1]


def test_a_budget_goes_on_in_memory_while_redis_is_away(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    connect(relaying, "one", uuid.uuid4().hex, rate=RARELY)
    relaying.plan()
    away = Budget("redis://127.0.0.1:1/0")
    assert [run(relaying, "one", away) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(("keys", "most"), [(("same", "same"), 2), (("same", "other"), 4)])
def test_calls_at_once_are_counted_for_a_credential(relaying: Relaying, keys: tuple[str, str], most: int) -> None:
    lock, going_on = threading.Lock(), threading.Event()
    running, seen = 0, [0]

    def slow(_changes: object) -> Answer | None:
        nonlocal running
        with lock:
            running += 1
            seen.append(running)
        going_on.wait(20)
        time.sleep(0.02)
        with lock:
            running -= 1
        return None

    relaying.relay.refresh([f"p{number}" for number in range(8)])
    for name, key in zip(("one", "two"), keys, strict=True):
        connect(relaying, name, key, concurrency=2)
        relaying.there(name).fault = slow
    with working(relaying), working(relaying):  # of two processes
        wait_until(lambda: max(seen) == most, 20, "as many as may be are under way")
        going_on.set()
        wait_until(lambda: sum(len(relaying.there(name).heard) for name in ("one", "two")) == 16, 20, "all are told")
    assert max(seen) == most
