"""When a call is tried again, and after how long: Mixpanel's own schedule (mixpanel-facts 3.2)."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from outbound.checks.profiles import NOT_REPEATABLE
from outbound.client import Answer
from outbound.shape import Composed

LONGEST_PAUSE = 60.0  # seconds
# What passes by itself. After 429 Mixpanel has taken nothing; after the others nobody knows.
PASSING = frozenset({429, 500, 502, 503, 504})
UNTOUCHED = frozenset({429})

Pause = Callable[[int], float]


@dataclass(frozen=True)
class Patience:
    """`attempts` at most, `pause(n)` seconds before attempt n + 1. `repeatable` says whether it may be sent again after
    an outcome that nobody knows; `all_errors` that any refusal is tried again (a raw request may ask for that)."""

    attempts: int
    pause: Pause
    repeatable: bool
    all_errors: bool = False

    def again(self, answer: Answer) -> bool:
        """Whether an answer is no reason to give up."""
        if answer.status in UNTOUCHED:
            return True
        if self.all_errors and answer.status >= 300:  # noqa: PLR2004 - success ends here
            return True
        return answer.status in PASSING and self.repeatable


def doubling(first: float) -> Pause:
    """2, 4, 8 … up to 60 seconds, each with 1 to 5 seconds more by chance; shorter where `first` is."""

    def pause(tried: int) -> float:
        return min(first * 2.0 ** (tried - 1), LONGEST_PAUSE) + random.uniform(0.5, 2.5) * first

    return pause


def is_repeatable(composed: Composed) -> bool:
    """Whether sending it twice is the same as once. `$add` and `$append` count twice (mixpanel-facts 3.4)."""
    operation = composed.operation
    if operation.body == "raw":
        return composed.request is not None and composed.request.method in {"GET", "HEAD", "PUT"}
    adds = any(not NOT_REPEATABLE.isdisjoint(record) for record in composed.records)
    return operation.repeat == "safe" and not adds


def patience_for(composed: Composed, attempts: int, first_pause: float) -> Patience:
    """By the schedule; of a raw request by what it asks for (seeds/003: no retry unless told)."""
    if composed.operation.body != "raw":
        return Patience(attempts, doubling(first_pause), is_repeatable(composed))
    asked = {
        param.name: value for name, value in composed.given.params.items() if (param := composed.operation.param(name))
    }
    retries = _whole(asked.get("max_retries"))
    delay = _whole(asked.get("retry_delay_ms")) / 1000
    pause = doubling(first_pause) if _is_yes(asked.get("exponential_backoff")) else (lambda _tried: delay)
    # Whoever asks for retries of a raw request knows whether it may be repeated.
    return Patience(1 + retries, pause, repeatable=True, all_errors=_is_yes(asked.get("retry_all_errors")))


def time_limit(composed: Composed) -> float | None:
    """Seconds that a raw request asks for, None for the usual."""
    if composed.operation.body != "raw":
        return None
    asked = next(
        (composed.given.params[name] for name in ("timeout_ms", "timeout") if name in composed.given.params), None
    )
    return _whole(asked) / 1000 or None


def _whole(value: object) -> int:
    try:
        return int(str(value or 0))
    except ValueError:
        return 0


def _is_yes(value: object) -> bool:
    return str(value).lower() in {"true", "1", "yes", "on"}
