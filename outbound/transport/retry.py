"""When a call is tried again, and after how long: Mixpanel's own schedule (mixpanel-facts 3.2), or what it asks for.

Statuses are told apart by class, not by list: whatever stands between us and Mixpanel has numbers of its own (520 to
530 of a content network, 599 of a proxy).
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from outbound.operations.types import Composed
from outbound.request.checks.profiles import NOT_REPEATABLE
from outbound.transport.client import Answer

LONGEST_PAUSE = 60.0  # seconds
MOST_JITTER = 2.5  # of the first pause
SLOWEST = 512 * 1024  # bytes a second at which a file leaves at the least
LONGEST_ASKED = 15 * 60.0  # seconds that a call waits altogether because Retry-After asks for it
UNTOUCHED = frozenset({425, 429})  # too early, too many: turned away before anything was taken
TIMED_OUT, FIRST_FINAL, FIRST_TROUBLE = 408, 200, 500

Pause = Callable[[int], float]


@dataclass(frozen=True)
class RetryPolicy:
    """`attempts` at most, `pause(n)` seconds before attempt n + 1. `repeatable` says whether it may be sent again after
    an outcome that nobody knows; `all_errors` that any refusal is tried again (a raw request may ask for that)."""

    attempts: int
    pause: Pause
    repeatable: bool
    all_errors: bool = False

    def again(self, answer: Answer) -> bool:
        """Tell whether an answer is no reason to give up."""
        if answer.status in UNTOUCHED:
            return True
        if self.all_errors and answer.status >= 300:  # noqa: PLR2004 - success ends here
            return True
        return is_unheard(answer.status) and self.repeatable


def is_unheard(status: int) -> bool:
    """Tell whether nobody knows what became of the call: a server's trouble of whatever number, a time-out, and what is
    no final answer at all."""
    return status >= FIRST_TROUBLE or status == TIMED_OUT or status < FIRST_FINAL


def passes(status: int) -> bool:
    """Tell whether it is no answer to the call, and another try may have one."""
    return status in UNTOUCHED or is_unheard(status)


def asked_pause(answer: Answer, now: int) -> float:
    """Return seconds that Retry-After asks for, as a number or as a date; 0 where it asks for nothing that can be read.
    `now` is in milliseconds; the answer's own Date goes before it, so that clocks may differ."""
    text = answer.header("Retry-After").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_ASKED)
    until = moment(text)
    if until is None:
        return 0.0
    since = moment(answer.header("Date"))
    return max(0.0, min(until - (now / 1000 if since is None else since), LONGEST_ASKED))


def moment(text: str) -> float | None:
    """Return an HTTP date as seconds since 1970."""
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def doubling(first: float) -> Pause:
    """2, 4, 8 … up to 60 seconds, each with 1 to 5 seconds more by chance; shorter where `first` is."""

    def pause(tried: int) -> float:
        return min(first * 2.0 ** (tried - 1), LONGEST_PAUSE) + random.uniform(0.5, MOST_JITTER) * first

    return pause


def is_repeatable(composed: Composed) -> bool:
    """Tell whether sending it twice is the same as once. `$add` and `$append` count twice (mixpanel-facts 3.4)."""
    operation = composed.operation
    if operation.body == "raw":
        return composed.request is not None and composed.request.method in {"GET", "HEAD", "PUT"}
    adds = any(not NOT_REPEATABLE.isdisjoint(record) for record in composed.records)
    return operation.repeat == "safe" and not adds


def only_reads(composed: Composed) -> bool:
    """Tell whether it stores nothing, whatever comes of it."""
    if composed.operation.body == "raw":
        return composed.request is not None and composed.request.method in {"GET", "HEAD"}
    return not composed.operation.writes


def retry_policy(composed: Composed, attempts: int, first_pause: float) -> RetryPolicy:
    """Return the policy of the settings; for a raw request what it asks for (seeds/003: no retry unless told)."""
    if composed.operation.body != "raw":
        return RetryPolicy(attempts, doubling(first_pause), is_repeatable(composed))
    asked = {
        param.name: value for name, value in composed.given.params.items() if (param := composed.operation.param(name))
    }
    retries = _whole(asked.get("max_retries"))
    delay = _whole(asked.get("retry_delay_ms")) / 1000
    pause = doubling(first_pause) if _is_yes(asked.get("exponential_backoff")) else (lambda _tried: delay)
    # Whoever asks for retries of a raw request knows whether it may be repeated.
    return RetryPolicy(1 + retries, pause, repeatable=True, all_errors=_is_yes(asked.get("retry_all_errors")))


def longest(composed: Composed, attempts: int, first_pause: float, timeout: float) -> float:
    """Return seconds after which nobody can be at work on a call any more, with all its tries and pauses."""
    policy = retry_policy(composed, attempts, first_pause)
    attempt = time_limit(composed, timeout) + LONGEST_PAUSE + MOST_JITTER * first_pause
    return policy.attempts * attempt + LONGEST_ASKED


def time_limit(composed: Composed, usual: float) -> float:
    """Return seconds that one try may take: the usual, or those that a raw request asks for, and with a file in it as
    many more as its bytes take on a slow line."""
    file = composed.request.file if composed.request is not None else None
    return (_asked_limit(composed) or usual) + (file.size / SLOWEST if file is not None else 0)


def _asked_limit(composed: Composed) -> float | None:
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
