"""The audit trail: who changed what, when, with before and after. Written in the change's own transaction."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from config.clock import HOUR

_NOTE = text("""
    INSERT INTO audit_entry (at, who, action, subject, before, after)
    VALUES (:at, :who, :action, :subject, :before, :after)""")
_NOTE_JSONB = text("""
    INSERT INTO audit_entry (at, who, action, subject, before, after)
    VALUES (:at, :who, :action, :subject, CAST(:before AS JSONB), CAST(:after AS JSONB))""")

_LATELY = text("""
    SELECT id, after FROM audit_entry WHERE at > :since AND who = :who AND action = :action AND subject = :subject
    ORDER BY id DESC LIMIT 1""")
_AGAIN = text("UPDATE audit_entry SET after = :after WHERE id = :id")
_AGAIN_JSONB = text("UPDATE audit_entry SET after = CAST(:after AS JSONB) WHERE id = :id")

TERMINAL = "terminal"  # whoever has a shell on the server


def note(
    db: Connection,
    now: int,
    who: str,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry. `action` is a stable word such as `connection.rotate`; neither side may hold a secret."""
    statement = _NOTE if db.dialect.name == "sqlite" else _NOTE_JSONB
    values = {"at": now, "who": who, "action": action, "subject": subject}
    db.execute(statement, values | {"before": _json(before), "after": _json(after)})


def note_often(
    db: Connection, now: int, who: str, action: str, subject: str, after: Mapping[str, Any] | None = None
) -> None:
    """As `note`, for what may happen any number of times: one entry an hour for the same who, action and subject, with
    `times` and what was last."""
    known = db.execute(_LATELY, {"since": now - HOUR, "who": who, "action": action, "subject": subject}).one_or_none()
    if known is None:
        note(db, now, who, action, subject, after={**(after or {}), "times": 1})
        return
    said = _read(known.after)
    _change(db, known.id, {**said, **(after or {}), "times": said.get("times", 1) + 1})


def note_most(db: Connection, at: int, who: str, action: str, subject: str, name: str, number: int) -> None:
    """Raise a number of the entry that `note_often` made or changed at `at`; a smaller one changes nothing."""
    known = db.execute(_LATELY, {"since": at - HOUR, "who": who, "action": action, "subject": subject}).one_or_none()
    said = {} if known is None else _read(known.after)
    if known is not None and number > said.get(name, -1):
        _change(db, known.id, {**said, name: number})


def _change(db: Connection, entry: int, after: Mapping[str, Any]) -> None:
    db.execute(_AGAIN if db.dialect.name == "sqlite" else _AGAIN_JSONB, {"id": entry, "after": _json(after)})


def _read(side: Any) -> dict[str, Any]:
    """Text from SQLite, a dict from PostgreSQL."""
    found: dict[str, Any] = json.loads(side) if isinstance(side, str) else side or {}
    return found


def _json(side: Mapping[str, Any] | None) -> str | None:
    return None if side is None else json.dumps(side)
