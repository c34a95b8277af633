"""What one setting is; all of them are in `config.settings_table`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One setting: ``parse`` turns the text of the environment into the value, or raises ValueError."""

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]
    secret: bool = False
