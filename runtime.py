"""What the running app holds for every request, command and worker: settings, database, clock, encryption."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from flask import current_app

from config.clock import Clock
from config.settings import Settings
from models.database import Database
from models.encryption import Encryption


@dataclass
class Runtime:
    """Put together once by `create_app` and kept in ``app.extensions["runtime"]``.

    `clock` answers milliseconds since 1970. `stopping` is set when the process has been told to stop.
    """

    settings: Settings
    database: Database
    clock: Clock
    cipher: Encryption
    stopping: Event = field(default_factory=Event)

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
