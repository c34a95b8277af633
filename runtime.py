"""What every request can reach: the settings, the database, the clock and what counts and keeps."""

from dataclasses import dataclass, field
from threading import Event

from flask import current_app

from config.clock import Clock
from config.settings import Settings
from models.database import Database


@dataclass
class House:
    """The parts that `create_app` puts together, kept in ``app.extensions["house"]``."""

    settings: Settings
    database: Database
    clock: Clock
    stopping: Event = field(default_factory=Event)  # set when the process has been told to stop


def house() -> House:
    found: House = current_app.extensions["house"]
    return found
