"""The types of destination that there are."""

from destinations.contract import DestinationType
from destinations.types.braze import BRAZE
from destinations.types.customerio import CUSTOMERIO
from destinations.types.files import FILES
from destinations.types.hubspot import HUBSPOT
from destinations.types.iterable import ITERABLE
from destinations.types.klaviyo import KLAVIYO
from destinations.types.mixpanel import MIXPANEL
from destinations.types.segment import SEGMENT
from destinations.types.slack import SLACK
from destinations.types.sql import SQL
from destinations.types.webhook import WEBHOOK

_ALL = (
    WEBHOOK,
    SQL,
    FILES,
    MIXPANEL,
    SEGMENT,
    SLACK,
    BRAZE,
    CUSTOMERIO,
    HUBSPOT,
    ITERABLE,
    KLAVIYO,
)
TYPES: dict[str, DestinationType] = {kind.name: kind for kind in _ALL}


def type_of(name: str) -> DestinationType:
    """Return the type of this name. Raises KeyError."""
    return TYPES[name]
