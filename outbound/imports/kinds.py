"""What can be imported: which call takes it, and how a record of a file becomes one of that call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outbound.operations import registry
from outbound.operations.types import Operation, RecordKind
from outbound.request.checks.profiles import OPERATORS

Record = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """`shaped` brings a record of a file into the shape that the call takes."""

    name: str
    words: str
    operation_id: str
    record: RecordKind
    shaped: Callable[[Record], Record]

    @property
    def time(self) -> str:
        """Where the time of a record is."""
        return "properties.time" if self.name == "events" else "$time"

    @property
    def operation(self) -> Operation:
        return registry.OPERATIONS[self.operation_id]


def _as_it_is(record: Record) -> Record:
    return record


def _profile(record: Record) -> Record:
    """Return an update as it is; make a `$set` of a profile as Mixpanel exports it, or of a flat object with an id."""
    if any(name in record for name in OPERATORS):
        return record
    own = {name: value for name, value in record.items() if name in OWN_FIELDS}
    if isinstance(record.get("$properties"), dict):
        return own | {"$set": record["$properties"]}
    rest = {name: value for name, value in record.items() if name not in OWN_FIELDS}
    return own | {"$set": rest} if rest else record


# What an update says beside its properties.
OWN_FIELDS = frozenset(
    {"$token", "$distinct_id", "$group_key", "$group_id", "$ip", "$time", "$ignore_time", "$ignore_alias"}
)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("events", "Events", "import-events", "imported-event", _as_it_is),
        Kind("people", "User profiles", "profile-batch-update", "profile", _profile),
        Kind("groups", "Group profiles", "group-batch-update", "group", _profile),
    )
}
