"""Bar: while Redis is away no page is refused and none waits for it, everybody is told, and it is used again after."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from config.clock import now
from security import rate_limit_storage
from tests.commands.conftest import terminal_of
from tests.conftest import MakeRelay
from tests.failing.books import Books
from tests.failing.conftest import MakeServer
from tests.failing.redis_server import RedisServer, private_redis
from tests.failing.sender import export, sender_of
from tests.failing.server import Server, wait_until
from tests.relay import Relay

WITHIN = rate_limit_storage.RETRY + 15  # seconds until everybody knows
PROMPT = 3  # seconds; a page that waited for the database, or was tried again, takes longer
Break = Callable[[RedisServer], None]

before = [f"p{number:04}" for number in range(200)]
after = [f"p{number:04}" for number in range(100, 500)]


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with private_redis() as server:
        yield server


def freeze(server: RedisServer) -> None:
    server.freeze()


def kill(server: RedisServer) -> None:
    server.kill()


def mend(server: RedisServer) -> None:
    if server.process is not None and server.process.poll() is None:
        server.thaw()
    else:
        server.start()


def limits_of(server: Server) -> str:
    """What `/readyz` says of the limits; the app stays ready whatever it is."""
    answer = requests.get(f"{server.url}/readyz", timeout=10)
    assert answer.status_code == 200
    said: str = answer.json()["checks"]["limits"]
    return said


@pytest.mark.parametrize("broken", [freeze, kill])
def test_an_export_does_not_feel_that_redis_goes_away_in_its_middle_and_comes_back(
    broken: Break, own_redis: RedisServer, tmp_path: Path, make_server: MakeServer
) -> None:
    (tmp_path / ".env").write_text(f"REDIS_URL={own_redis.url}\nWEBHOOK_RATE_LIMIT=900 per minute\n")
    url = f"sqlite:///{tmp_path}/cohort-relay.db"
    server, books = make_server(url, "crm"), Books(url)
    crm = sender_of(server, "crm")
    pages = [*export("members", before, 10, session="first"), *export("members", after, 10, session="second")]

    assert limits_of(server) == "ok"
    for page in pages[:25]:
        crm.deliver(page)
    broken(own_redis)
    for page in pages[25:45]:
        crm.deliver(page)
    assert limits_of(server) == "in memory"
    assert metric(server) == 0
    mend(own_redis)
    wait_until(lambda: limits_of(server) == "ok", WITHIN, "the return to Redis")
    assert metric(server) == 1
    for page in pages[45:]:
        crm.deliver(page)

    assert own_redis.keys() == 1
    assert crm.statuses == {200}
    assert max(reply.seconds for reply in crm.replies) < PROMPT
    assert books.members() == set(after)
    books.assert_balanced()


def metric(server: Server) -> int:
    lines = requests.get(f"{server.url}/metrics", timeout=10).text.splitlines()
    (found,) = [line for line in lines if line.startswith("cohort_relay_limits_shared ")]
    return round(float(found.split()[1]))


@pytest.fixture
def relay(make_relay: MakeRelay, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Relay:
    """A relay that looks at its Redis every time."""
    monkeypatch.setattr(rate_limit_storage, "RETRY", 0.0)
    return make_relay(redis_url=own_redis.url, webhook_rate_limit="3 per hour")


def test_the_overview_says_that_redis_is_away_and_what_that_means(relay: Relay, own_redis: RedisServer) -> None:
    relay.refresh(["A"])
    viewer = relay.sign_in("viewer")
    assert "Redis" not in viewer.page("/")
    own_redis.freeze()
    overview = viewer.page("/overview/now")
    assert (
        "<strong>Redis does not answer.</strong> Each process counts calls for itself: no call is refused" in overview
    )
    own_redis.thaw()
    wait_until(lambda: "Redis" not in viewer.page("/"), WITHIN, "the end of the note")


def test_the_doctor_does_not_wait_for_a_redis_that_says_nothing(relay: Relay, own_redis: RedisServer) -> None:
    own_redis.freeze()
    began = now()
    report = json.loads(terminal_of(relay.app)("doctor", "--json").output)
    (found,) = [check for check in report["checks"] if check["name"] == "rate limits"]
    assert (found["state"], found["next_step"]) == ("warn", "Start Redis, or correct REDIS_URL")
    assert "counts in memory until it does" in found["found"]
    assert now() - began < 10_000


def test_a_limit_holds_in_memory_and_again_in_redis(relay: Relay, own_redis: RedisServer) -> None:
    def answers(calls: int) -> list[int]:
        return [relay.post("add_members", [], session=str(one)).status_code for one in range(calls)]

    assert answers(2) == [200, 200]
    own_redis.freeze()
    assert answers(4) == [200, 200, 200, 429]
    own_redis.thaw()
    wait_until(lambda: relay.client.get("/readyz").json["checks"]["limits"] == "ok", WITHIN, "the return to Redis")
    assert 429 in answers(4)  # what was asked while it slept it may have counted
