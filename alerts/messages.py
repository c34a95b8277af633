"""The rows of alerts: what was told about each subject, the messages that wait, and the log."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from alerts.compose import Message
from alerts.rules import Remembered
from models.alerts import Alert, AlertState
from models.columns import columns_of
from models.insert_once import insert_once

DAMPED = "damped "  # begins `told` of a subject that is damped; what was told last follows


_PRUNE = text("DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE at < :before ORDER BY at LIMIT 1000)")

NEWEST = 2**62


@dataclass(frozen=True)
class Logged:
    """A row of the log. `state` is waiting, sent or failed; `error` why the last attempt did not arrive."""

    id: int
    at: int
    subject: str
    kind: str
    title: str
    message: str
    link: str
    channel: str
    state: str
    attempts: int
    error: str | None
    sent_at: int | None


def known_subjects(db: Connection) -> dict[str, Remembered]:
    return {row.subject: _known(row) for row in db.execute(select(AlertState.__table__))}


def remember(db: Connection, subject: str, old: Remembered | None, new: Remembered) -> bool:
    """Keep what is known now; False where another worker was faster, whose message it then is."""
    if old is None:
        return insert_once(db, AlertState, "subject", {"subject": subject, **_stored(new)})
    known = (AlertState.state == old.state, AlertState.since == old.since, AlertState.told == _told(old))
    change = update(AlertState).where(AlertState.subject == subject, *known).values(_stored(new))
    return db.execute(change).rowcount == 1


def queue(db: Connection, message: Message, channels: Iterable[str], now: int) -> None:
    """Add a row for each channel, which the worker delivers after this transaction."""
    values = {"at": now, "subject": message.subject, "kind": message.kind, "title": message.title}
    values |= {"message": message.text, "link": message.link, "state": "waiting", "attempts": 0}
    for channel in channels:
        db.execute(insert(Alert).values(values | {"channel": channel}))


def log(db: Connection, before_id: int | None = None, limit: int = 50) -> list[Logged]:
    """Return what was sent or is to be, newest first; `before_id` is the last id of the page before."""
    before = NEWEST if before_id is None else before_id
    newest = select(*columns_of(Alert, Logged)).where(Alert.id < before).order_by(Alert.id.desc()).limit(limit)
    return [Logged(*row) for row in db.execute(newest)]


def prune(db: Connection, before: int) -> int:
    """Remove at most a thousand rows from before that moment; returns how many went."""
    return db.execute(_PRUNE, {"before": before}).rowcount


def _known(row: Any) -> Remembered:
    damped = row.told.startswith(DAMPED)
    return Remembered(row.state, row.since, row.told.removeprefix(DAMPED), row.told_at, tuple(row.turns), damped)


def _stored(known: Remembered) -> dict[str, Any]:
    since = {"since": known.since, "told_at": known.told_at, "turns": known.turns}
    return {"state": known.state, "told": _told(known), **since}


def _told(known: Remembered) -> str:
    return DAMPED + known.told if known.damped else known.told
