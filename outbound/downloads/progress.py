"""How far long answers are, and where they lie: a row beside that of their call."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

import models
from config.clock import MINUTE
from models.columns import columns_of
from outbound.downloads.receiver import Received

ALIVE = 30 * MINUTE  # for which an answer that is still coming is somebody's

_NOTE = text("""
    INSERT INTO download (delivery_id, at, size, records, file) VALUES (:delivery, :now, :size, :records, :file)
    ON CONFLICT (delivery_id) DO UPDATE SET at = :now, size = :size, records = :records, file = :file
    RETURNING cancelled_at""")
_ALIVE = text("UPDATE delivery SET over_at = :until WHERE id = :id AND over_at < :until")
_END = text("""
    INSERT INTO download (delivery_id, at, size, records, file, state)
    VALUES (:delivery, :now, :size, :records, :file, :state)
    ON CONFLICT (delivery_id) DO UPDATE
        SET at = :now, size = :size, records = :records, file = :file, state = :state""")
_CANCEL = text("""
    INSERT INTO download (delivery_id, at, size, cancelled_at)
    SELECT id, :now, 0, :now FROM delivery WHERE id = :delivery AND verdict IS NULL
    ON CONFLICT (delivery_id) DO UPDATE SET cancelled_at = :now""")
_OLD = text("SELECT delivery_id, file FROM download WHERE file IS NOT NULL AND at < :before")
_FILES = text("SELECT file FROM download WHERE file IS NOT NULL")
_GONE = text("UPDATE download SET file = NULL WHERE delivery_id = :id")


@dataclass(frozen=True)
class Download:
    """One long answer: `size` bytes and `records` so far. `state` is None while it comes, then whole, broken or
    cancelled. `file` is None where nothing is kept (any more)."""

    delivery_id: int
    at: int
    size: int
    records: int | None
    file: str | None
    state: str | None
    cancelled_at: int | None


def note(db: Connection, delivery: int, now: int, size: int, records: int | None, file: str) -> bool:
    """Return how far it is; whether somebody has asked to stop it."""
    values = {"delivery": delivery, "now": now, "size": size, "records": records, "file": file or None}
    db.execute(_ALIVE, {"id": delivery, "until": now + ALIVE})
    return db.execute(_NOTE, values).scalar_one() is not None


def end(db: Connection, delivery: int, now: int, received: Received) -> None:
    state = "whole" if received.is_whole else "cancelled" if received.cancelled else "broken"
    values: dict[str, Any] = {"delivery": delivery, "now": now, "size": received.size, "records": received.records}
    db.execute(_END, values | {"file": received.file or None, "state": state})


def cancel(db: Connection, delivery: int, now: int) -> bool:
    """Ask to stop a call that is under way; whether there was one."""
    return db.execute(_CANCEL, {"delivery": delivery, "now": now}).rowcount > 0


def of(db: Connection, delivery: int) -> Download | None:
    kept = select(*columns_of(models.Download, Download)).where(models.Download.delivery_id == delivery)
    row = db.execute(kept).one_or_none()
    return None if row is None else Download(*row)


def old(db: Connection, before: int) -> list[tuple[int, str]]:
    """Those that were last written before a moment."""
    return [(row.delivery_id, row.file) for row in db.execute(_OLD, {"before": before})]


def files(db: Connection) -> set[str]:
    """Return the names of all files that some row knows."""
    return set(db.execute(_FILES).scalars())


def gone(db: Connection, delivery: int) -> None:
    """Its file is no more."""
    db.execute(_GONE, {"id": delivery})
