"""What the running app holds for every request, command and worker: settings, database, clock, encryption."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from flask import current_app

from config.clock import Clock, now
from config.clock_watch import ClockWatch
from config.settings import Settings
from models.database import Database
from models.encryption import Encryption


@dataclass
class Runtime:
    """Put together once by `create_app` and kept in ``app.extensions["runtime"]``.

    `clock` answers milliseconds since 1970. `stopping` is set when the process has been told to stop.
    `clock_watch` tells whether the machine's own clock was set since.
    """

    settings: Settings
    database: Database
    clock: Clock
    cipher: Encryption
    stopping: Event = field(default_factory=Event)
    clock_watch: ClockWatch = field(default_factory=lambda: ClockWatch(now))

    def with_settings(self, **changed: Any) -> "Runtime":
        """The same runtime with some settings changed: one try only, say."""
        return replace(self, settings=Settings(**(vars(self.settings) | changed)))

    @property
    def uploads(self) -> Path:
        """The folder in which uploaded files wait for their import."""
        return self.settings.instance / "imports"


def current_runtime() -> Runtime:
    """The runtime of the current app; needs an app context."""
    found: Runtime = current_app.extensions["runtime"]
    return found
