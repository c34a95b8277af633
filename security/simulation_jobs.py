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

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from config.clock import MINUTE
from models.claims import Claim, Claims, Lease
from models.columns import Json, columns_of
from models.operators import SimulatedExport

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


_CLAIMS = Claims(
    "simulated_export",
    "state IN ('waiting', 'running')",
    sets="state = 'running'",
    returning="id, connection, claimed_until",
)
_END = text(_CLAIMS.update("state = :state, report = :report, ended_at = :now, claimed_until = NULL")).bindparams(
    bindparam("report", type_=Json)
)
_GIVE_BACK = text(_CLAIMS.update("state = 'waiting', report = NULL, claimed_until = NULL"))


def ask(db: Connection, connection: str, who: str, now: int) -> int:
    """Ask for a simulated export of this connection; returns its id, or that of the one that is not over yet."""
    of = (SimulatedExport.connection == connection, SimulatedExport.state.in_(OPEN))
    oldest = select(SimulatedExport.id).where(*of).order_by(SimulatedExport.id).limit(1)
    waiting = db.execute(oldest).scalar_one_or_none()
    if waiting is not None:
        return waiting
    values = {"connection": connection, "who": who, "state": "waiting", "asked_at": now}
    return db.execute(insert(SimulatedExport).values(values).returning(SimulatedExport.id)).scalar_one()


def latest(db: Connection, connection: str) -> Simulated | None:
    """Return the newest simulated export of this connection."""
    asked = select(*columns_of(SimulatedExport, Simulated)).where(SimulatedExport.connection == connection)
    row = db.execute(asked.order_by(SimulatedExport.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    found = Simulated(*row)
    return found if found.ended_at is not None else replace(found, report=None)


def passwords_lent(db: Connection, connection: str) -> set[int]:
    """Return the ids of the temporary passwords that this connection's running exports use."""
    running = (SimulatedExport.state == "running", SimulatedExport.connection == connection)
    reports = db.execute(select(SimulatedExport.report).where(*running)).scalars()
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
    report = db.execute(select(SimulatedExport.report).where(SimulatedExport.id == export_id)).scalar_one() or {}
    return Claimed(row.id, row.connection, report.get("password"), row.claimed_until)


def lend(db: Connection, export_id: int, password_id: int) -> None:
    """Note the temporary password that this export uses."""
    lent = {"password": password_id}
    db.execute(update(SimulatedExport).where(SimulatedExport.id == export_id).values(report=lent))


def end(db: Connection, export_id: int, mine: int, report: dict[str, Any], now: int) -> None:
    """Keep what came of it, unless another worker plays it by now: ours is the claim until `mine`."""
    state = "passed" if report["passed"] else "failed"
    db.execute(_END, Claim(export_id, mine).values | {"state": state, "report": report, "now": now})


def give_back(db: Connection, export_id: int, mine: int) -> None:
    """Let another worker play it, from the beginning, if the claim until `mine` still holds."""
    db.execute(_GIVE_BACK, Claim(export_id, mine).values)
