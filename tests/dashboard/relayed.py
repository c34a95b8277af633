"""Destinations as pages show them: connected, subscribed, and with messages and calls in the states that are asked for.

The rows are written as they are, so that a page can be looked at in a state that takes days to come to.
"""

import json
from typing import Any

from flask import Flask
from sqlalchemy import text

from destinations import counting, destinations, registry, subscriptions
from destinations.destinations import NewDestination
from destinations.messages import packed
from destinations.subscriptions import STATES, NewSubscription

NOWHERE = "http://127.0.0.1:9/hook"  # refused before it is called: loopback is no place for destinations by default
FINISHED = frozenset(STATES) - {"waiting", "sending", "parked"}

_PERSON = text("SELECT id FROM person WHERE project_id = :project AND distinct_id = :distinct_id")
_MESSAGE = text("""
    INSERT INTO message (destination_id, subscription_id, person_id, entry_number, kind, generation, state, reason,
        identity, lane, priority, origin, session_id, at, position, next_at, attempts, attempt_id, created_at,
        finished_at)
    VALUES (:destination_id, :subscription_id, :person_id, :entry_number, :kind, :generation, :state, :reason,
        :identity, 1, 0, 'log', 1, :at, 1, :next_at, :attempts, :attempt_id, :at, :finished_at)
    RETURNING id""")
_ATTEMPT = text("""
    INSERT INTO attempt (destination_id, subscription_id, messages, message_ids, started_at, ended_at, status, verdict,
        reason, answer)
    VALUES (:destination_id, :subscription_id, :messages, :ids, :at, :ended_at, :status, :verdict, :reason, :answer)
    RETURNING id""")
_HOLDER = text("""
    INSERT INTO holder (subscription_id, person_id, identity, entry_number)
    VALUES (:subscription, :person, :identity, 1)""")
_PLACEMENT = text("INSERT INTO placement (subscription_id, identity, there) VALUES (:subscription, :identity, 'in')")
_MOVED = text("UPDATE message SET attempt_id = :attempt, attempts = attempts + 1 WHERE id = :id")


def connect(app: Flask, name: str = "hook", kind: str = "webhook", **settings: Any) -> int:
    """Connect a destination; return its id."""
    runtime = app.extensions["runtime"]
    secrets = {needed: f"planted-{needed}" for needed in _needed(kind)}
    draft = NewDestination(name, kind, settings or {"url": NOWHERE}, secrets)
    return runtime.database.write(lambda db: destinations.add(db, runtime.cipher, draft, runtime.clock())).id


def _needed(kind: str) -> list[str]:
    """The secrets that have to be given."""
    settings = registry.type_of(kind).settings
    return [setting.name for setting in settings if setting.secret and setting.required and not setting.make]


def subscribe(app: Flask, name: str = "hook", cohort: str = "7", project: str = "1", **more: Any) -> int:
    """Subscribe a cohort; return the subscription's id."""
    runtime = app.extensions["runtime"]
    draft = NewSubscription(name, project, cohort, **more)
    return runtime.database.write(lambda db: subscriptions.add(db, draft, runtime.clock()))


def message(app: Flask, subscription_id: int, distinct_id: str, state: str = "applied", **more: Any) -> int:
    """Write a message of somebody, in a state, and count it; return its id."""
    runtime, known = app.extensions["runtime"], _known(app, subscription_id)
    now = runtime.clock()
    values = {
        "destination_id": known.destination_id,
        "subscription_id": known.id,
        "entry_number": 1,
        "kind": "entered",
        "generation": 0,
        "state": state,
        "reason": None,
        "identity": distinct_id,
        "at": now,
        "next_at": now if state == "waiting" else None,
        "attempts": 0,
        "attempt_id": None,
        "finished_at": now if state in FINISHED else None,
    }

    def write(db: Any) -> int:
        person = db.execute(_PERSON, {"project": known.project_id, "distinct_id": distinct_id}).scalar_one()
        counting.move(db, known.id, {state: 1})
        return db.execute(_MESSAGE, values | {"person_id": person} | more).scalar_one()

    return runtime.database.write(write)


def attempt(app: Flask, subscription_id: int, ids: list[int], verdict: str | None = "applied", **more: Any) -> int:
    """Write a call that carried these messages; return its id."""
    runtime, known = app.extensions["runtime"], _known(app, subscription_id)
    now = runtime.clock()
    values = {
        "destination_id": known.destination_id,
        "subscription_id": known.id,
        "messages": max(1, len(ids)),
        "ids": packed(ids),
        "at": now - 120,
        "ended_at": None if verdict is None else now,
        "status": 200,
        "verdict": verdict,
        "reason": None,
        "answer": json.dumps({"ok": True}),
    }

    def write(db: Any) -> int:
        found = db.execute(_ATTEMPT, values | more).scalar_one()
        for number in ids:
            db.execute(_MOVED, {"attempt": found, "id": number})
        return found

    return runtime.database.write(write)


def held_there(app: Flask, subscription_id: int, distinct_id: str) -> None:
    """Write that somebody should be in the set there, and that we have put them there."""
    project = _known(app, subscription_id).project_id

    def write(db: Any) -> None:
        person = db.execute(_PERSON, {"project": project, "distinct_id": distinct_id}).scalar_one()
        values = {"subscription": subscription_id, "person": person, "identity": distinct_id}
        db.execute(_HOLDER, values)
        db.execute(_PLACEMENT, values)

    app.extensions["runtime"].database.write(write)


def change(app: Flask, table: str, number: int, **columns: Any) -> None:
    """Change a row of a destination or a subscription to what only time would bring."""
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    statement = text(f"UPDATE {table} SET {sets} WHERE id = :id")
    app.extensions["runtime"].database.write(lambda db: db.execute(statement, columns | {"id": number}))


def _known(app: Flask, subscription_id: int) -> Any:
    return app.extensions["runtime"].database.read(lambda db: subscriptions.by_id(db, subscription_id))
