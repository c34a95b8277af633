"""The comparisons that were asked for. A row goes from waiting to running to done, failed or cancelled.

Its report is a JSON object. `summary` is small, and all that lists and the worker read:

    way count         here, there
    ways ids and csv  here, there, equal, missing, extra; while pages are fetched: pages, ids, expected, and for
                      going on session_id, page, size (bytes of the file of ids) and, once there, name of that file
    all               message (why it waits, failed), queries, started_at, read_at, changes (how often the cohort had
                      changed when it began), name (Mixpanel's name of the cohort), causes and steps (sentences)

Beside it `missing_ids` and `extra_ids` are the first ids of each side.

Nobody may take a waiting or running one before `claimed_until`: while it runs that is the worker's lease, and while it
waits the moment at which the budget frees.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, text

import models
from config.clock import HOUR, MINUTE
from models.claims import Claim, Claims, Lease

Summary = dict[str, Any]

OPEN = frozenset({"waiting", "running"})
# No budget frees later than in an hour: what lies twice as far ahead was noted before the clock was set back.
LEASE = Lease(3 * MINUTE, furthest=2 * HOUR)
WAYS = {
    "count": "Only how many",
    "ids": "Who, asked from Mixpanel",
    "csv": "Who, from Mixpanel's CSV",
}

_SUMMARY = {
    "sqlite": "json_extract(x.report, '$.summary')",
    "postgresql": "CAST(CAST(x.report AS json) -> 'summary' AS text)",
}
_COLUMNS = """x.id, x.cohort_id, x.project, x.who, x.way, x.state, x.asked_at, x.ended_at, x.claimed_until,
    c.project_id, c.mixpanel_cohort_id, coalesce(nullif(c.name, ''), 'Cohort ' || c.mixpanel_cohort_id) AS label"""


def _select(where: str) -> dict[str, Any]:
    """Return the statement for each database; they differ in how they look into JSON."""
    return {
        name: text(f"""
            SELECT {_COLUMNS}, {summary} AS summary FROM comparison x JOIN cohort c ON c.id = x.cohort_id
            WHERE {where}""")  # noqa: S608 - our own words
        for name, summary in _SUMMARY.items()
    }


_LIST = _select("x.id < :before AND (:cohort = 0 OR x.cohort_id = :cohort) ORDER BY x.id DESC LIMIT :limit")
_ONE = _select("x.id = :id")
_IDS = text("SELECT report FROM comparison WHERE id = :id")
_UNDER_WAY = text("""
    SELECT id FROM comparison WHERE cohort_id = :cohort AND way = :way AND state IN ('waiting', 'running')
    ORDER BY id LIMIT 1""")
_CLAIMS = Claims("comparison", "state IN ('waiting', 'running')", sets="state = 'running'")
_NOTE = text(_CLAIMS.update("state = :state, report = :report, claimed_until = :until"))
_END = text(_CLAIMS.update("state = :state, report = :report, ended_at = :now, claimed_until = NULL"))
_CANCEL = text("""
    UPDATE comparison SET state = 'cancelled', ended_at = :now, claimed_until = NULL
    WHERE id = :id AND state IN ('waiting', 'running')""")
_PRUNE = text("DELETE FROM comparison WHERE ended_at < :before")


@dataclass(frozen=True)
class Comparison:
    """One comparison with its cohort's names. `label` is how the cohort is called."""

    id: int
    cohort_id: int
    project: str
    who: str
    way: str
    state: str
    asked_at: int
    ended_at: int | None
    claimed_until: int | None
    project_id: str
    mixpanel_cohort_id: str
    label: str
    summary: Summary = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def resumes_at(self) -> int | None:
        """Return when it goes on, in milliseconds, where it waits for the budget."""
        return self.claimed_until if self.state == "waiting" else None


def ask(db: Connection, cohort: int, project: str, who: str, way: str, now: int, summary: Summary) -> int:
    """Ask for a comparison. Return its id, or that of the same one that is not over yet; an upload is always new."""
    known = None if way == "csv" else db.execute(_UNDER_WAY, {"cohort": cohort, "way": way}).scalar_one_or_none()
    if known is not None:
        return int(known)
    values = {"cohort_id": cohort, "project": project, "who": who, "way": way, "asked_at": now}
    row = insert(models.Comparison).values(values | {"state": "waiting", "report": _report(summary)})
    return db.execute(row.returning(models.Comparison.id)).scalar_one()


def by_id(db: Connection, comparison_id: int) -> Comparison | None:
    row = db.execute(_ONE[db.dialect.name], {"id": comparison_id}).one_or_none()
    return None if row is None else _comparison(row)


def listed(db: Connection, before: int, limit: int, cohort: int = 0) -> list[Comparison]:
    """Return the newest first, from before an id on; of one cohort where it is not 0."""
    values = {"before": before, "limit": limit, "cohort": cohort}
    return [_comparison(row) for row in db.execute(_LIST[db.dialect.name], values)]


def ids(db: Connection, comparison_id: int) -> tuple[list[str], list[str]]:
    """Return the ids that are missing here, and those that are extra here, as far as they are listed."""
    found = json.loads(db.execute(_IDS, {"id": comparison_id}).scalar_one() or "{}")
    return found.get("missing_ids", []), found.get("extra_ids", [])


def cancel(db: Connection, comparison_id: int, now: int) -> bool:
    """End it without a result; False where it was over already."""
    return db.execute(_CANCEL, {"id": comparison_id, "now": now}).rowcount == 1


# --- what the worker does with it


def due(db: Connection, now: int) -> int | None:
    """Return the id of the oldest comparison on which nobody works and that waits for nothing."""
    return next(iter(_CLAIMS.due(db, LEASE, now)), None)


def claim(db: Connection, comparison_id: int, now: int) -> Comparison | None:
    """Claim a comparison until its `claimed_until`; None where another worker has it, or it is over."""
    if _CLAIMS.claim(db, comparison_id, LEASE, now) is None:
        return None
    return by_id(db, comparison_id)


def go_on(db: Connection, claim: Claim, summary: Summary, until: int) -> bool:
    """Note how far it is and renew the claim; False where it is not ours any more."""
    return _note(db, claim, "running", summary, until)


def put_off(db: Connection, claim: Claim, summary: Summary, until: int | None) -> bool:
    """Note how far it is, and let whoever comes first after `until` go on."""
    return _note(db, claim, "waiting", summary, until)


def end(
    db: Connection,
    claim: Claim,
    state: str,
    summary: Summary,
    now: int,
    sides: tuple[list[str], list[str]] = ([], []),
) -> bool:
    """Keep the result; False where it is another worker's by now."""
    values = {"state": state, "report": _report(summary, *sides), "now": now}
    return db.execute(_END, claim.values | values).rowcount == 1


def prune(db: Connection, before: int) -> int:
    """Remove those that ended before this moment; returns how many."""
    return db.execute(_PRUNE, {"before": before}).rowcount


def _note(db: Connection, claim: Claim, state: str, summary: Summary, until: int | None) -> bool:
    values = {"state": state, "report": _report(summary), "until": until}
    return db.execute(_NOTE, claim.values | values).rowcount == 1


def _report(summary: Summary, missing: list[str] | None = None, extra: list[str] | None = None) -> str:
    return json.dumps({"summary": summary, "missing_ids": missing or [], "extra_ids": extra or []})


def _comparison(row: Row[Any]) -> Comparison:
    values = row._asdict()
    return Comparison(**values | {"summary": json.loads(values["summary"] or "{}")})
