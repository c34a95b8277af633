"""Destinations: the list, and one of them with its budget, its latest calls and what goes there."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import form, status, words
from blueprints.dashboard.destinations.status import DestinationStatus
from config.clock import MINUTE
from destinations import destinations, registry
from destinations.destinations import Destination
from destinations.settings import names_one_set
from runtime import current_runtime

SHOWN = 8  # calls on a destination's page

# The last ones of each of its subscriptions, by their index, and the last of those.
_ATTEMPTS = text("""
    SELECT a.id, a.subscription_id, c.name AS cohort_name, a.messages, a.status, a.verdict, a.reason, a.answer,
        a.started_at, a.ended_at - a.started_at AS took
    FROM subscription s JOIN cohort c ON c.id = s.cohort_id JOIN attempt a ON a.subscription_id = s.id AND a.id >= (
        SELECT min(t.id) FROM (
            SELECT x.id FROM attempt x WHERE x.subscription_id = s.id ORDER BY x.id DESC LIMIT :shown) t)
    WHERE s.destination_id = :id ORDER BY a.id DESC LIMIT :shown""")
_LATELY = text("""
    SELECT count(*) AS calls, count(CASE WHEN ended_at IS NULL THEN 1 END) AS open
    FROM attempt WHERE started_at > :since AND destination_id = :id""")


@dataclass(frozen=True)
class RecentAttempt:
    """A call with its answer; `took` is in milliseconds, None while it is under way."""

    id: int
    subscription_id: int
    cohort_name: str | None
    messages: int
    status: int | None
    verdict: str | None
    reason: str | None
    answer: str | None
    started_at: int
    took: int | None


@dataclass(frozen=True)
class Budget:
    """What a destination may be asked: calls a second and at once, and what the last minute has used of it."""

    rate: float
    concurrency: int
    calls: int
    open: int

    @property
    def a_minute(self) -> int:
        return max(1, int(self.rate * 60))

    @property
    def left(self) -> int:
        return max(0, self.a_minute - self.calls)


@blueprint.get("/destinations")
def list_destinations() -> str:
    runtime = current_runtime()
    now = runtime.clock()
    found = runtime.database.read(lambda db: status.read(db, now))
    return render_template("dashboard/destinations/list.html", found=found, words=words)


@blueprint.get("/destinations/<int:destination_id>")
def show_destination(destination_id: int) -> str:
    return render_template("dashboard/destinations/destination.html", **_seen(destination_id))


@blueprint.get("/destinations/<int:destination_id>/now")
def show_destination_now(destination_id: int) -> str:
    """The part that changes by itself; it asks again while there is work under way."""
    return render_template("dashboard/destinations/_now.html", **_seen(destination_id))


def destination_or_404(db: Connection, destination_id: int) -> Destination:
    """Return the destination of this address. Raises NotFound."""
    return destinations.by_id(db, destination_id) or abort(404)


def find(destination_id: int) -> Destination:
    """Read the destination of this address. Raises NotFound."""
    return current_runtime().database.read(lambda db: destination_or_404(db, destination_id), one_statement=True)


def find_usable(destination_id: int) -> Destination:
    """Read the destination of this address where its type is known; answers with its page where it is not. Raises
    NotFound."""
    known = find(destination_id)
    if known.type not in registry.TYPES:
        flash(f"This version knows no type {known.type}: it can only be paused and removed.", "waiting")
        abort(redirect(url_for("dashboard.show_destination", destination_id=destination_id), 303))
    return known


def _seen(destination_id: int) -> dict[str, Any]:
    runtime = current_runtime()
    now = runtime.clock()

    def read(db: Connection) -> tuple[DestinationStatus, list[RecentAttempt], Budget]:
        known = destination_or_404(db, destination_id)
        attempts = rows.every(db.execute(_ATTEMPTS, {"id": known.id, "shown": SHOWN}), RecentAttempt)
        return status.read_one(db, known, now), attempts, _budget(db, known, now)

    seen, attempts, budget = runtime.database.read(read)
    return {
        "seen": seen,
        "destination": seen.destination,
        "attempts": attempts,
        "budget": budget,
        "settings": form.said(seen.kind, seen.destination.settings) if seen.kind else [],
        "once": form.ONCE,
        "families": form.FAMILIES,
        "is_one_set": bool(seen.kind and names_one_set(seen.kind, seen.destination.settings)),
        "rotates": bool(seen.kind and any(setting.make for setting in seen.kind.settings)),
        "words": words,
    }


def _budget(db: Connection, known: Destination, now: int) -> Budget:
    row = db.execute(_LATELY, {"id": known.id, "since": now - MINUTE}).one()
    return Budget(float(known.settings.get("rate") or 1), int(known.settings.get("concurrency") or 1), *row)
