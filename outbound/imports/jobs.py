"""The imports that were asked for; `models.outbound.Import` says what their columns are."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, text, update

import models
from config.clock import SECOND
from models.claims import Claims, Lease
from models.columns import columns_of

LEASE = 20 * SECOND  # renewed every other second while it runs
OPEN = frozenset({"waiting", "running"})
RESUMABLE = frozenset({"paused", "failed", "ready"})


@dataclass(frozen=True)
class Import:
    """One import; see `models.outbound.Import`."""

    id: int
    project: str
    kind: str
    operation: str
    source: str
    name: str
    path: str | None
    fingerprint: str | None
    cohort_id: int | None
    settings: dict[str, Any]
    who: str
    state: str
    message: str | None
    total: int | None
    read: int
    accepted: int
    refused: int
    uncertain: int
    created_at: int
    started_at: int | None
    ended_at: int | None
    worked_ms: int
    claimed_by: str | None
    claimed_until: int | None
    advised: dict[str, int]
    left_out: int | None
    content_digest: str | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_over(self) -> bool:
        """Whether it can neither go on nor be cancelled."""
        return self.state in {"done", "cancelled"}

    @property
    def rate(self) -> float:
        """Return the records a second, over the time that somebody worked on it."""
        return self.read * 1000 / self.worked_ms if self.worked_ms else 0.0

    @property
    def left_ms(self) -> int | None:
        """Return the milliseconds that it probably takes still; None where nobody can tell."""
        if self.total is None or not self.rate or self.settings.get("filter"):
            return None
        return round(max(0, self.total - self.read) * 1000 / self.rate)


@dataclass(frozen=True)
class NewImport:
    """An import to be made; see `models.outbound.Import`."""

    project: str
    kind: str
    operation: str
    source: str
    name: str
    who: str
    path: str | None = None
    fingerprint: str | None = None
    cohort_id: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    total: int | None = None
    state: str = "ready"
    content_digest: str | None = None


# Its batches are sent and its claim is renewed by different threads: what they share is a name that stays.
_CLAIMS = Claims(
    "import_job",
    "state IN ('waiting', 'running')",
    sets="state = 'running', message = NULL, claimed_by = :claim, started_at = coalesce(started_at, :now)",
    returning=", ".join(field.name for field in fields(Import)),
    proof="claimed_by",
)
_LEASE = Lease(LEASE)
_HOLD = text(_CLAIMS.update("claimed_by = :claim"))
_RENEW = text(_CLAIMS.update("claimed_until = :until, worked_ms = worked_ms + :worked", returning="state"))
_COUNT = text("""
    UPDATE import_job SET read = read + :read, accepted = accepted + :accepted, refused = refused + :refused,
        uncertain = uncertain + :uncertain
    WHERE id = :id""")
_ADVISED = text("SELECT advised FROM import_job WHERE id = :id")
_ADVISE = text("UPDATE import_job SET advised = :advised WHERE id = :id")
_END = text(
    _CLAIMS.update(
        """state = CASE WHEN state = 'running' THEN :state ELSE state END, message = :message, ended_at = :ended_at,
        claimed_by = NULL, claimed_until = NULL, total = coalesce(:total, total),
        left_out = :left_out"""
    )
)
_GO = text("""
    UPDATE import_job SET state = 'waiting', message = NULL, ended_at = NULL
    WHERE id = :id AND state IN ('ready', 'paused', 'failed')""")
_PAUSE = text("UPDATE import_job SET state = 'paused' WHERE id = :id AND state IN ('waiting', 'running')")
_CANCEL = text("""
    UPDATE import_job SET state = 'cancelled', ended_at = :now
    WHERE id = :id AND state IN ('ready', 'waiting', 'running', 'paused', 'failed')""")
_SAME_FILE = (models.Import.started_at.is_not(None), models.Import.content_digest.is_not(None))
_NOTE_FILE = text("UPDATE import_job SET fingerprint = :fingerprint WHERE id = :id")
_FORGET_PLAIN = text("""
    UPDATE import_job SET fingerprint = NULL
    WHERE state IN ('done', 'cancelled') AND fingerprint NOT LIKE '%-hmac-%'""")
_DONE = text("""
    SELECT first_place, last_place FROM delivery
    WHERE import_id = :id AND verdict IN ('accepted', 'partly', 'rejected', 'uncertain') ORDER BY first_place""")
_LEFT_OPEN = text("""
    SELECT id, first_place, last_place FROM delivery WHERE import_id = :id AND verdict IS NULL ORDER BY first_place""")
_REACHED = text("SELECT max(last_place) FROM delivery WHERE import_id = :id AND verdict IS NOT NULL")
_GIVE_UP = text("UPDATE delivery SET verdict = 'failed', words = :words WHERE id = :id AND verdict IS NULL")
_OLD = text("SELECT id, path, source FROM import_job WHERE ended_at < :before ORDER BY id LIMIT 100")
_FORGET = text("DELETE FROM import_job WHERE id = :id")


def add(db: Connection, draft: NewImport, now: int) -> int:
    """Add an import, and return its id."""
    counts = dict.fromkeys(("read", "accepted", "refused", "uncertain", "worked_ms"), 0)
    values = vars(draft) | counts | {"settings": json.dumps(draft.settings), "created_at": now}
    return db.execute(insert(models.Import).values(values).returning(models.Import.id)).scalar_one()


def by_id(db: Connection, import_id: int) -> Import | None:
    row = db.execute(_newest().where(models.Import.id == import_id)).one_or_none()
    return None if row is None else _import(row)


def listed(db: Connection, before: int, limit: int) -> list[Import]:
    """Return the newest imports first, from before an id on."""
    return [_import(row) for row in db.execute(_newest().where(models.Import.id < before).limit(limit))]


def _newest() -> Select[Any]:
    return select(*columns_of(models.Import, Import)).order_by(models.Import.id.desc())


def of_same_file(db: Connection, content_digest: str | None, other_than: int = 0) -> list[Import]:
    """Return the imports that were begun with a file of this content, the newest first and no more than three."""
    same = (models.Import.content_digest == content_digest, models.Import.id != other_than)
    return [_import(row) for row in db.execute(_newest().where(*_SAME_FILE, *same).limit(3))]


def set_up(db: Connection, import_id: int, settings: dict[str, Any]) -> bool:
    """Change how an import is read, before it begins; False where it has begun."""
    is_ready = (models.Import.id == import_id, models.Import.state == "ready")
    return db.execute(update(models.Import).where(*is_ready).values(settings=json.dumps(settings))).rowcount == 1


def go(db: Connection, import_id: int) -> bool:
    """Let an import begin, or go on; False where that cannot be."""
    return db.execute(_GO, {"id": import_id}).rowcount == 1


def pause(db: Connection, import_id: int) -> bool:
    """Pause an import; batches that are under way are still finished. False where it is not open."""
    return db.execute(_PAUSE, {"id": import_id}).rowcount == 1


def cancel(db: Connection, import_id: int, now: int) -> bool:
    """End an import for good; what was sent stays in Mixpanel. False where it is over."""
    return db.execute(_CANCEL, {"id": import_id, "now": now}).rowcount == 1


def note_file(db: Connection, import_id: int, fingerprint: str) -> None:
    """Note its file anew, once it was found to be the same."""
    db.execute(_NOTE_FILE, {"id": import_id, "fingerprint": fingerprint})


def forget_plain_fingerprints(db: Connection) -> None:
    """Forget, of imports that are over, the digests of before there was a key: what names people could be guessed."""
    db.execute(_FORGET_PLAIN)


# --- what whoever works on it does


def due(db: Connection, now: int) -> int | None:
    """Return the id of the oldest import on which nobody works."""
    return next(iter(_CLAIMS.due(db, _LEASE, now)), None)


def claim(db: Connection, import_id: int, by: str, now: int) -> Import | None:
    """Claim an import under the name `by`; None where another worker has it, or it is not to be worked on."""
    row = _CLAIMS.claim(db, import_id, _LEASE, now, {"claim": by})
    return None if row is None else _import(row)


def hold(db: Connection, import_id: int, by: str) -> bool:
    """Tell whether it is still ours; if so nobody else can claim it before this transaction ends."""
    return db.execute(_HOLD, {"id": import_id, "claim": by}).rowcount == 1


def renew(db: Connection, import_id: int, by: str, now: int, worked: int) -> str | None:
    """Renew the claim, and add `worked` milliseconds. Return the state, or None where it is another worker's."""
    values = {"id": import_id, "claim": by, "until": now + LEASE, "worked": worked}
    found: str | None = db.execute(_RENEW, values).scalar_one_or_none()
    return found


def count(db: Connection, import_id: int, *, read: int, accepted: int, refused: int, uncertain: int) -> None:
    """Add to its counts, in the transaction that completes a batch."""
    values = {"id": import_id, "read": read, "accepted": accepted, "refused": refused, "uncertain": uncertain}
    db.execute(_COUNT, values)


def advise(db: Connection, import_id: int, counts: Mapping[str, int]) -> None:
    """Add to its counts of advice, in the transaction that completes a batch: `hold` keeps others from it."""
    if not counts:
        return
    before = json.loads(db.execute(_ADVISED, {"id": import_id}).scalar_one() or "{}")
    db.execute(_ADVISE, {"id": import_id, "advised": json.dumps(Counter(before) + Counter(counts))})


@dataclass(frozen=True)
class Ending:
    """How an import is given back: `total` and `left_out` are known where all of it was read."""

    state: str
    message: str | None
    ended_at: int | None
    total: int | None = None
    left_out: int | None = None


def end(db: Connection, import_id: int, by: str, ending: Ending) -> None:
    """End the claim and leave the import in this state, unless it was paused or cancelled meanwhile."""
    db.execute(_END, vars(ending) | {"id": import_id, "claim": by})


def done(db: Connection, import_id: int) -> list[tuple[int, int]]:
    """Return the stretches that are complete, in order."""
    return [(row.first_place, row.last_place) for row in db.execute(_DONE, {"id": import_id})]


def reached(db: Connection, job: Import) -> int | None:
    """Return how many places of the source were looked at, where a filter lets only some of them pass; None where what
    was read says so."""
    if job.total is None or job.is_over or not job.settings.get("filter"):
        return None
    return min(job.total, db.execute(_REACHED, {"id": job.id}).scalar() or 0)


def left_open(db: Connection, import_id: int) -> list[tuple[int, int, int]]:
    """Return the batches whose process died: the delivery, and its stretch."""
    return [tuple(row) for row in db.execute(_LEFT_OPEN, {"id": import_id})]


def give_up(db: Connection, delivery: int, words: str) -> None:
    """End a batch that nobody will complete, and that is sent again."""
    db.execute(_GIVE_UP, {"id": delivery, "words": words})


def old(db: Connection, before: int) -> list[tuple[int, str | None, str]]:
    """Return some that ended before a moment: id, path and source."""
    return [tuple(row) for row in db.execute(_OLD, {"before": before})]


def forget(db: Connection, import_id: int) -> None:
    db.execute(_FORGET, {"id": import_id})


def _import(row: Row[Any]) -> Import:
    values = row._asdict()
    read = {"settings": json.loads(values["settings"]), "advised": json.loads(values["advised"] or "{}")}
    return Import(**values | read)
