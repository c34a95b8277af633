"""How often somebody may call, in memory and shared through Redis."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app import create_app
from security import connections
from tests import servers
from tests.conftest import MakeRelay, settings_for
from tests.relay import Relay, basic, body

EMPTY = b'{"action": "add_members", "parameters": {"mixpanel_cohort_id": "7", "members": []}}'


def test_calls_are_counted_by_connection(make_relay: MakeRelay) -> None:
    relay = make_relay(webhook_rate_limit="1 per minute")
    key = relay.app.extensions["runtime"].settings.secret_key
    other = relay.database.write(lambda db: connections.add(db, key, "other", relay.clock()))
    assert [relay.post_raw(EMPTY).status_code for _ in range(2)] == [200, 429]
    assert relay.client.post("/webhooks/mixpanel/other", data=EMPTY, headers=basic("other", other)).status_code == 200


def test_a_limited_call_is_kept_as_a_failure_and_stores_nothing(make_relay: MakeRelay) -> None:
    relay = make_relay(webhook_rate_limit="1 per minute")
    relay.refresh(["A"], session="first")
    assert relay.post("members", ["B"], session="second").status_code == 429
    assert relay.members() == {"A"}
    assert relay.failures()[0]["cause"] == "too_many_calls"


def test_failed_sign_ins_are_limited_by_address_and_a_right_password_still_passes(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="3 per minute")
    wrong = [relay.post_raw(EMPTY, headers=basic("crm", "wrong")) for _ in range(5)]
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 429, 429]
    assert int(wrong[-1].headers["Retry-After"]) >= 1
    assert wrong[-1].json["error"]["code"] == 429
    assert relay.post_raw(EMPTY).status_code == 200


def test_another_address_is_counted_for_itself(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="1 per minute")
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    answers = [
        relay.client.post(
            "/webhooks/mixpanel/crm",
            data=EMPTY,
            headers=basic("crm", "wrong"),
            environ_overrides={"REMOTE_ADDR": address},
        )
        for address in addresses
    ]
    assert [answer.status_code for answer in answers] == [401, 429, 401]


def test_a_full_speed_refresh_stays_far_below_the_default_limit(relay: Relay) -> None:
    """180 ms a page and faster: even at 5 ms a page, 12,000 calls a minute."""
    limit = relay.app.extensions["runtime"].settings.webhook_rate_limit
    assert int(limit.split()[0]) > 2 * 12_000


@pytest.fixture
def shared_name() -> Iterator[str]:
    """A connection name of its own, so that its keys in Redis are nobody else's; they go afterwards."""
    name = f"c{uuid.uuid4().hex[:12]}"
    url = servers.redis_url()
    yield name
    store = redis.Redis.from_url(url)
    for key in store.scan_iter(match=f"*{name}*"):
        store.delete(key)


def test_two_processes_share_one_limit_through_redis(database_url: str, tmp_path: Path, shared_name: str) -> None:
    settings = settings_for(
        tmp_path, database_url=database_url, redis_url=servers.redis_url(), webhook_rate_limit="3 per hour"
    )
    apps = [create_app(settings), create_app(settings)]
    runtime = apps[0].extensions["runtime"]
    password = runtime.database.write(lambda db: connections.add(db, settings.secret_key, shared_name, 0))
    statuses = [
        app.test_client()
        .post(f"/webhooks/mixpanel/{shared_name}", json=body("add_members", []), headers=basic(shared_name, password))
        .status_code
        for app in apps * 2
    ]
    for app in apps:
        app.extensions["runtime"].database.dispose()
    assert statuses == [200, 200, 200, 429]


def test_without_redis_calls_are_counted_in_memory_and_none_is_refused_for_it(make_relay: MakeRelay) -> None:
    relay = make_relay(redis_url="redis://127.0.0.1:1/0", webhook_rate_limit="2 per minute")
    assert [relay.post_raw(EMPTY).status_code for _ in range(3)] == [200, 200, 429]
