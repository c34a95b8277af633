"""`/status.json` for a status page: small, public, and without a name, an id or a count of people."""

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from flask import current_app, jsonify
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from alerts.rules import TROUBLES
from alerts.subjects import Addresses, read_subjects
from backups import status as backup_status
from blueprints.health import blueprint
from config.clock import SECOND, iso
from models.database import DatabaseUnavailable
from runtime import current_runtime

KEPT = 30  # seconds for which an answer is given again, by us and by whoever keeps it

_LAST_SYNC = text("SELECT max(last_synced_at) FROM cohort")
_REMEMBERED = text("SELECT subject, state, since FROM alert_state")
_NO_PAGES = Addresses(
    cohort=lambda _id: "",
    held=lambda _id: "",
    connection=lambda _name: "",
    destination=lambda _id: "",
    overview="",
)


@dataclass
class StatusCache:
    """The answer that this process gave last, and since when it has seen trouble without a break."""

    made_at: float = float("-inf")
    answer: dict[str, Any] = field(default_factory=dict)
    seen_since: int | None = None
    lock: Lock = field(default_factory=Lock)


@blueprint.record_once
def furnish(state: BlueprintSetupState) -> None:
    state.app.extensions["status"] = StatusCache()


@blueprint.get("/status.json")
def status() -> ResponseReturnValue:
    """200 with ok or degraded, 503 with unavailable while the database does not answer."""
    cache: StatusCache = current_app.extensions["status"]
    with cache.lock:  # one of those who ask at once reads, the others wait for its answer
        if time.monotonic() - cache.made_at >= KEPT:
            cache.answer, cache.made_at = _look(cache), time.monotonic()
        answer = cache.answer
    response = jsonify(answer)
    response.status_code = 503 if answer["status"] == "unavailable" else 200
    response.headers["Cache-Control"] = f"public, max-age={KEPT}"
    return response


def _look(cache: StatusCache) -> dict[str, Any]:
    runtime = current_runtime()
    now = runtime.clock()
    try:
        since, last_sync, backup = runtime.database.read(lambda db: _seen(db, cache, now))
    except DatabaseUnavailable:
        return _answer("unavailable", None, now) | _ages(None, None, now)
    return _answer("ok" if since is None else "degraded", since, now) | _ages(last_sync, backup, now)


def _seen(db: Connection, cache: StatusCache, now: int) -> tuple[int | None, int | None, int | None]:
    """Return since when something needs somebody, when the last sync was, and the moment of the last good backup."""
    backup = backup_status.read(db, current_runtime().settings, now).verified_at
    return _troubled(db, cache, now), db.scalar(_LAST_SYNC), backup


def _troubled(db: Connection, cache: StatusCache, now: int) -> int | None:
    """Return since when something needs somebody, None where nothing does. Alerts remember it over a restart, where
    there is anybody whom they tell."""
    settings = current_runtime().settings
    troubles = {one.key: one.state for one in read_subjects(_NO_PAGES, settings, now)(db) if one.state in TROUBLES}
    if not troubles:
        cache.seen_since = None
        return None
    cache.seen_since = cache.seen_since or now
    remembered = [row.since for row in db.execute(_REMEMBERED) if troubles.get(row.subject) == row.state]
    return int(min([cache.seen_since, *remembered]))


def _answer(word: str, since: int | None, now: int) -> dict[str, Any]:
    return {"status": word, "since": None if since is None else iso(since), "checked_at": iso(now)}


def _ages(last_sync: int | None, last_backup: int | None, now: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, at in (("last_sync", last_sync), ("last_backup", last_backup)):
        found[f"{name}_at"] = None if at is None else iso(at)
        found[f"{name}_age_seconds"] = None if at is None else max(0, (now - at) // SECOND)
    return found
