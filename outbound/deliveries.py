"""The history: every call to Mixpanel is a row, written before its socket opens and completed after it closed."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, text, update

import models
from config.clock import MINUTE
from models.columns import columns_of
from outbound.operations.types import BodyFile, Composed
from outbound.projects import Project
from outbound.request.compose import masked
from outbound.request.masking import Mask
from outbound.result.response import NotJSON, read, storable
from outbound.transport.attempts import Outcome
from outbound.transport.retry import is_repeatable

SOURCES = ("dashboard", "terminal", "api", "import", "landing", "comparison", "check", "destination", "schedule")
VERDICTS = ("accepted", "partly", "rejected", "uncertain", "failed")
KEPT = 256 * 1024  # characters of a body, and of an answer, that the history keeps
KEPT_FAILURES = 2000
ABANDONED = 15 * MINUTE  # after which a call that does not say how long it may take has nobody any more
PIECE = 5000

_ABANDON = text("""
    UPDATE delivery SET verdict = CASE WHEN repeatable THEN 'failed' ELSE 'uncertain' END, words = :words
    WHERE verdict IS NULL AND import_id IS NULL AND coalesce(over_at, at + :abandoned) < :now""")
_PRUNE = text("""
    DELETE FROM delivery WHERE id IN (
        SELECT d.id FROM delivery d LEFT JOIN import_job j ON j.id = d.import_id
        WHERE d.at < :before AND (j.id IS NULL OR j.state IN ('done', 'cancelled')) ORDER BY d.at LIMIT :piece)""")
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})

LEFT_ALONE = "Our process stopped while this call was under way, so nobody heard the answer. It may have been stored."


@dataclass(frozen=True)
class Delivery:
    """One call; see `models.outbound.Delivery`. `given` is None where it was too long to be kept."""

    id: int
    at: int
    project: str
    operation: str
    who: str
    source: str
    given: dict[str, Any] | None
    request: dict[str, Any]
    records: int
    verdict: str | None
    words: str | None
    accepted: int | None
    failed: int | None
    failed_records: list[dict[str, Any]]
    attempts: int
    trail: list[dict[str, Any]]
    status: int | None
    answer: str | None
    duration_ms: int | None
    import_id: int | None
    first_place: int | None
    last_place: int | None


@dataclass(frozen=True)
class Filter:
    """Which calls: empty stands for all. `text` is sought in what was sent and answered, whatever its case; batches of
    imports are left out unless asked for."""

    project: str = ""
    operation: str = ""
    verdict: str = ""
    source: str = ""
    text: str = ""
    imports: bool = False


def open_row(
    db: Connection, project: Project, composed: Composed, mask: Mask, who: str, source: str, during: tuple[int, int]
) -> int:
    """Return the row of a call that is about to be made, `during` which moments at the most; its id."""
    request = masked(composed.outgoing, mask)
    request["body"] = cut(request["body"])
    given = _given(composed, mask)
    values = {
        "at": during[0],
        "project": project.name,
        "operation": composed.operation.id,
        "who": who,
        "source": source,
        "given": given if given is not None and len(given) <= KEPT else None,
        "request": json.dumps(request),
        "records": len(composed.records),
        "repeatable": is_repeatable(composed),
        "over_at": during[1],
    }
    return _begin(db, values)


def _given(composed: Composed, mask: Mask) -> str | None:
    """Return what a call was made from; None where that was a file, of which only the beginning is kept."""
    if isinstance(composed.given.body, BodyFile):
        return None
    return json.dumps(
        {
            "params": mask.within(composed.given.params),
            "body": mask.within(composed.given.body),
            "repeatable": is_repeatable(composed),  # for the version before, which reads it here
        }
    )


@dataclass(frozen=True)
class ImportBatch:
    """A batch of an import: how many records, and the places of the first and the last one in its source. The records
    themselves are there, not here."""

    import_id: int
    project: str
    operation: str
    who: str
    records: int
    first_place: int
    last_place: int


def open_batch(db: Connection, batch: ImportBatch, now: int) -> int:
    """Write the row of a batch that is about to be sent, and return its number."""
    return _begin(db, asdict(batch) | {"at": now, "source": "import", "request": "{}"})


def _begin(db: Connection, values: dict[str, Any]) -> int:
    row = insert(models.Delivery).values(values | {"attempts": 0})
    return db.execute(row.returning(models.Delivery.id)).scalar_one()


def finish(db: Connection, delivery: int, outcome: Outcome, mask: Mask) -> None:
    """What came of it, with credentials masked: Mixpanel may repeat what it was sent."""
    failed = [mask.within(asdict(record)) for record in outcome.failed_records]
    values = {
        "verdict": outcome.verdict,
        "words": storable(mask(outcome.words)),
        "accepted": outcome.accepted,
        "failed": len(failed),
        "failed_records": json.dumps(failed[:KEPT_FAILURES]),
        "attempts": outcome.attempts,
        "trail": json.dumps(outcome.trail.as_json()),
        "status": outcome.status,
        "answer": None if outcome.answer is None else cut(mask(outcome.answer.text)),
        "duration_ms": outcome.took,
    }
    db.execute(update(models.Delivery).where(models.Delivery.id == delivery).values(values))


def by_id(db: Connection, delivery: int) -> Delivery | None:
    row = db.execute(select(*columns_of(models.Delivery, Delivery)).where(models.Delivery.id == delivery)).one_or_none()
    return None if row is None else _delivery(row)


def search(db: Connection, wanted: Filter, before: int, limit: int) -> list[Delivery]:
    """Return the newest first, from before an id on."""
    calls = models.Delivery
    found = select(*columns_of(calls, Delivery)).where(calls.id < before).order_by(calls.id.desc()).limit(limit)
    named = {name: value for name in ("project", "operation", "source") if (value := getattr(wanted, name))}
    found = found.filter_by(**named) if named else found
    if wanted.verdict:
        found = found.where(calls.verdict.is_(None) if wanted.verdict == "open" else calls.verdict == wanted.verdict)
    if not wanted.imports and wanted.source != "import":
        found = found.where(calls.import_id.is_(None))
    if wanted.text:
        # bodies are kept as JSON texts, in which quotes and other signs are escaped
        sought = f"%{json.dumps(wanted.text.lower())[1:-1].translate(_ESCAPED)}%"
        texts = (func.lower(calls.request), func.lower(func.coalesce(calls.answer, "")))
        found = found.where(or_(*(text.like(sought, escape="\\") for text in texts)))
    return [_delivery(row) for row in db.execute(found)]


def one_before(db: Connection, known: Delivery) -> Delivery | None:
    """Return the call before this one of the same operation to the same project."""
    found = search(db, Filter(project=known.project, operation=known.operation), known.id, 1)
    return found[0] if found else None


def abandon(db: Connection, now: int) -> int:
    """End the rows of calls whose process is gone; returns how many."""
    return db.execute(_ABANDON, {"now": now, "abandoned": ABANDONED, "words": LEFT_ALONE}).rowcount


def prune(db: Connection, before: int) -> int:
    """Remove a piece of what is older than `before`; returns how many rows. The batches of an import that may go on
    stay: they say what of it is done."""
    return db.execute(_PRUNE, {"before": before, "piece": PIECE}).rowcount


def cut(text: str | None) -> str | None:
    """Return a text that can be stored, with its end cut off where it is long."""
    if text is None:
        return None
    return storable(text if len(text) <= KEPT else text[:KEPT] + "…")


def is_cut(text: str | None) -> bool:
    """Tell whether `cut` took its end."""
    return bool(text) and len(text or "") > KEPT


def _delivery(row: Row[Any]) -> Delivery:
    values = row._asdict()
    for name, otherwise in (("given", None), ("request", {}), ("failed_records", []), ("trail", [])):
        values[name] = _read(values[name], otherwise)
    return Delivery(**values)


def _read(kept: str | None, otherwise: Any) -> Any:
    """Return a column of JSON; rows of earlier versions may hold what no page can show."""
    try:
        return read(kept) if kept else otherwise
    except NotJSON:
        return otherwise
