"""Stretches of places: what of them can be sent at once, and what our checks refuse."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from outbound.imports.changes import CannotChange, Changes
from outbound.imports.duplicates import DuplicateEvents
from outbound.imports.kinds import Kind
from outbound.imports.options import NoTime, Options
from outbound.operations.types import Problem
from outbound.projects import Credentials
from outbound.readers.objects import ReadRecord
from outbound.request.checks import MOST_BYTES, MOST_RECORD_BYTES, MOST_RECORDS, check_record
from outbound.request.checks.profiles import NOT_REPEATABLE, OPERATORS
from outbound.request.records import prepared

MOST_REFUSED = 2000  # in one stretch
NOTHING_DONE = frozenset({"nobody", "operator"})  # sorts of advice for which an update would do nothing
EQUAL = "It is equal to an event before it, and has no $insert_id: Mixpanel counts them once."

Record = dict[str, Any]
Range = tuple[int, int]


@dataclass(frozen=True)
class RefusedRecord:
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
    refused: list[RefusedRecord] = field(default_factory=list)
    advised: Counter[str] = field(default_factory=Counter)  # how many records, by the sort of advice
    size: int = 2  # the brackets

    @property
    def body(self) -> bytes:
        return b"[" + b",".join(self.encoded) + b"]"

    @property
    def is_repeatable(self) -> bool:
        return all(NOT_REPEATABLE.isdisjoint(record) for record in self.records)

    @property
    def is_full(self) -> bool:
        return len(self.records) >= MOST_RECORDS or len(self.refused) >= MOST_REFUSED

    def __bool__(self) -> bool:
        return self.first > 0


@dataclass(frozen=True)
class EncodedRecord:
    """A record as it is sent, encoded, and what is advised against it."""

    record: Record
    encoded: bytes
    advice: list[Problem]


class RecordChecker:
    """Brings records into shape, fills in what they lack, and tells those that cannot be sent. Advice is counted; it
    refuses a record only where the options say so, or where Mixpanel would do nothing and call that a success."""

    def __init__(
        self,
        kind: Kind,
        credentials: Credentials,
        integration_id: str | None,
        now: int,
        settings: Record | None = None,
    ) -> None:
        self.kind, self.credentials, self.integration_id, self.now = kind, credentials, integration_id, now
        self.options, self.changes = Options.of(settings or {}), Changes.of(settings or {})
        self.operation = kind.operation
        self.encode = msgspec.json.Encoder().encode
        self.duplicates = DuplicateEvents()

    def ready(self, found: ReadRecord) -> EncodedRecord | RefusedRecord:
        """Return the record as it is sent, or why it is not."""
        if found.record is None:
            return RefusedRecord(found.place, None, found.wrong, found.text)
        given = found.record
        try:
            given = self.changes.applied(self.kind.name, self.kind.shaped(found.record))
            given = self.options.applied(self.kind.name, given)
        except (CannotChange, NoTime) as error:
            return _refused(found.place, given, self.kind.time if isinstance(error, NoTime) else None, str(error))
        record = prepared(self.operation, given, self.credentials, self.integration_id, self.now)
        problems = [one for one in check_record(self.kind.record, record, self.now) if one.level != "note"]
        stopping = next(filter(self._stops, problems), None)
        if stopping is not None:
            return _refused(found.place, given, stopping.field, stopping.message)
        try:
            encoded = self.encode(record)
        except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
            return _refused(
                found.place, given, None, "It holds half a character, or is nested too deeply, and cannot be sent."
            )
        if len(encoded) >= MOST_RECORD_BYTES:
            return _refused(found.place, given, None, "A record must be smaller than 1 MB.")
        if self.duplicates.is_duplicate(given, record):
            problems.append(Problem("advice", "properties.$insert_id", EQUAL, sort="equal"))
        return EncodedRecord(record, encoded, problems)

    def _stops(self, problem: Problem) -> bool:
        nothing_done = self.kind.name != "events" and problem.sort in NOTHING_DONE
        return problem.level == "error" or self.options.strict or nothing_done


def _refused(place: int, given: Record, field: str | None, reason: str) -> RefusedRecord:
    return RefusedRecord(place, field, reason, json.dumps(given))


def batches(found: Iterable[ReadRecord], checker: RecordChecker, done: list[Range]) -> Iterator[Batch]:
    """Yield everything that is not in a stretch that is `done` (in order, without overlaps), in stretches to be
    sent."""
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
        ready = checker.ready(read)
        size = 0 if isinstance(ready, RefusedRecord) else len(ready.encoded) + 1
        if batch and (batch.is_full or batch.size + size > MOST_BYTES):
            yield batch
            batch = Batch()
        _take(batch, read.place, ready, size)
    if batch:
        yield batch


def record_kind(record: Record) -> Record:
    """Return what a record is, without what it says."""
    return _KINDS[next((name for name in OPERATORS if name in record), "event")]


_KINDS: dict[str, Record] = {name: {name: ""} for name in ("event", *OPERATORS)}


def _take(batch: Batch, place: int, ready: EncodedRecord | RefusedRecord, size: int) -> None:
    batch.first, batch.last = batch.first or place, place
    if isinstance(ready, RefusedRecord):
        batch.refused.append(ready)
        return
    batch.places.append(place)
    batch.records.append(record_kind(ready.record))
    batch.encoded.append(ready.encoded)
    if ready.advice:
        batch.advised.update({problem.sort for problem in ready.advice})
    batch.size += size
