"""What Mixpanel would refuse, drop or cut, found before anything is sent (mixpanel-facts 4).

Each check is advice: whoever tests their tracking may want to see for themselves what Mixpanel does.
"""

from typing import Any

from outbound.operations.types import Problem, RecordKind
from outbound.request.checks.events import check_event
from outbound.request.checks.ids import stable_insert_id
from outbound.request.checks.profiles import check_update

MOST_RECORDS = 2000
MOST_BYTES = 10 * 1024 * 1024
MOST_RECORD_BYTES = 1024 * 1024


def check_record(kind: RecordKind, record: dict[str, Any], now: int) -> list[Problem]:
    """Return everything that is wrong with one record; `field` is within the record (`properties.time`)."""
    if kind in {"profile", "group"}:
        return check_update(record, group=kind == "group")
    return check_event(kind, record, now)


__all__ = ["MOST_BYTES", "MOST_RECORDS", "MOST_RECORD_BYTES", "check_record", "stable_insert_id"]
