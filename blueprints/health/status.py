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
from blueprints.health import blueprint
from config.clock import SECOND, iso
from models.database import DatabaseUnavailable
from runtime import current_runtime

KEPT = 30  # seconds for which an answer is given again, by us and by whoever keeps it

_LAST_SYNC = text("SELECT max(last_synced_at) FROM cohort")
_REMEMBERED = text("SELECT subject, state, since FROM alert_state")
_NO_PAGES = Addresses(
    cohort=lambda _id: "", held=lambda _id: "", connection=lambda _name: "", destination=lambda _id: ""
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
        since, last_sync = runtime.database.read(lambda db: (_troubled(db, cache, now), db.scalar(_LAST_SYNC)))
    except DatabaseUnavailable:
        return _answer("unavailable", None, None, now)
    return _answer("ok" if since is None else "degraded", since, last_sync, now)


def _troubled(db: Connection, cache: StatusCache, now: int) -> int | None:
    """Return since when something needs somebody, None where nothing does. Alerts remember it over a restart, where
    there is anybody whom they tell."""
    troubles = {one.key: one.state for one in read_subjects(_NO_PAGES, now)(db) if one.state in TROUBLES}
    if not troubles:
        cache.seen_since = None
        return None
    cache.seen_since = cache.seen_since or now
    remembered = [row.since for row in db.execute(_REMEMBERED) if troubles.get(row.subject) == row.state]
    return int(min([cache.seen_since, *remembered]))


def _answer(word: str, since: int | None, last_sync: int | None, now: int) -> dict[str, Any]:
    return {
        "status": word,
        "since": None if since is None else iso(since),
        "last_sync_at": None if last_sync is None else iso(last_sync),
        "last_sync_age_seconds": None if last_sync is None else max(0, (now - last_sync) // SECOND),
        "checked_at": iso(now),
    }
