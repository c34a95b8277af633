"""Destinations, subscriptions, messages and attempts as programs read them: the same keys in the terminal and the API.
Times are ISO 8601 in UTC. No secret stands in any of it."""

from typing import Any

from sqlalchemy import Connection, Row

from config.clock import iso
from destinations import registry, subscriptions
from destinations.contract import DestinationType, Setting
from destinations.destinations import Destination
from destinations.preview import Preview
from destinations.settings import all_settings
from destinations.subscriptions import Subscription
from destinations.trial import Trial


def of_type(kind: DestinationType) -> dict[str, Any]:
    """Return a type as it describes itself."""
    same = ("name", "words", "help", "family", "once", "promise", "batch", "window", "success", "human")
    more = ("carries_fields", "one_subscription", "reads_back", "erases")
    return {name: getattr(kind, name) for name in (*same, *more)} | {
        "identities": list(kind.identities),
        "settings": [_of_setting(setting) for setting in all_settings(kind)],
    }


def _of_setting(setting: Setting) -> dict[str, Any]:
    same = ("name", "words", "kind", "help", "required", "secret", "default", "example", "least", "most")
    return {name: getattr(setting, name) for name in same} | {
        "choices": list(setting.choices),
        "made": setting.make is not None,
    }


def of_destination(known: Destination) -> dict[str, Any]:
    """Return a destination without its secrets."""
    kind = registry.TYPES.get(known.type)
    return {
        "name": known.name,
        "type": known.type,
        "family": kind.family if kind else None,
        "settings": known.settings,
        "has_secrets": known.sealed_secrets is not None,
        "status": known.status,
        "cause": known.cause,
        "reason": known.reason,
        "paused_at": iso(known.paused_at),
        "probe_at": iso(known.probe_at),
        "failing_since": iso(known.failing_since),
        "failures": known.failures,
        "succeeded_at": iso(known.succeeded_at),
        "wait_until": iso(known.wait_until),
        "checked_at": iso(known.checked_at),
        "check_told": known.check_told,
        "created_at": iso(known.created_at),
        "updated_at": iso(known.updated_at),
    }


def of_subscription(db: Connection, known: Subscription) -> dict[str, Any]:
    """Return a subscription, how it stands, and since when its oldest message waits."""
    same = ("id", "destination", "type", "project_id", "cohort_id", "cohort_name", "identity", "country", "fields")
    return {name: getattr(known, name) for name in same} | {
        "start": known.start,
        "reentry": known.reentry,
        "on": known.kinds,
        "report": known.report_event,
        "guard_percent": known.guard_percent,
        "status": known.status,
        "reason": known.reason,
        "counts": known.counts,
        "behind": known.behind,
        "backfill_total": known.backfill_total,
        "backfill_planned": known.backfill_planned,
        "held": known.held,
        "held_at": iso(known.held_at),
        "oldest_waiting_at": iso(subscriptions.oldest_waiting_at(db, known.id)) if known.counts["waiting"] else None,
        "created_at": iso(known.created_at),
    }


def subject(known: Subscription) -> str:
    """Return what the audit trail calls a subscription, also when it is no more."""
    return f"{known.destination}: {known.project_id}/{known.cohort_id}"


def of_message(row: Row[Any]) -> dict[str, Any]:
    """Return a message; `distinct_id` is null where the person is no more."""
    same = ("id", "kind", "distinct_id", "entry_number", "state", "reason", "attempts")
    times = ("at", "next_at", "created_at", "finished_at")
    return {name: getattr(row, name) for name in same} | {name: iso(getattr(row, name)) for name in times}


def of_attempt(row: Row[Any]) -> dict[str, Any]:
    """Return a call to a far end."""
    same = ("id", "messages", "status", "verdict", "reason", "answer", "duration_ms")
    return {name: getattr(row, name) for name in same} | {"started_at": iso(row.started_at)}


def of_trial(done: Trial, distinct_id: str) -> dict[str, Any]:
    """Return what came of a test with this person."""
    return {
        "distinct_id": distinct_id,
        "attempt": done.attempt,
        "outcome": done.outcome,
        "told": done.told,
        "status": done.status,
        "answer": done.answer,
    }


def of_preview(found: Preview) -> dict[str, Any]:
    """Return what a subscription would send."""
    same = ("bodies", "people", "without", "reason", "calls", "seconds")
    return {name: getattr(found, name) for name in same}
