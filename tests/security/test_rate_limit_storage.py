"""Where calls are counted."""

import tracemalloc
from itertools import cycle
from pathlib import Path

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from app import create_app
from security import rate_limit_storage
from security.rate_limit_storage import Memory
from security.rate_limits import Limits, TooMany
from tests import servers
from tests.conftest import settings_for


def test_memory_counts_like_any_storage_of_the_library() -> None:
    strategy, limit = FixedWindowRateLimiter(Memory()), parse("3 per minute")
    assert [strategy.hit(limit, "ada") for _ in range(4)] == [True, True, True, False]
    assert strategy.hit(limit, "bob")
    assert strategy.get_window_stats(limit, "ada").remaining == 0
    strategy.clear(limit, "ada")
    assert strategy.hit(limit, "ada")


def test_a_window_ends_by_itself() -> None:
    memory = Memory()
    assert [memory.incr("ada", expiry=0) for _ in range(3)] == [1, 1, 1]


def test_memory_stays_small_however_many_addresses_call_and_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit_storage, "MOST_COUNTERS", 100)
    memory = Memory()
    for address in range(1000):
        memory.incr(f"address {address}", expiry=60)
        assert memory.get(f"address {address}") == 1
    assert memory.reset() <= 100


def test_memory_forgets_whoever_has_not_called_for_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(rate_limit_storage, "monotonic", lambda: now)
    memory = Memory()
    for address in range(1000):
        memory.incr(f"address {address}", expiry=60)
    now += rate_limit_storage.FORGET + 60
    memory.incr("another", expiry=60)
    assert len(memory) == 1


def test_a_caller_is_counted_in_the_same_few_bytes_whatever_it_is_called(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    limits: Limits = app.extensions["limits"]
    limits.count(limits.account_sign_ins, "the first takes what all share")
    tracemalloc.start()
    try:
        for caller in range(100):
            for limit in (limits.account_sign_ins, limits.webhook):
                limits.count(limit, f"{caller} \ud800" + "x" * 100_000)
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        app.extensions["runtime"].database.dispose()
    assert held < 100 * 2 * 1000


def test_a_clock_that_jumps_neither_opens_nor_prolongs_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy, limit = FixedWindowRateLimiter(Memory()), parse("1 per minute")
    assert strategy.hit(limit, "ada")
    monkeypatch.setattr(rate_limit_storage, "time", lambda: 0.0)
    assert not strategy.hit(limit, "ada")
    monkeypatch.setattr(rate_limit_storage, "time", lambda: 4e9)
    assert not strategy.hit(limit, "ada")


def test_two_apps_together_let_through_what_the_limit_says_within_a_thousandth_each(tmp_path: Path) -> None:
    limit, who = parse("5000 per hour"), f"connection {tmp_path}"
    apps = [create_app(settings_for(tmp_path, redis_url=servers.redis_url())) for _ in range(2)]
    taken = 0
    try:
        for app in cycle(apps):
            limits: Limits = app.extensions["limits"]
            limits.count(limit, who)
            taken += 1
    except TooMany:
        pass
    finally:
        apps[0].extensions["limits"]._limiter.limiter.clear(limit, apps[0].extensions["limits"].key_of(who))
        for app in apps:
            app.extensions["runtime"].database.dispose()
    assert 4990 <= taken <= 5010
