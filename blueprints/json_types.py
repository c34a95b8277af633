"""What JSON answers and exports are made of: field types with their descriptions, times, and the one encoder."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from config.clock import iso

Moment = Annotated[str, Meta(description="UTC, to the millisecond.", extra_json_schema={"format": "date-time"})]
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Json = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]  # stored JSON goes out as it is

encoder = msgspec.json.Encoder()


def moment(milliseconds: int) -> str:
    """Write a time that is always there as ISO 8601 in UTC; `config.clock.iso` is for those that may be missing."""
    return str(iso(milliseconds))
