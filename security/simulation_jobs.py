"""Simulated exports that operators ask for (F18): the dashboard asks, the worker plays and reports.

A row goes from waiting to running to passed or failed. While it runs, its report is `{"password": id}`: the temporary
password that it was lent, so that whoever takes over from a worker that died can retire it. Afterwards the report is

    {"passed": bool,
     "sent": [{"action": "members", "page": 2, "pages": 3, "members": 100, "again": false}, …],
     "found": {"project_id", "cohort_id", "name", "sent", "there", "missing", "extra", "problems", "verdict"},
     "sentences": ["…", …]}

where `sent` is in the order of the calls, `found` is empty where nothing could be compared, and the sentences say in
plain words what happened.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause, text

from config.clock import MINUTE
from models.claims import Claim, Claims, Lease

OPEN = frozenset({"waiting", "running"})
CLAIM = 5 * MINUTE  # longer than all of it takes
_LEASE = Lease(CLAIM)


@dataclass(frozen=True)
class Simulated:
    """One simulated export; `report` is None until it ended."""

    id: int
    connection: str
    who: str
    state: str
    report: dict[str, Any] | None
    asked_at: int
    ended_at: int | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True)
class Claimed:
    """An export that is ours to play until `until`; `lent` is the password that a worker before us left behind."""

    id: int
    connection: str
    lent: int | None
    until: int


def _with_report(sql: str) -> dict[str, TextClause]:
    """Return the statement for each database: PostgreSQL takes text for a JSONB column only where it is cast."""
    return {"sqlite": text(sql), "postgresql": text(sql.replace(":report", "CAST(:report AS JSONB)"))}


_OPEN = text("""
    SELECT id FROM simulated_export WHERE state IN ('waiting', 'running') AND connection = :connection
    ORDER BY id LIMIT 1""")
_ASK = text("""
    INSERT INTO simulated_export (connection, who, state, asked_at) VALUES (:connection, :who, 'waiting', :now)
    RETURNING id""")
_LATEST = text("""
    SELECT id, connection, who, state, report, asked_at, ended_at FROM simulated_export
    WHERE connection = :connection ORDER BY id DESC LIMIT 1""")
_LENT = text("SELECT report FROM simulated_export WHERE state = 'running' AND connection = :connection")
_CLAIMS = Claims(
    "simulated_export",
    "state IN ('waiting', 'running')",
    sets="state = 'running'",
    returning="id, connection, report, claimed_until",
)
_LEND = _with_report("UPDATE simulated_export SET report = :report WHERE id = :id")
_END = _with_report(_CLAIMS.update("state = :state, report = :report, ended_at = :now, claimed_until = NULL"))
_GIVE_BACK = text(_CLAIMS.update("state = 'waiting', report = NULL, claimed_until = NULL"))


def ask(db: Connection, connection: str, who: str, now: int) -> int:
    """Ask for a simulated export of this connection; returns its id, or that of the one that is not over yet."""
    waiting = db.execute(_OPEN, {"connection": connection}).scalar_one_or_none()
    if waiting is not None:
        return int(waiting)
    return int(db.execute(_ASK, {"connection": connection, "who": who, "now": now}).scalar_one())


def latest(db: Connection, connection: str) -> Simulated | None:
    """Return the newest simulated export of this connection."""
    row = db.execute(_LATEST, {"connection": connection}).mappings().one_or_none()
    if row is None:
        return None
    report = _read(row["report"]) if row["ended_at"] is not None else None
    return Simulated(**{**row, "report": report})


def passwords_lent(db: Connection, connection: str) -> set[int]:
    """Return the ids of the temporary passwords that this connection's running exports use."""
    reports = [_read(report) for report in db.execute(_LENT, {"connection": connection}).scalars()]
    return {report["password"] for report in reports if report and "password" in report}


# --- what the worker does with it


def due(db: Connection, now: int) -> int | None:
    """Return the id of the oldest export that nobody plays."""
    return next(iter(_CLAIMS.due(db, _LEASE, now)), None)


def claim(db: Connection, export_id: int, now: int) -> Claimed | None:
    """Claim an export; None where another worker plays it, or it is over."""
    row = _CLAIMS.claim(db, export_id, _LEASE, now)
    if row is None:
        return None
    return Claimed(row.id, row.connection, (_read(row.report) or {}).get("password"), row.claimed_until)


def lend(db: Connection, export_id: int, password_id: int) -> None:
    """Note the temporary password that this export uses."""
    db.execute(_LEND[db.dialect.name], {"id": export_id, "report": json.dumps({"password": password_id})})


def end(db: Connection, export_id: int, mine: int, report: dict[str, Any], now: int) -> None:
    """Keep what came of it, unless another worker plays it by now: ours is the claim until `mine`."""
    state = "passed" if report["passed"] else "failed"
    values = {"state": state, "report": json.dumps(report), "now": now}
    db.execute(_END[db.dialect.name], Claim(export_id, mine).values | values)


def give_back(db: Connection, export_id: int, mine: int) -> None:
    """Let another worker play it, from the beginning, if the claim until `mine` still holds."""
    db.execute(_GIVE_BACK, Claim(export_id, mine).values)


def _read(report: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(report) if isinstance(report, str) else report
    return found
