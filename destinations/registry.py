"""The types of destination that there are."""

from destinations.contract import DestinationType
from destinations.types.files import FILES
from destinations.types.sql import SQL
from destinations.types.webhook import WEBHOOK

TYPES: dict[str, DestinationType] = {kind.name: kind for kind in (WEBHOOK, SQL, FILES)}


def type_of(name: str) -> DestinationType:
    """Return the type of this name. Raises KeyError."""
    return TYPES[name]
