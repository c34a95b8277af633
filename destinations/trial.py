"""A test with one chosen person: a real call, kept among the attempts."""

import secrets
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations import bodies, destinations, finishing, opening
from destinations.body_size import too_large
from destinations.contract import Answer, Change
from destinations.identity import NoIdentity, profile
from destinations.messages import packed
from destinations.settings import WrongSettings
from destinations.subscriptions import Subscription
from models.queries import members
from runtime import Runtime

LOOKED_AT = 200  # members among whom somebody is looked for

# The stay by itself: people and cohorts may lie on two nodes (docs/scaling.md).
_PERSON = text(f"""
    SELECT p.id AS person_id, {bodies.PERSON}, m.entry_number, m.entered_at, m.left_at
    FROM person p LEFT JOIN (
        SELECT entry_number, entered_at, left_at FROM membership WHERE cohort_id = :cohort AND person_id = (
            SELECT id FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id LIMIT 1)
        LIMIT 1) m ON true
    WHERE p.project_id = :project_id AND p.distinct_id = :distinct_id""")  # noqa: S608 - our own columns
_BEGIN = text("""
    INSERT INTO attempt (destination_id, subscription_id, messages, message_ids, started_at)
    VALUES (:destination, :subscription, 1, :ids, :now) RETURNING id""")
_END = text("""
    UPDATE attempt SET ended_at = :now, status = :status, verdict = :verdict, reason = :reason, answer = :answer
    WHERE id = :id""")
# They are in the set from now on, and leave it with the cohort.
_HOLD = text("""
    INSERT INTO holder (subscription_id, person_id, identity, entry_number)
    VALUES (:subscription, :person, :identity, :entry) ON CONFLICT (subscription_id, person_id) DO NOTHING""")
_PLACE = text("""
    INSERT INTO placement (subscription_id, identity, there, vendor_id, told_at)
    VALUES (:subscription, :identity, 'in', :vendor_id, :now)
    ON CONFLICT (subscription_id, identity) DO UPDATE SET there = 'in',
        vendor_id = coalesce(excluded.vendor_id, placement.vendor_id)""")


@dataclass(frozen=True)
class Trial:
    """What came of a test: the outcome of its only change (or the kind of refusal), and the far end's words."""

    attempt: int
    outcome: str
    told: str
    status: int | None
    answer: str


def test(runtime: Runtime, subscription: Subscription, distinct_id: str) -> Trial:
    """Tell the far end that this person has entered. Raises WrongSettings, opening.CannotOpen and
    DatabaseUnavailable."""
    opening.check_type(subscription.type)
    database = runtime.database
    row = database.read(lambda db: _chosen(db, subscription, distinct_id))
    try:
        identity = subscription.rule().of_row(row)
    except NoIdentity as error:
        raise WrongSettings({"distinct_id": f"This person has no identity to send: {error.reason}."}) from None
    destination = database.read(lambda db: destinations.by_id(db, subscription.destination_id))
    if destination is None:
        raise WrongSettings({"destination": "It has gone."})
    change = _change(runtime, subscription, row, identity)
    with closing(opening.adapter(runtime, destination)) as adapter:
        attempt = database.write(lambda db: _begin(db, subscription, runtime.clock()))
        large = too_large(subscription.kind, adapter, subscription.feed, [change])
        answer = large or adapter.send(subscription.feed, [change])
    trial = _trial(attempt, answer)
    database.write(lambda db: _end(db, subscription, change, row.person_id, answer, trial, runtime.clock()))
    return trial


def somebody(runtime: Runtime, subscription: Subscription) -> str:
    """Return the distinct id of a member with an identity, where nobody is chosen. Raises WrongSettings,
    opening.CannotOpen."""
    opening.check_type(subscription.type)
    rule = subscription.rule()
    for row in runtime.database.read(lambda db: members.page(db, subscription.cohort, 0, LOOKED_AT)):
        try:
            rule.of_row(row)
        except NoIdentity:
            continue
        return str(row.distinct_id)
    raise WrongSettings({"distinct_id": f"None of the first {LOOKED_AT} members has an identity; name somebody."})


def _chosen(db: Connection, subscription: Subscription, distinct_id: str) -> Row[Any]:
    values = {"cohort": subscription.cohort, "project_id": subscription.project_id, "distinct_id": distinct_id}
    row = db.execute(_PERSON, values).one_or_none()
    if row is None:
        raise WrongSettings({"distinct_id": "Nobody has this distinct id in this project."})
    if subscription.kind.family == "level" and (row.entry_number is None or row.left_at is not None):
        raise WrongSettings({"distinct_id": "Choose somebody who is in the cohort now: the set there would keep them."})
    return row


def _change(runtime: Runtime, subscription: Subscription, row: Row[Any], identity: str) -> Change:
    fields = profile(row).fields(subscription.fields)
    entry = row.entry_number or 1
    key = f"dlv_test_{secrets.token_hex(12)}"
    at = row.entered_at or runtime.clock()
    return Change(0, key, "entered", identity, row.distinct_id, entry, 0, at, fields=fields)


def _begin(db: Connection, subscription: Subscription, now: int) -> int:
    values = {"destination": subscription.destination_id, "subscription": subscription.id, "ids": packed([])}
    return int(db.execute(_BEGIN, values | {"now": now}).scalar_one())


def _trial(attempt: int, answer: Answer) -> Trial:
    verdict = answer.verdicts.get(0)
    refusal = answer.refusal
    outcome = verdict.outcome if verdict else refusal.kind if refusal else "uncertain"
    told = verdict.told if verdict else refusal.told if refusal else "The answer does not say."
    return Trial(attempt, outcome, told, answer.status, answer.text[: finishing.ANSWER])


def _end(
    db: Connection, subscription: Subscription, change: Change, person: int, answer: Answer, trial: Trial, now: int
) -> None:
    reason = (answer.refusal.reason if answer.refusal else None) or None
    values = {"id": trial.attempt, "now": now, "status": answer.status, "answer": trial.answer or None}
    db.execute(_END, values | {"verdict": trial.outcome, "reason": reason})
    if subscription.kind.family == "level" and trial.outcome in {"applied", "accepted"}:
        held = {"subscription": subscription.id, "identity": change.identity}
        db.execute(_HOLD, held | {"person": person, "entry": change.entry_number})
        vendor_id = answer.verdicts[0].vendor_id
        db.execute(_PLACE, held | {"vendor_id": vendor_id, "now": now})
