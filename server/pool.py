"""The processes that answer requests, on a socket that `flask serve` holds open for them.

Granian takes no listening socket from elsewhere by a public way, so that this module fills in what it makes of its own:
three private names. pyproject.toml pins the version, and tests/server/test_granian.py holds the names.
"""

import multiprocessing
import os
import signal
import socket
import time
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]  # it is exported by use
from granian.server.mp import MPServer

from config.settings import Settings
from server.parent_death import end_with_parent

FOLDER = "COHORT_RELAY_GENERATION"  # the environment's name for the folder in which processes say that they are ready
STOP_WITHIN = 15  # seconds until a process that does not stop is killed
LAST_CALLS = 0.5  # seconds in which calls on open connections still hear an answer instead of a cut line
BACKLOG = 2048  # connections that wait to be accepted; the kernel's somaxconn may lower it
CONNECTIONS = 8192  # open at once in one process; an idle one costs some 20 KB
WAITERS = 256  # threads that wait for slow clients, beside those that work; each is made when it is needed


class Server(MPServer):
    """Granian on a socket that lives longer than it does, so that no caller is refused while one server replaces
    another; and telling its workers that they are about to stop before it closes their connections."""

    def __init__(self, listening: int, **options: Any) -> None:
        super().__init__("server.wsgi:application", **options)
        self._listening = listening
        self._last_call = signal.SIGUSR1
        signal.signal(signal.SIGUSR2, self._make_way)

    def _make_way(self, *_: object) -> None:
        """Another server has taken over: answer what still comes, then stop."""
        self._last_call = signal.SIGUSR2
        self.signal_handler_interrupt()  # type: ignore[no-untyped-call]

    def _init_shared_socket(self) -> None:
        self._shd: Any = SocketHolder(self._listening, False, self.backlog)  # type: ignore[call-arg]
        self._sso = socket.socket(fileno=self._listening)

    def shutdown(self, exit_code: int = 0) -> None:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, self._last_call)
        time.sleep(LAST_CALLS)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


def serve(settings: Settings, listening: int) -> None:
    """Answer requests on the descriptor `listening` until we are told to stop, or the parent ends."""
    end_with_parent(os.getppid())
    Server(
        listening,
        interface=Interfaces.WSGI,
        workers=settings.processes,
        blocking_threads=settings.threads + WAITERS,
        workers_kill_timeout=STOP_WITHIN,
        respawn_failed_workers=True,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.slow_client_seconds * 1000),
        log_enabled=False,
    ).serve()
