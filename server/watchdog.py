"""Ends a process that can no longer answer: without descriptors, without threads, or with an app that fails. The pool
puts a new one in its place."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from typing import Any

import structlog
from werkzeug.test import create_environ, run_wsgi_app

log = structlog.get_logger()

LOOK_EVERY = 1.0  # seconds
LOOKS = 10  # in a row that must fail, so that nobody is ended for a moment's shortage
LAST_CALLS = 0.5  # seconds for what is nearly answered
UNWELL = 70  # the exit code of a process that ended itself

App = Callable[..., Iterable[bytes]]


class Vitals:
    """Looks after the process that serves `app`; `leave` is called before it ends."""

    def __init__(self, app: App, leave: Callable[[], Any], look_every: float = LOOK_EVERY) -> None:
        self._app = app
        self._leave = leave
        self._look_every = look_every

    def start(self) -> None:
        Thread(target=self._look_again_and_again, name="vitals", daemon=True).start()

    def _look_again_and_again(self) -> None:
        failed = 0
        while failed < LOOKS:
            time.sleep(self._look_every)
            lost = missing(self._app)
            failed = failed + 1 if lost else 0
        with suppress(Exception):  # whatever is broken, the process ends
            log.critical("serve.process_unwell", lost=lost)
            self._leave()
        time.sleep(LAST_CALLS)
        os._exit(UNWELL)


def missing(app: App) -> str:
    """What this process has lost; nothing where it is well."""
    for name, works in (("descriptors", _has_descriptors), ("threads", _has_threads)):
        try:
            works()
        except (OSError, RuntimeError, MemoryError):
            return name
    return "" if _answers(app) else "health"


def _has_descriptors() -> None:
    os.close(os.open(os.devnull, os.O_RDONLY))


def _has_threads() -> None:
    thread = Thread(target=int)
    thread.start()
    thread.join()


def _answers(app: App) -> bool:
    """Whether the app answers without a fault of its own; 503 is an answer, and another process would say the same."""
    try:
        _body, status, _headers = run_wsgi_app(app, create_environ("/healthz", "http://127.0.0.1"))
    except Exception:
        log.exception("serve.health_failed")
        return False
    return not status.startswith("500 ")
