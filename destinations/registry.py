"""The types of destination that there are."""

from destinations.contract import DestinationType

TYPES: dict[str, DestinationType] = {}


def type_of(name: str) -> DestinationType:
    """Return the type of this name. Raises KeyError."""
    return TYPES[name]
