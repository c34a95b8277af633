"""Slots for what takes long: so many at once, and of these nobody more than half."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Condition, Lock


class Slots:
    """`count` slots; one caller has at most half of them, and one at least."""

    def __init__(self, count: int) -> None:
        self._count, self._own = count, max(1, count // 2)
        self._taken: Counter[str] = Counter()
        self._changed = Condition()

    def take(self, who: str, patience: float = 0.0) -> Callable[[], None] | None:
        """A slot for `who`, given back by calling what is returned, once or more often; None where none came free
        within `patience` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free_for(who), patience):
                return None
            self._taken[who] += 1
        return partial(self._give, who, Lock())

    def _is_free_for(self, who: str) -> bool:
        return self._taken[who] < self._own and self._taken.total() < self._count

    def _give(self, who: str, once: Lock) -> None:
        if not once.acquire(blocking=False):
            return
        with self._changed:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
            self._changed.notify_all()
