"""Ends connections whose client sends or reads too slowly.

The server's threads wait for a body inside the server, where nobody can interrupt them. But the sockets are this
process's own: once the reading half of one is shut, the server sees the end of the body, the request is answered (503
on the webhook, so that Mixpanel sends again), and the connection ends. Linux knows of each socket when it last sent and
received, and how much the other side has taken; on other systems slow clients are not cut off.
"""

import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import structlog

from server import tcp
from server.concurrency import BYTES_A_SECOND, Arriving, Turns

log = structlog.get_logger()

LOOK_EVERY = 1.0  # seconds
DESCRIPTORS = Path("/proc/self/fd")
READ_A_SECOND = 8 * 1024  # bytes of a reply that a client must take; a phone with a bad line has more
LOOK_AT_ALL_EVERY = 5  # looks, also where no request seems to be late: a reply in one piece may wait for its reader


class Watch:
    """Looks at the requests of `turns` once a second, and at the sockets on `port` where one is overdue."""

    def __init__(self, turns: Turns, port: int) -> None:
        self._turns = turns
        self._port = port
        self._looks = 0
        self._readers: dict[object, tuple[int, float]] = {}  # by address: what it had taken, and when that was

    def start(self) -> None:
        if DESCRIPTORS.exists() and hasattr(socket, "TCP_INFO"):
            Thread(target=self._look_again_and_again, name="slow clients", daemon=True).start()

    def _look_again_and_again(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            self.look_in_any_case()

    def look_in_any_case(self) -> None:
        """Look, and live on whatever comes of it: the watch is needed most where something is wrong."""
        try:
            self.look()
        except Exception as error:
            with suppress(Exception):  # a traceback reads files, and there may be no descriptor for them
                log.exception("serve.slow_clients_not_seen", error=type(error).__name__)

    def look(self) -> int:
        """Cut off who is too slow; returns how many."""
        now = time.monotonic()
        requests = list(self._turns.under_way)
        is_overdue = any(one.is_overdue(now) for one in requests)
        streams = any(one.waits_since is None and one.works_since is None for one in requests)
        self._looks += 1
        if not (is_overdue or streams or self._looks % LOOK_AT_ALL_EVERY == 0):
            return 0
        cut = self._cut_who_reads_slowly(now)
        if is_overdue:
            cut += self._cut_who_sends_slowly(now, requests)
        if cut:
            log.warning("serve.slow_clients_cut_off", connections=cut)
        return cut

    def _cut_who_sends_slowly(self, now: float, requests: list[Arriving]) -> int:
        patience = self._turns.patience
        long_work = any(
            one.works_since is not None and now - one.works_since > patience - LOOK_EVERY for one in requests
        )
        return sum(_cut_if_slow(one, patience, spare_silent=long_work) for one in _connections(self._port))

    def _cut_who_reads_slowly(self, now: float) -> int:
        """A reader has `patience` seconds to take what makes READ_A_SECOND, again and again."""
        seen, cut = {}, 0
        for one in _connections(self._port):
            with suppress(OSError, ValueError):  # it ends meanwhile, or the kernel is too old to tell
                peer, taken = one.getpeername(), tcp.account(one).bytes_acked
                if not tcp.waits_for_reader(one):
                    continue
                before, since = self._readers.get(peer, (taken, now))
                if taken - before > READ_A_SECOND * (now - since):
                    before, since = taken, now
                elif now - since > self._turns.patience:
                    one.shutdown(socket.SHUT_RDWR)
                    cut += 1
                    continue
                seen[peer] = (before, since)
        self._readers = seen
        return cut


def _connections(port: int) -> Iterator[socket.socket]:
    """This process's sockets on `port`, each as a copy that is closed after its turn."""
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208 - a snapshot of names
        with suppress(OSError):  # closed meanwhile, or no descriptor is left for the copy
            one = _copy(int(name))
            if one is None:
                continue
            with one:
                if one.family in {socket.AF_INET, socket.AF_INET6} and one.getsockname()[1] == port:
                    yield one


def _copy(descriptor: int) -> socket.socket | None:
    """A copy of the socket behind `descriptor`; None where it is a file or anything else."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return None
    copy = os.dup(descriptor)
    try:
        return socket.socket(fileno=copy)
    except OSError:  # another thread put a file in its place since we looked
        os.close(copy)
        return None


def _cut_if_slow(one: socket.socket, patience: float, *, spare_silent: bool) -> bool:
    """Whether it was too slow.

    An open connection may wait for `patience` before its call, so that one to which nothing was sent for twice as long
    has a call that began more than `patience` ago: its body is overdue, or it is worked on. What is worked on
    receives nothing; so where there is such a call, connections that are silent are spared.
    """
    try:
        info = tcp.account(one)
        one.getpeername()
    except (OSError, ValueError):  # the listening socket, one that just ended, or a kernel that is too old to tell
        return False
    is_slow = info.last_data_sent / 1000 >= 2 * patience + info.bytes_received / BYTES_A_SECOND
    if not is_slow or (spare_silent and info.last_data_recv / 1000 >= patience):
        return False
    try:
        one.shutdown(socket.SHUT_RD)
    except OSError:
        return False
    return True
