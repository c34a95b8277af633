"""Destinations of the instance to look at: messages in every state, one that has stopped, removals that wait."""

from flask import Flask
from sqlalchemy import text

from config.clock import HOUR, MINUTE, now
from destinations.subscriptions import STATES
from simulator.plan import PROJECT
from tests.dashboard import relayed

COHORT, OTHER = "3201", "3290"
REASONS = {
    "waiting": "http_503",
    "rejected": "http_422",
    "parked": "no_email",
    "suppressed": "reentry_once",
    "uncertain": "answer_lost",
    "dead": "plan_used_up",
}

_MEMBERS = text("""
    SELECT p.distinct_id FROM membership m JOIN cohort c ON c.id = m.cohort_id JOIN person p ON p.id = m.person_id
    WHERE c.project_id = :project AND c.mixpanel_cohort_id = :cohort AND m.left_at IS NULL
    ORDER BY m.entry_number DESC, p.id LIMIT 60""")


def fill(app: Flask) -> None:
    relayed.connect(app, "crm-hook", url="https://hooks.example.com/cohorts")
    told(app, relayed.subscribe(app, "crm-hook", COHORT, PROJECT, start="now", fields={"email": "email"}))
    relayed.connect(app, "warehouse", "sql", url="sqlite:////tmp/never-opened.db")
    held(app, relayed.subscribe(app, "warehouse", OTHER, PROJECT))
    stopped = relayed.connect(app, "old-hook", url="https://old.example.com/hook")
    why = {"status": "paused", "cause": "credentials", "reason": "It answered 401", "probe_at": now() + HOUR}
    relayed.change(app, "destination", stopped, paused_at=now() - HOUR, **why)


def told(app: Flask, number: int) -> None:
    """A message in each state, twenty that were applied, and calls with every kind of answer."""
    people = members(app, COHORT)
    applied = [relayed.message(app, number, name, "applied", at=now() - HOUR) for name in people[:20]]
    rest = {}
    for name, state in zip(people[20:], STATES, strict=False):
        later = {"next_at": now() + 5 * MINUTE} if state == "waiting" else {}
        rest[state] = relayed.message(app, number, name, state, reason=REASONS.get(state), **later)
    relayed.attempt(app, number, applied, answer="ok")
    down = "upstream is away, try again later"
    relayed.attempt(app, number, [rest["waiting"], rest["dead"]], "unavailable", status=503, answer=down)
    relayed.attempt(app, number, [rest["rejected"]], "rejected", status=422, answer='{"error": "no such contact"}')
    relayed.attempt(app, number, [rest["sending"]], None, status=None, answer=None)


def held(app: Flask, number: int) -> None:
    """Removals that wait for a decision."""
    held_by_guard = {"kind": "left", "next_at": None, "reason": "held_by_guard"}
    for name in members(app, OTHER)[:12]:
        relayed.message(app, number, name, "waiting", **held_by_guard)
    relayed.change(app, "subscription", number, held=12, held_at=now() - HOUR, backfill_after=None)


def members(app: Flask, cohort: str) -> list[str]:
    values = {"project": PROJECT, "cohort": cohort}
    found = app.extensions["runtime"].database.read(lambda db: db.execute(_MEMBERS, values).scalars().all())
    return list(found)
