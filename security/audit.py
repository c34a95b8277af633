"""The audit trail: who changed what, when, with before and after. Written in the change's own transaction."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

_NOTE = text("""
    INSERT INTO audit_entry (at, who, action, subject, before, after)
    VALUES (:at, :who, :action, :subject, :before, :after)""")
_NOTE_JSONB = text("""
    INSERT INTO audit_entry (at, who, action, subject, before, after)
    VALUES (:at, :who, :action, :subject, CAST(:before AS JSONB), CAST(:after AS JSONB))""")

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


def _json(side: Mapping[str, Any] | None) -> str | None:
    return None if side is None else json.dumps(side)
