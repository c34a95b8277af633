"""What every call to Mixpanel needs: the database, the clock, the box of credentials, and how patient we are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.database import Database
from outbound.downloads.folder import Folder


class Sealing(Protocol):
    """Seals a text, and opens what it sealed."""

    def seal(self, secret: str) -> str: ...
    def open(self, sealed: str) -> str: ...


@dataclass(frozen=True)
class Desk:
    """Put together once by `create_app` from the settings. `pause` and `timeout` are seconds; `folder` is where
    uploaded files wait for their import, `downloads` where long answers are kept; `base_url` is MIXPANEL_BASE_URL,
    empty in earnest."""

    database: Database
    clock: Callable[[], int]
    box: Sealing
    base_url: str
    attempts: int
    pause: float
    timeout: float
    folder: Path
    downloads: Folder
