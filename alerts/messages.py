"""The rows of alerts: what was told about each subject, the messages that wait, and the log."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause, text

from alerts.compose import Message
from alerts.rules import Remembered

DAMPED = "damped "  # begins `told` of a subject that is damped; what was told last follows


def _with_turns(sql: str) -> dict[str, TextClause]:
    """Return the statement for each database: PostgreSQL takes text for a JSONB column only where it is cast."""
    return {"sqlite": text(sql), "postgresql": text(sql.replace(":turns", "CAST(:turns AS JSONB)"))}


_KNOWN = text("SELECT subject, state, since, told, told_at, turns FROM alert_state")
_MEET = _with_turns("""
    INSERT INTO alert_state (subject, state, since, told, told_at, turns)
    VALUES (:subject, :state, :since, :told, :told_at, :turns) ON CONFLICT (subject) DO NOTHING""")
_CHANGE = _with_turns("""
    UPDATE alert_state SET state = :state, since = :since, told = :told, told_at = :told_at, turns = :turns
    WHERE subject = :subject AND state = :old_state AND since = :old_since AND told = :old_told""")
_ADD = text("""
    INSERT INTO alert (at, subject, kind, title, message, link, channel, state, attempts)
    VALUES (:at, :subject, :kind, :title, :message, :link, :channel, 'waiting', 0)""")
_LOG = text("""
    SELECT id, at, subject, kind, title, message, link, channel, state, attempts, error, sent_at FROM alert
    WHERE id < :before ORDER BY id DESC LIMIT :limit""")
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
    return {row.subject: _known(row) for row in db.execute(_KNOWN).all()}


def remember(db: Connection, subject: str, old: Remembered | None, new: Remembered) -> bool:
    """Keep what is known now; False where another worker was faster, whose message it then is."""
    values = {"subject": subject, **_stored(new)}
    if old is None:
        return db.execute(_MEET[db.dialect.name], values).rowcount == 1
    before = {f"old_{name}": value for name, value in _stored(old).items() if name in {"state", "since", "told"}}
    return db.execute(_CHANGE[db.dialect.name], values | before).rowcount == 1


def queue(db: Connection, message: Message, channels: Iterable[str], now: int) -> None:
    """Add a row for each channel, which the worker delivers after this transaction."""
    values = {"at": now, "subject": message.subject, "kind": message.kind, "title": message.title}
    values |= {"message": message.text, "link": message.link}
    for channel in channels:
        db.execute(_ADD, values | {"channel": channel})


def log(db: Connection, before_id: int | None = None, limit: int = 50) -> list[Logged]:
    """Return what was sent or is to be, newest first; `before_id` is the last id of the page before."""
    values = {"before": NEWEST if before_id is None else before_id, "limit": limit}
    return [Logged(**row) for row in db.execute(_LOG, values).mappings()]


def prune(db: Connection, before: int) -> int:
    """Remove at most a thousand rows from before that moment; returns how many went."""
    return db.execute(_PRUNE, {"before": before}).rowcount


def _known(row: Any) -> Remembered:
    turns = json.loads(row.turns) if isinstance(row.turns, str) else row.turns
    damped = row.told.startswith(DAMPED)
    return Remembered(row.state, row.since, row.told.removeprefix(DAMPED), row.told_at, tuple(turns), damped)


def _stored(known: Remembered) -> dict[str, Any]:
    told = DAMPED + known.told if known.damped else known.told
    turns = json.dumps(known.turns)
    return {"state": known.state, "since": known.since, "told": told, "told_at": known.told_at, "turns": turns}
