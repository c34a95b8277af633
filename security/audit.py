"""The audit trail: who changed what, when, with before and after. Written in the change's own transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from config.clock import HOUR
from models.operators import AuditEntry

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
    values = {"at": now, "who": who, "action": action, "subject": subject, "before": before, "after": after}
    db.execute(insert(AuditEntry).values(values))


def note_often(
    db: Connection, now: int, who: str, action: str, subject: str, after: Mapping[str, Any] | None = None
) -> None:
    """As `note`, for what may happen any number of times: one entry an hour for the same who, action and subject, with
    `times` and what was last."""
    known = _lately(db, now, who, action, subject)
    if known is None:
        note(db, now, who, action, subject, after={**(after or {}), "times": 1})
        return
    said = known.after or {}
    _change(db, known.id, {**said, **(after or {}), "times": said.get("times", 1) + 1})


def note_most(db: Connection, at: int, who: str, action: str, subject: str, name: str, number: int) -> None:
    """Raise a number of the entry that `note_often` made or changed at `at`; a smaller one changes nothing."""
    known = _lately(db, at, who, action, subject)
    said = {} if known is None else known.after or {}
    if known is not None and number > said.get(name, -1):
        _change(db, known.id, {**said, name: number})


def _lately(db: Connection, now: int, who: str, action: str, subject: str) -> Row[Any] | None:
    """Return the newest such entry of the last hour."""
    same = (AuditEntry.who == who, AuditEntry.action == action, AuditEntry.subject == subject)
    lately = select(AuditEntry.id, AuditEntry.after).where(AuditEntry.at > now - HOUR, *same)
    return db.execute(lately.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()


def _change(db: Connection, entry: int, after: Mapping[str, Any]) -> None:
    db.execute(update(AuditEntry).where(AuditEntry.id == entry).values(after=after))
