"""How often somebody may come in: Flask-Limiter's storage and strategy, in memory or in Redis when `REDIS_URL` is set.

Calls are counted where we know who calls, so that nobody can use up another's limit: a connection's calls after its
password was checked, failed sign-ins by address. A large limit is charged in groups of a thousandth of it: the storage
then costs a few microseconds a call instead of a timer thread or a round trip. While Redis does not answer, each
process counts in memory and tries Redis again every `RETRY_REDIS` seconds.
"""

from collections import defaultdict
from threading import Lock
from time import monotonic, time

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from config.settings import Settings

RETRY_REDIS = 5.0  # seconds
ADDRESSES = 10  # that together use up what an operator's account may be tried
GROUPS = 1000  # a limit is charged this many times until it is used up


class TooMany(Exception):
    """The limit is used up; `retry_after` is the number of whole seconds until it opens again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class Limits:
    """The counters of one app."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.webhook = parse(settings.webhook_rate_limit)
        self.api = parse(settings.api_rate_limit)
        self.failed_sign_ins = parse(settings.sign_in_failure_limit)
        self.operator_sign_ins = by_address = parse(settings.operator_sign_in_limit)
        self.account_sign_ins = type(by_address)(by_address.amount * ADDRESSES, by_address.multiples)
        self._limiter = Limiter(
            get_remote_address, storage_uri=settings.redis_url or "memory://", strategy="fixed-window"
        )
        app.extensions.setdefault("limiter", set()).add(self._limiter)  # known already: it hangs no hooks on requests
        self._limiter.init_app(app)
        self._in_memory = FixedWindowRateLimiter(MemoryStorage())
        self._redis_back_at = 0.0
        self._uncharged: defaultdict[str, int] = defaultdict(int)
        self._shut: dict[str, float] = {}
        self._lock = Lock()

    def count(self, limit: RateLimitItem, who: str) -> None:
        """Count one call of `who`; raises TooMany."""
        group = _group(limit)
        with self._lock:
            self._uncharged[who] += 1
            due = self._uncharged[who] >= group
            if due:
                del self._uncharged[who]
            shut_until = self._shut.get(who, 0.0)
        if due and not self._charge(limit, who, group):
            shut_until = self._close(limit, who)
        if shut_until > time():
            raise TooMany(max(1, round(shut_until - time())))
        self._shut.pop(who, None)

    def shared(self) -> bool:
        """Whether the counters are shared through Redis right now."""
        return self._redis_back_at <= monotonic()

    def _charge(self, limit: RateLimitItem, who: str, calls: int) -> bool:
        if self.shared():
            try:
                return self._limiter.limiter.hit(limit, who, cost=calls)
            except self._limiter.storage.base_exceptions:
                self._redis_back_at = monotonic() + RETRY_REDIS
        return self._in_memory.hit(limit, who, cost=calls)

    def _close(self, limit: RateLimitItem, who: str) -> float:
        strategy: RateLimiter = self._limiter.limiter if self.shared() else self._in_memory
        try:
            opens = strategy.get_window_stats(limit, who).reset_time
        except self._limiter.storage.base_exceptions:
            opens = time() + 1
        if _group(limit) > 1:  # calls between two charges are refused from memory
            self._shut[who] = opens
        return float(max(opens, time() + 1))


def _group(limit: RateLimitItem) -> int:
    """How many calls are charged together."""
    return max(1, limit.amount // GROUPS)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["limits"] = Limits(app, settings)


def _limits() -> Limits:
    found: Limits = current_app.extensions["limits"]
    return found


def count_webhook_call(connection: str) -> None:
    _limits().count(_limits().webhook, f"connection {connection}")


def count_api_call(token: str) -> None:
    _limits().count(_limits().api, f"token {token}")


def count_failed_sign_in() -> None:
    _limits().count(_limits().failed_sign_ins, f"address {get_remote_address()}")


def count_operator_sign_in(email: str) -> None:
    """Before the slow hash is computed: by address, and by account (as it is kept), so that many addresses do not help.
    An account takes more, so that a stranger's address alone cannot lock its owner out."""
    limits = _limits()
    limits.count(limits.operator_sign_ins, f"sign-in address {get_remote_address()}")
    limits.count(limits.account_sign_ins, f"sign-in account {email}")
