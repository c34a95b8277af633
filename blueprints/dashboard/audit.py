"""The audit trail: who changed what, when, with before and after."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import Connection, select, text

from blueprints import paging, rows
from blueprints.dashboard import blueprint
from config.clock import iso
from models.columns import columns_of
from models.database import Database
from models.operators import AuditEntry
from runtime import current_runtime
from security.roles import needs

PAGE = 50
BATCH = 1000  # entries read at a time by the export, whose memory stays flat

# What the filters offer: looked for among the newest entries, so that it is quick however long the trail is.
_LATELY = text("""
    SELECT DISTINCT who, action FROM (SELECT who, action FROM audit_entry ORDER BY id DESC LIMIT 2000) lately""")


_DONE = {
    "add": "added",
    "approve": "refresh approved",
    "ask": "asked for identities",
    "cancel": "cancelled",
    "change": "changed",
    "disable": "switched off",
    "download": "downloaded",
    "enable": "switched on",
    "erase": "erased",
    "export": "exported",
    "guard": "guard set",
    "password": "password changed",
    "pause": "paused",
    "reconcile": "compared",
    "reject": "refresh rejected",
    "remove": "removed",
    "replay": "sent again",
    "resume": "resumed",
    "retire": "password retired",
    "role": "role changed",
    "rotate": "password rotated",
    "schedule": "scheduled",
    "sign_in": "signed in",
    "sign_in_failed": "could not sign in",
    "sign_out": "signed out",
    "test": "tested",
}


def in_words(action: str) -> str:
    """`Cohort exported` for `cohort.export`; `Import: carry on` of what _DONE does not know."""
    thing, _dot, act = action.partition(".")
    done = f" {_DONE[act]}" if act in _DONE else f": {act}"
    return f"{thing}{done}".replace("_", " ").capitalize()


@dataclass(frozen=True)
class Entry:
    """One entry; `before` and `after` hold what differs."""

    id: int
    at: int
    who: str
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def what(self) -> str:
        return in_words(self.action)

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """Each thing that differs, with its value before and after; None where there was none."""
        names = dict.fromkeys([*self.before, *self.after])
        return [(name.replace("_", " "), _plain(self.before.get(name)), _plain(self.after.get(name))) for name in names]


@dataclass(frozen=True)
class Filter:
    """Whose entries, and which; empty for all."""

    who: str
    action: str

    @classmethod
    def of_request(cls) -> "Filter":
        return cls(*(request.args.get(name, "").replace("\0", "") for name in ("who", "action")))


@blueprint.get("/audit")
def show_audit() -> str:
    wanted = Filter.of_request()

    def read(db: Connection) -> tuple[list[Entry], list[Filter]]:
        return _entries(db, wanted, paging.before(), PAGE + 1), rows.every(db.execute(_LATELY), Filter)

    found, lately = current_runtime().database.read(read)
    return render_template(
        "dashboard/audit.html",
        **paging.shown(found, PAGE, {"who": wanted.who or None, "action": wanted.action or None}),
        wanted=wanted,
        people=sorted({row.who for row in lately} | {wanted.who} - {""}),
        actions=[
            (action, in_words(action)) for action in sorted({row.action for row in lately} | {wanted.action} - {""})
        ],
    )


@blueprint.get("/audit.ndjson")
@needs("admin")
def export_audit() -> Response:
    """The whole trail that the filter lets through, newest first, one JSON object a line."""
    lines = _lines(current_runtime().database, Filter.of_request())
    headers = {"Content-Disposition": 'attachment; filename="audit.ndjson"'}
    return Response(lines, mimetype="application/x-ndjson", headers=headers)


def _lines(database: Database, wanted: Filter) -> Iterator[str]:
    before = paging.AFTER_ALL
    while batch := database.read(partial(_entries, wanted=wanted, before=before, limit=BATCH)):
        yield "".join(json.dumps(asdict(entry) | {"at": iso(entry.at)}) + "\n" for entry in batch)
        before = batch[-1].id


def _entries(db: Connection, wanted: Filter, before: int, limit: int) -> list[Entry]:
    """Return the newest first, from before an id on."""
    found = select(*columns_of(AuditEntry, Entry)).where(AuditEntry.id < before)
    if wanted.who:
        found = found.where(AuditEntry.who == wanted.who)
    if wanted.action:
        found = found.where(AuditEntry.action == wanted.action)
    newest = db.execute(found.order_by(AuditEntry.id.desc()).limit(limit))
    return [Entry(**row._asdict() | {"before": row.before or {}, "after": row.after or {}}) for row in newest]


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
