"""How many calls a second a credential may make: counted in this process, or in Redis for all of them (REDIS_URL).

Whose they are is said by `destinations.credentials`. How many at once is counted among the open attempts, in the
database (`destinations.claiming`).
"""

from collections.abc import Callable
from typing import cast

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger()

MOST = 1000  # a second that are counted; more is no limit at all
TENTHS = 10


class Budget:
    """The budgets of this process."""

    def __init__(self, redis_url: str = "") -> None:
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_storage(redis_url)) if redis_url else None

    def left(self, key: str, rate: float, wanted: int) -> int:
        """Return how many of the wanted calls may begin now."""
        if rate >= MOST:
            return max(wanted, 0)
        return max(0, min(wanted, self._ask(lambda limiter: limiter.get_window_stats(item(rate), key).remaining)))

    def spend(self, key: str, rate: float, calls: int) -> None:
        """Count calls that begin. Where another process was faster they begin all the same, and it waits longer."""
        if calls and rate < MOST:
            self._ask(lambda limiter: sum(limiter.hit(item(rate), key) for _ in range(calls)))

    def _ask(self, ask: Callable[[MovingWindowRateLimiter], int]) -> int:
        if self._shared is not None:
            try:
                return ask(self._shared)
            except StorageError as error:
                log.warning("destinations.budget_in_memory", cause=type(error.storage_error).__name__)
        return ask(self._memory)


def item(rate: float) -> RateLimitItem:
    """Return so many calls a second as a limit: whole numbers, in as many seconds as that needs."""
    if rate < 1:
        return RateLimitItemPerSecond(1, round(1 / rate))
    if float(rate).is_integer():
        return RateLimitItemPerSecond(int(rate))
    return RateLimitItemPerSecond(int(rate * TENTHS), TENTHS)


def _storage(url: str) -> Storage:
    return cast(Storage, storage_from_string(url, wrap_exceptions=True))
