"""The records of an import that Mixpanel does not have, or may not have, with their reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from models.database import Database
from outbound.imports.batches import Batch, Record
from outbound.readers import objects
from outbound.readers.objects import NoRecord
from outbound.result.response import storable
from outbound.transport.attempts import Outcome

PIECE = 1000
_ADD = text("""
    INSERT INTO import_failure (import_id, place, verdict, field, reason, record)
    VALUES (:import_id, :place, :verdict, :field, :reason, :record)
    ON CONFLICT (import_id, place) DO UPDATE SET verdict = excluded.verdict, field = excluded.field,
        reason = excluded.reason, record = excluded.record""")
_AFTER = text("""
    SELECT place, verdict, field, reason, record, again_in FROM import_failure
    WHERE import_id = :import_id AND place > :after ORDER BY place LIMIT :limit""")
_NOTE_AGAIN = text("""
    UPDATE import_failure SET again_in = :again_in WHERE import_id = :import_id AND place = :place""")
_REASONS = text("""
    SELECT verdict, field, reason, count(*) AS times, min(place) AS first FROM import_failure
    WHERE import_id = :import_id GROUP BY verdict, field, reason ORDER BY count(*) DESC, min(place) LIMIT :limit""")


@dataclass(frozen=True)
class Failure:
    """One record; `verdict` is refused (by our checks), rejected (by Mixpanel) or uncertain."""

    place: int
    verdict: str
    field: str | None
    reason: str
    record: str
    again_in: int | None = None


def of(batch: Batch, outcome: Outcome | None) -> list[Failure]:
    """Return what failed of a batch: what our checks refused, and what Mixpanel did not take; None where nothing was
    sent."""
    refused = [Failure(one.place, "refused", one.field, one.reason, one.text) for one in batch.refused]
    return [*refused, *_failed(batch, outcome)]


def _failed(batch: Batch, outcome: Outcome | None) -> Sequence[Failure]:
    """Return the records that Mixpanel named, or all of them where it took none. Where it took some and does not name
    the others, nobody knows of any record that was not named whether it is there."""
    if outcome is None or outcome.verdict == "accepted":
        return []
    verdict = "uncertain" if outcome.verdict == "uncertain" else "rejected"
    named = {record.index: record for record in outcome.failed_records if 0 <= record.index < len(batch.places)}
    found = [
        Failure(batch.places[index], verdict, record.field, record.message, _own(batch.encoded[index]))
        for index, record in sorted(named.items())
    ]
    if outcome.verdict == "partly" and outcome.accepted + len(named) == len(batch.places):
        return found
    if named and outcome.verdict != "partly":
        return found
    rest = "uncertain" if outcome.verdict == "partly" else verdict
    pairs = [(place, encoded) for index, (place, encoded) in enumerate(_pairs(batch)) if index not in named]
    return [*found, *(Failure(place, rest, None, outcome.words, _own(encoded)) for place, encoded in pairs)]


def _pairs(batch: Batch) -> Iterator[tuple[int, bytes]]:
    return zip(batch.places, batch.encoded, strict=True)


def _own(encoded: bytes) -> str:
    """Return the record without the token that we filled in, so that it can be imported again as it is."""
    record: Record = msgspec.json.decode(encoded)
    return msgspec.json.encode({name: value for name, value in record.items() if name != "$token"}).decode()


def add(db: Connection, import_id: int, found: Sequence[Failure]) -> None:
    """Keep them, in the transaction that completes their batch."""
    if found:
        rows = [vars(failure) | {"import_id": import_id} for failure in found]
        db.execute(_ADD, [row | {"reason": storable(row["reason"]), "record": storable(row["record"])} for row in rows])


def is_record(failure: Failure) -> bool:
    """Tell whether it can be imported again: a row or a line that could not be read is none."""
    try:
        return bool(objects.record(failure.record.encode()))
    except (NoRecord, UnicodeEncodeError):
        return False


def some(db: Connection, import_id: int, after: int, limit: int) -> list[Failure]:
    """Return the failed records by place, from behind `after` on."""
    values = {"import_id": import_id, "after": after, "limit": limit}
    return [Failure(*row) for row in db.execute(_AFTER, values)]


def every(database: Database, import_id: int) -> Iterator[Failure]:
    """Yield all failed records of an import, with flat memory."""
    after = -1
    while found := database.read(lambda db: some(db, import_id, after, PIECE), one_statement=True):  # noqa: B023
        yield from found
        after = found[-1].place


def note_again(db: Connection, import_id: int, places: Sequence[int], again_in: int) -> None:
    """Note that these are sent again, corrected, by an import of its own."""
    db.execute(_NOTE_AGAIN, [{"import_id": import_id, "place": place, "again_in": again_in} for place in places])


def reasons(db: Connection, import_id: int, limit: int) -> list[Any]:
    """Why, the most frequent first: verdict, field, reason, times, first."""
    return list(db.execute(_REASONS, {"import_id": import_id, "limit": limit}))
