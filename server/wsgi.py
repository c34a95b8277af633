"""What a process of the web server loads."""

import os
import signal
from pathlib import Path

from app import create_app
from server import garbage
from server.concurrency import Turns
from server.parent_death import end_with_parent
from server.pool import FOLDER
from server.slow_clients import Watch
from server.watchdog import Vitals

end_with_parent(os.getppid())
_app = create_app()
_runtime = _app.extensions["runtime"]
_settings = _runtime.settings
application = Turns(_app, _settings.threads, _settings.slow_client_seconds, _settings.trusted_proxies)


def _refuse(*_: object) -> None:
    """We are about to stop: calls hear 503, and their connections end with that."""
    _runtime.stopping.set()
    application.leaving = True


def _leave(*_: object) -> None:
    """Others take over: calls are answered as ever, and their connections end with that."""
    application.leaving = True


signal.signal(signal.SIGUSR1, _refuse)
signal.signal(signal.SIGUSR2, _leave)
Watch(application, _settings.port).start()
Vitals(_app, _leave).start()

garbage.spare_what_is_loaded()

Path(os.environ[FOLDER], f"ready-{os.getpid()}").touch()
