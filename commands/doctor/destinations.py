"""Whether changes go on to where they should: destinations, what is left undone, and what waits for a person."""

from sqlalchemy import Row, text

from commands.doctor.check import Check, fail, many, ok, warn
from config.clock import MINUTE, utc
from destinations import destinations, opening, registry, subscriptions
from destinations.destinations import Destination
from destinations.subscriptions import Subscription
from models.encryption import DecryptionError
from runtime import Runtime

GRACE = MINUTE  # what a worker should have begun this long ago, it has not begun

# Of destinations that may be called: messages that are due, and no call lately, so that they wait for no budget.
_OVERDUE = text("""
    SELECT d.name FROM destination d
    WHERE d.status IN ('active', 'draining') AND coalesce(d.wait_until, 0) <= :overdue AND EXISTS (
        SELECT 1 FROM subscription s JOIN message m ON m.subscription_id = s.id AND m.state = 'waiting'
            AND m.next_at <= :overdue
        WHERE s.destination_id = d.id AND s.status IN ('active', 'draining'))
    AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.started_at > :overdue AND a.destination_id = d.id)
    ORDER BY d.name""")


def all_destinations(runtime: Runtime) -> list[Check]:
    """Check every destination, and what of its subscriptions waits for a person."""
    known = runtime.database.read(destinations.listed)
    if not known:
        return []
    checks = [check for item in runtime.database.read(subscriptions.listed) for check in _subscription(item)]
    return [*_worker(runtime), *(_destination(runtime, item) for item in known), *checks]


def _worker(runtime: Runtime) -> list[Check]:
    rows: list[Row[tuple[str]]] = list(
        runtime.database.read(lambda db: db.execute(_OVERDUE, {"overdue": runtime.clock() - GRACE}).all())
    )
    if not rows:
        return []
    found = f"messages to {', '.join(row.name for row in rows)} should have been sent over a minute ago"
    return [warn("messages", found, "Start a worker: flask serve has one, flask work is one")]


def _destination(runtime: Runtime, known: Destination) -> Check:
    name = f"destination {known.name}"
    of_it = runtime.database.read(lambda db: subscriptions.listed(db, known))
    waiting = sum(item.counts["waiting"] for item in of_it)
    found = f"{many(len(of_it), 'subscription')}, {many(waiting, 'message')} waiting"
    if known.type not in registry.TYPES:
        return fail(name, f"this version knows no type {known.type}; {found}", "Go back to the version that has it")
    try:
        known.live_secrets(runtime.cipher, runtime.clock())
    except DecryptionError:
        step = f"flask destinations change {known.name} --secrets-stdin, or rotate where the secret is ours to make"
        return fail(name, f"{opening.LOST.split(':')[0].lower()}; {found}", f"Give them again: {step}")
    if known.status == "paused":
        return _paused(name, known, found)
    if known.failing_since is not None:
        since = f"its calls fail since {utc(known.failing_since)}; {found}"
        return warn(name, since, f"See: flask destinations check {known.name}")
    return ok(name, f"{known.status}, {found}, last success {utc(known.succeeded_at)}")


def _paused(name: str, known: Destination, found: str) -> Check:
    resume = f"flask destinations resume {known.name}"
    why = f"paused since {utc(known.paused_at)} ({known.reason or known.cause}); {found}"
    if known.cause == "failing":
        return warn(name, why, f"It is tried again at {utc(known.probe_at)}; at once: {resume}")
    if known.cause == "hand":
        return warn(name, why, f"Everything waits until: {resume}")
    return warn(name, why, f"Mend it (flask destinations change {known.name}), then: {resume}")


def _subscription(known: Subscription) -> list[Check]:
    """Return what of a subscription waits for a person."""
    name, checks = f"subscription {known.id}", list[Check]()
    if known.held:
        step = f"flask subscriptions approve {known.id} sends them, flask subscriptions keep {known.id} does not"
        checks.append(warn(name, f"{many(known.held, 'removal')} held, more than its guard allows", step))
    for state in ("uncertain", "dead"):
        if known.counts[state]:
            step = (
                f"flask subscriptions messages {known.id} --state {state}; again: flask subscriptions replay {known.id}"
            )
            checks.append(warn(name, f"{many(known.counts[state], 'message')} {state}", f"{step} --state {state}"))
    return checks
