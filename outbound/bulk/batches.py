"""Stretches of places: what of them can be sent at once, and what our checks refuse."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from outbound.bulk.files import Read
from outbound.bulk.kinds import Kind
from outbound.checks import MOST_BYTES, MOST_RECORD_BYTES, MOST_RECORDS, check_record
from outbound.checks.profiles import NOT_REPEATABLE, OPERATORS
from outbound.projects import Credentials
from outbound.records import prepared

MOST_REFUSED = 2000  # in one stretch

Record = dict[str, Any]
Range = tuple[int, int]


@dataclass(frozen=True)
class Refused:
    """A record that is not sent: why, and what stood there."""

    place: int
    field: str | None
    reason: str
    text: str


@dataclass
class Batch:
    """The records of a stretch, encoded; `places` has one for each, `first` and `last` are those of the stretch. What a
    record is (`records`: an event, which operator) is kept beside it: whole records would be ten times as large."""

    first: int = 0
    last: int = 0
    places: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    size: int = 2  # the brackets

    @property
    def body(self) -> bytes:
        return b"[" + b",".join(self.encoded) + b"]"

    @property
    def is_repeatable(self) -> bool:
        return all(NOT_REPEATABLE.isdisjoint(one) for one in self.records)

    @property
    def is_full(self) -> bool:
        return len(self.records) >= MOST_RECORDS or len(self.refused) >= MOST_REFUSED

    def __bool__(self) -> bool:
        return self.first > 0


class Sorter:
    """Brings records into shape, fills in what they lack, and tells those that cannot be sent."""

    def __init__(self, kind: Kind, credentials: Credentials, integration_id: str | None, now: int) -> None:
        self.kind, self.credentials, self.integration_id, self.now = kind, credentials, integration_id, now
        self.operation = kind.operation
        self.encode = msgspec.json.Encoder().encode

    def ready(self, read: Read) -> tuple[Record, bytes] | Refused:
        """The record as it is sent and encoded, or why it is not."""
        if read.record is None:
            return Refused(read.place, None, read.wrong, read.text)
        record = prepared(
            self.operation, self.kind.shaped(read.record), self.credentials, self.integration_id, self.now
        )
        problem = next((one for one in check_record(self.kind.record, record, self.now) if one.level != "note"), None)
        if problem is not None:
            return self._refused(read, problem.field, problem.message)
        try:
            encoded = self.encode(record)
        except (UnicodeEncodeError, TypeError, ValueError):
            return self._refused(read, None, "It holds half a character, which cannot be sent as UTF-8.")
        if len(encoded) >= MOST_RECORD_BYTES:
            return self._refused(read, None, "A record must be smaller than 1 MB.")
        return record, encoded

    def _refused(self, read: Read, field: str | None, reason: str) -> Refused:
        try:
            text = self.encode(read.record).decode()
        except (UnicodeEncodeError, TypeError, ValueError):
            text = repr(read.record)
        return Refused(read.place, field, reason, text)


def batches(found: Iterable[Read], sorter: Sorter, done: list[Range]) -> Iterator[Batch]:
    """Everything that is not in a stretch that is `done` (in order, without overlaps), in stretches to be sent."""
    ahead = iter([*done, (2**63, 2**63)])
    start, end = next(ahead)
    batch = Batch()
    for read in found:
        while read.place > end:
            start, end = next(ahead)
        if read.place >= start:
            if batch:
                yield batch
                batch = Batch()
            continue
        one = sorter.ready(read)
        size = 0 if isinstance(one, Refused) else len(one[1]) + 1
        if batch and (batch.is_full or batch.size + size > MOST_BYTES):
            yield batch
            batch = Batch()
        _take(batch, read.place, one, size)
    if batch:
        yield batch


def face(record: Record) -> Record:
    """What a record is, without what it says."""
    return _FACES[next((name for name in OPERATORS if name in record), "event")]


_FACES: dict[str, Record] = {name: {name: ""} for name in ("event", *OPERATORS)}


def _take(batch: Batch, place: int, one: tuple[Record, bytes] | Refused, size: int) -> None:
    batch.first, batch.last = batch.first or place, place
    if isinstance(one, Refused):
        batch.refused.append(one)
        return
    batch.places.append(place)
    batch.records.append(face(one[0]))
    batch.encoded.append(one[1])
    batch.size += size
