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

OPEN = frozenset({"waiting", "running"})
CLAIM = 300_000  # milliseconds; longer than all of it takes


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
    """The statement for each database: PostgreSQL takes text for a JSONB column only where it is cast."""
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
# A claim beyond any that is made now was made before the clock was set back.
_FREE = """state IN ('waiting', 'running')
    AND (state = 'waiting' OR claimed_until <= :now OR claimed_until > :beyond)"""
_DUE = text(f"SELECT id FROM simulated_export WHERE {_FREE} ORDER BY id LIMIT 1")  # noqa: S608 - our own words
_CLAIM = text(f"""
    UPDATE simulated_export SET state = 'running', claimed_until = :until WHERE id = :id AND {_FREE}
    RETURNING id, connection, report""")  # noqa: S608
_LEND = _with_report("UPDATE simulated_export SET report = :report WHERE id = :id")
_END = _with_report("""
    UPDATE simulated_export SET state = :state, report = :report, ended_at = :now, claimed_until = NULL
    WHERE id = :id AND state = 'running' AND claimed_until = :mine""")
_GIVE_BACK = text("""
    UPDATE simulated_export SET state = 'waiting', report = NULL, claimed_until = NULL
    WHERE id = :id AND state = 'running' AND claimed_until = :mine""")


def ask(db: Connection, connection: str, who: str, now: int) -> int:
    """Ask for a simulated export of this connection; returns its id, or that of the one that is not over yet."""
    waiting = db.execute(_OPEN, {"connection": connection}).scalar_one_or_none()
    if waiting is not None:
        return int(waiting)
    return int(db.execute(_ASK, {"connection": connection, "who": who, "now": now}).scalar_one())


def latest(db: Connection, connection: str) -> Simulated | None:
    """The newest simulated export of this connection."""
    row = db.execute(_LATEST, {"connection": connection}).mappings().one_or_none()
    if row is None:
        return None
    report = _read(row["report"]) if row["ended_at"] is not None else None
    return Simulated(**{**row, "report": report})


def passwords_lent(db: Connection, connection: str) -> set[int]:
    """Ids of the temporary passwords that this connection's running exports use."""
    reports = [_read(report) for report in db.execute(_LENT, {"connection": connection}).scalars()]
    return {report["password"] for report in reports if report and "password" in report}


# --- what the worker does with it


def due(db: Connection, now: int) -> int | None:
    """The oldest export that nobody plays."""
    found: int | None = db.execute(_DUE, {"now": now, "beyond": now + 2 * CLAIM}).scalar_one_or_none()
    return found


def claim(db: Connection, export_id: int, now: int) -> Claimed | None:
    """The export, if it is ours now."""
    until = now + CLAIM
    values = {"id": export_id, "now": now, "beyond": now + 2 * CLAIM, "until": until}
    row = db.execute(_CLAIM, values).one_or_none()
    return None if row is None else Claimed(row.id, row.connection, (_read(row.report) or {}).get("password"), until)


def lend(db: Connection, export_id: int, password_id: int) -> None:
    """Note the temporary password that this export uses."""
    db.execute(_LEND[db.dialect.name], {"id": export_id, "report": json.dumps({"password": password_id})})


def end(db: Connection, export_id: int, mine: int, report: dict[str, Any], now: int) -> None:
    """Keep what came of it, unless another worker plays it by now: ours is the claim until `mine`."""
    state = "passed" if report["passed"] else "failed"
    values = {"id": export_id, "mine": mine, "state": state, "report": json.dumps(report), "now": now}
    db.execute(_END[db.dialect.name], values)


def give_back(db: Connection, export_id: int, mine: int) -> None:
    """Let another worker play it, from the beginning, if the claim until `mine` still holds."""
    db.execute(_GIVE_BACK, {"id": export_id, "mine": mine})


def _read(report: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(report) if isinstance(report, str) else report
    return found
