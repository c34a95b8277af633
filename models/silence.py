"""Connections that give up a PostgreSQL that has stopped to speak.

A server that is cut off is noticed by its machine's silence (`models.engines.SILENCE`). One whose machine still takes
what is sent, because only the server hangs (a disk that stands still, a paused container, a proxy that forwards nothing
any more), is not: a statement would wait for it without an end, since its time limit is the server's own. So whoever
has waited in vain for a while asks on another line whether the server answers at all, and whether what it waits for is
a standby (`models.synchronous_standby`).
"""

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.errors import ConnectionTimeout

from models.synchronous_standby import CommitWaits, has_our_commit_waiting

T = TypeVar("T")

ASK_AFTER = 3.0  # seconds without a word; then after twice as long, and so on: slow statements are no silence
ANSWER_WITHIN = 2  # seconds, the least that the client library takes


class ListeningConnection(psycopg.Connection[Any]):
    """As the driver's own, but for a server that answers nobody: OperationalError, and the connection is closed."""

    def wait(self, gen: Generator[Any, Any, T], *rest: Any, **options: Any) -> T:
        return super().wait(self._listening(gen), *rest, **options)

    def _listening(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Do what `gen` does. The driver sends nothing in (0) where nothing has come for a tenth of a second."""
        patience, since = ASK_AFTER, monotonic()
        try:
            step = next(gen)
            while True:
                ready = yield step
                if ready:
                    patience, since = ASK_AFTER, monotonic()
                elif monotonic() - since > patience:
                    self._ask()
                    patience *= 2
                step = gen.send(ready)
        except StopIteration as end:
            value: T = end.value
            return value

    def _ask(self) -> None:
        """Raises OperationalError where nobody answers, or our commit waits for a standby. A server that refuses a
        further connection answers, too."""
        there = {"host": self.info.host, "hostaddr": self.info.hostaddr, "port": str(self.info.port)}  # one of several
        ours = {"password": self.info.password, "connect_timeout": ANSWER_WITHIN}
        same: dict[str, Any] = self.info.get_parameters() | there | ours
        try:
            with psycopg.connect(**same, autocommit=True) as other:
                waits = has_our_commit_waiting(other, self.info.backend_pid)
        except ConnectionTimeout:
            self.close()
            raise psycopg.OperationalError("the server takes connections and says nothing") from None
        except psycopg.Error:
            return
        if waits:
            self.close()
            raise CommitWaits("the commit waits for a synchronous standby that does not answer")
