"""Where calls are counted: in this process, or in a Redis that all processes share.

Both are storages of the `limits` library. Neither may make a page wait: memory is bounded whoever calls from however
many addresses, and a Redis that does not answer is given up after `ANSWER_WITHIN`.
"""

from threading import Lock
from time import monotonic, time
from typing import Any

from limits.storage import Storage

ANSWER_WITHIN = 0.25  # seconds; on one network Redis takes less than a thousandth of it
SCHEME = "bounded-memory"
RETRY = 5.0  # seconds between two looks whether Redis is back
MOST_COUNTERS = 50_000  # callers that are counted at once: some 20 MB, as each key is a digest
FORGET = 60.0  # seconds between two looks for windows that have ended


class Memory(Storage):
    """Counters of this process, at most `MOST_COUNTERS`: beyond it those go first that would run out first.

    Windows are measured by a clock that nobody sets, so that a jump of the system's neither opens nor shuts anything.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library's registry reads it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._counters: dict[str, tuple[int, float]] = {}  # calls, and when the window ends
        self._lock = Lock()
        self._forget_at = 0.0

    def __len__(self) -> int:
        return len(self._counters)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = monotonic()
        with self._lock:
            calls, ends = self._counters.get(key, (0, 0.0))
            if ends <= now:
                self._make_room(now)
                calls, ends = 0, now + expiry
            self._counters[key] = calls + amount, ends
            return calls + amount

    def _make_room(self, now: float) -> None:
        """Forget windows that have ended, once a minute; and where that is not enough, those that end first."""
        is_full = len(self._counters) >= MOST_COUNTERS
        if not is_full and now < self._forget_at:
            return
        self._forget_at = now + FORGET
        running = [item for item in self._counters.items() if item[1][1] > now]
        if is_full:
            running = sorted(running, key=lambda item: item[1][1])[-MOST_COUNTERS // 2 :]
        self._counters = dict(running)

    def get(self, key: str) -> int:
        calls, ends = self._counters.get(key, (0, 0.0))
        return calls if ends > monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, by the system's clock."""
        _calls, ends = self._counters.get(key, (0, 0.0))
        return time() + max(0.0, ends - monotonic())

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            many, self._counters = len(self._counters), {}
        return many

    def clear(self, key: str) -> None:
        with self._lock:
            self._counters.pop(key, None)


def redis_options() -> dict[str, Any]:
    """Return options of a Redis client that gives up soon: short waits, and no tries besides the first."""
    from redis.backoff import NoBackoff  # noqa: PLC0415 - a fifth of a second that nobody without Redis should pay
    from redis.retry import Retry  # noqa: PLC0415

    return {
        "socket_timeout": ANSWER_WITHIN,
        "socket_connect_timeout": ANSWER_WITHIN,
        "retry": Retry(NoBackoff(), 0),
    }


class Redis:
    """Whether Redis answers. After a failure it is left alone for `RETRY` seconds; then one call, and not all that are
    under way, finds out whether it is back."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = Lock()
        self.is_down = False
        self._look_at = 0.0  # when it is worth asking again

    def is_worth_asking(self) -> bool:
        return not self.is_down or self._is_my_turn()

    def note(self, *, answered: bool) -> None:
        """What became of a question."""
        self.is_down = not answered
        self._look_at = monotonic() + RETRY

    def answers(self) -> bool:
        """Tell whether it answers, looked at anew at most every `RETRY` seconds."""
        if self._is_my_turn():
            self.note(answered=self._storage.check())
        return not self.is_down

    def _is_my_turn(self) -> bool:
        with self._lock:
            if self._look_at > monotonic():
                return False
            self._look_at = monotonic() + RETRY
            return True
