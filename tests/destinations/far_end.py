"""Destinations as tests open them, and changes of people who do not exist."""

from collections.abc import Mapping
from typing import Any

from destinations.contract import Change, Feed, Kind, Opened

NOW = 1_780_000_000_000  # milliseconds
FEED = Feed(1, "1234567", "987", "Paying users")


def opened(
    settings: Mapping[str, Any], secrets: Mapping[str, list[str]] | None = None, *, private: bool = True
) -> Opened:
    """What the engine opens an adapter with."""
    return Opened("ours", settings, secrets or {}, lambda: NOW, private)


def change(number: int = 1, identity: str = "ada", kind: Kind = "entered", **more: Any) -> Change:
    """The `number`th message."""
    known = {"distinct_id": identity, "entry_number": 1, "session_id": 12, "at": NOW - 1000, "position": number}
    return Change(number, f"dlv_{number}", kind, identity, **known | more)
