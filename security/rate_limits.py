"""How often somebody may come in: Flask-Limiter's storage and strategy, in memory or in Redis when `REDIS_URL` is set.

Calls are counted where we know who calls, so that nobody can use up another's limit: a connection's calls after its
password was checked, failed sign-ins by address. A large limit is charged in groups of a thousandth of it: the storage
then costs a few microseconds a call instead of a round trip. While Redis does not answer, each process counts in
memory, from nothing on, and tries Redis again every few seconds: see `security.rate_limit_storage`.

Callers are counted under a keyed digest of what they are called: whatever text they give takes the same few bytes, and
no e-mail stands in Redis.
"""

from collections import defaultdict
from hashlib import blake2b, sha256
from threading import Lock
from time import monotonic, time

from flask import Flask, current_app
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute, parse
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from config.settings import Settings
from security.client_address import caller
from security.rate_limit_storage import MOST_COUNTERS, SCHEME, Memory, Redis, redis_options

ADDRESSES = 10  # that together use up what an operator's account may be tried
IN_AN_HOUR, IN_A_DAY = 2, 5  # as often an account may be tried what it may be tried in one go
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
        self.account_longer = _longer(self.account_sign_ins)
        self.second_factor_longer = _longer(by_address)
        self._limiter = Limiter(
            caller,
            storage_uri=settings.redis_url or f"{SCHEME}://",
            storage_options=redis_options() if settings.redis_url else {},
            strategy="fixed-window",
        )
        app.extensions.setdefault("limiter", set()).add(self._limiter)  # known already: it hangs no hooks on requests
        self._limiter.init_app(app)
        self._in_memory = FixedWindowRateLimiter(Memory())
        self._redis = Redis(self._limiter.storage) if settings.redis_url else None
        self._uncharged: defaultdict[str, int] = defaultdict(int)
        self._shut: dict[str, float] = {}
        self._lock = Lock()
        self._key = sha256(settings.secret_key.encode()).digest()

    def key_of(self, who: str) -> str:
        """Return what `who` is counted under."""
        return blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key).hexdigest()

    def count(self, limit: RateLimitItem, who: str) -> None:
        """Count one call of `who`; raises TooMany."""
        group, who = _group(limit), self.key_of(who)
        with self._lock:
            self._stay_small()
            self._uncharged[who] += 1
            due = self._uncharged[who] >= group
            if due:
                del self._uncharged[who]
            shut_until = self._shut.get(who, 0.0)
        if due and not self._charge(limit, who, group):
            shut_until = self._close(limit, who)
        if shut_until > monotonic():
            raise TooMany(max(1, round(shut_until - monotonic())))
        self._shut.pop(who, None)

    def are_as_set(self) -> bool:
        """Tell whether calls are counted where the settings say; False while Redis does not answer, which is looked at
        anew every few seconds."""
        return self._redis is None or self._redis.answers()

    def _stay_small(self) -> None:
        """However many addresses call: what is forgotten here is less than a thousandth of a limit each."""
        for kept in (self._uncharged, self._shut):
            if len(kept) > MOST_COUNTERS:
                kept.clear()

    def _charge(self, limit: RateLimitItem, who: str, calls: int) -> bool:
        if self._redis is None:
            return self._limiter.limiter.hit(limit, who, cost=calls)
        if self._redis.is_worth_asking():
            try:
                allowed = self._limiter.limiter.hit(limit, who, cost=calls)
            except self._limiter.storage.base_exceptions:
                self._redis.note(answered=False)
            else:
                self._redis.note(answered=True)
                return allowed
        return self._in_memory.hit(limit, who, cost=calls)

    def _close(self, limit: RateLimitItem, who: str) -> float:
        """Return when the limit opens again, by the clock that nobody sets."""
        try:
            seconds = self._counting().get_window_stats(limit, who).reset_time - time()
        except self._limiter.storage.base_exceptions:
            seconds = 1.0
        opens = monotonic() + max(1.0, seconds)
        if _group(limit) > 1:  # calls between two charges are refused from memory
            self._shut[who] = opens
        return opens

    def _counting(self) -> RateLimiter:
        return self._in_memory if self._redis is not None and self._redis.is_down else self._limiter.limiter


def _longer(limit: RateLimitItem) -> list[RateLimitItem]:
    """Return what may be tried in an hour and in a day, where `limit` is of a shorter time: little more than in one
    go."""
    hour = RateLimitItemPerHour(limit.amount * IN_AN_HOUR)
    day = RateLimitItemPerDay(limit.amount * IN_A_DAY)
    return [wider for wider in (hour, day) if wider.get_expiry() > limit.get_expiry()]


def _group(limit: RateLimitItem) -> int:
    """Return how many calls are charged together."""
    return max(1, limit.amount // GROUPS)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["limits"] = Limits(app, settings)


def are_as_set() -> bool:
    """Tell whether limits are counted where the settings say they are."""
    return _limits().are_as_set()


def _limits() -> Limits:
    found: Limits = current_app.extensions["limits"]
    return found


def count_webhook_call(connection: str) -> None:
    _limits().count(_limits().webhook, f"connection {connection}")


def count_api_call(token: str, per_minute: int | None = None) -> None:
    """Count a call of this token, by the limit of all tokens and by its own, if it has one."""
    _limits().count(_limits().api, f"token {token}")
    if per_minute is not None:
        _limits().count(RateLimitItemPerMinute(per_minute), f"token {token} by itself")


def count_failed_sign_in() -> None:
    _limits().count(_limits().failed_sign_ins, f"address {caller()}")


def count_operator_sign_in(email: str, device: str | None = None) -> None:
    """Count a try before the slow hash is computed: by address, and by account (as it is kept), so that many addresses
    do not help. An account takes more, so that a stranger's address alone cannot lock its owner out; and whoever goes
    on is held up for an hour, then for a day. A `device` in which the account was signed in before counts for itself
    alone: nobody else's tries lock it out."""
    limits = _limits()
    if device is not None:
        limits.count(limits.operator_sign_ins, f"sign-in device {device}")
        return
    limits.count(limits.operator_sign_ins, f"sign-in address {caller()}")
    limits.count(limits.account_sign_ins, f"sign-in account {email}")
    for longer in limits.account_longer:
        limits.count(longer, f"sign-in account {email} by {longer.GRANULARITY.name}")


def count_forgotten_password(email: str) -> None:
    """Count a wish for a link by e-mail, by address and by account: each may send one. Sign-ins count apart."""
    limits = _limits()
    limits.count(limits.operator_sign_ins, f"forgotten address {caller()}")
    limits.count(limits.account_sign_ins, f"forgotten account {email}")


def count_provider_sign_in() -> None:
    """Count a step of a sign-in by the company's provider, by address: each makes us call it. One sign-in has two."""
    limits = _limits()
    by_address = limits.operator_sign_ins
    limits.count(type(by_address)(by_address.amount * 2, by_address.multiples), f"provider address {caller()}")


def count_second_factor(email: str, device: str | None = None) -> None:
    """Count a try of a code before it is looked at, by account: six digits are found by who may try for long. Only
    whoever has the password gets here, so that strangers lock nobody out; a `device` counts as for sign-ins."""
    limits = _limits()
    who = f"second factor {email}" if device is None else f"second factor device {device}"
    limits.count(limits.operator_sign_ins, who)
    for longer in limits.second_factor_longer:
        limits.count(longer, f"{who} by {longer.GRANULARITY.name}")


def in_words(seconds: int) -> str:
    """Return how long to wait, for people: `40 s`, `5 minutes`, `3 hours`."""
    if seconds < 2 * 60:
        return f"{seconds} s"
    return f"{-(-seconds // 60)} minutes" if seconds < 2 * 3600 else f"{-(-seconds // 3600)} hours"
