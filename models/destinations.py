"""Relaying changes to other systems: destinations, subscriptions, and what became of every message.

`destinations/` is the only room that writes here. Rows that are written for every change are narrow; what is not over
yet is found by partial indexes, so that millions of finished messages cost nothing.
"""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


def _only(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


class Destination(Model):
    """Where changes go. `settings` is a JSON object without secrets; `sealed_secrets` the ciphertext of one that has
    for each secret the list of its live values, `{"value", "since", "until"}`, the newest first.

    `status` is active, paused or draining (nothing new, then removed). A pause has a `cause`: hand, credentials, gone
    or failing, and a `reason` for people. Since `failing_since` there were `failures` failed calls in a row; at
    `probe_at` a destination that paused by itself is tried with one message. Nothing is sent before `wait_until`,
    which the far end has asked for. Its row is the lock that puts the messages of its lanes in order.
    """

    __tablename__ = "destination"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ExactText, unique=True)
    type: Mapped[str] = mapped_column(Text)
    settings: Mapped[str] = mapped_column(ExactText)
    sealed_secrets: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(ExactText)
    paused_at: Mapped[int | None] = mapped_column(Moment)
    probe_at: Mapped[int | None] = mapped_column(Moment)
    probes: Mapped[int] = mapped_column(Integer, server_default="0")
    failing_since: Mapped[int | None] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    succeeded_at: Mapped[int | None] = mapped_column(Moment)
    wait_until: Mapped[int | None] = mapped_column(Moment)
    checked_at: Mapped[int | None] = mapped_column(Moment)
    check_told: Mapped[str | None] = mapped_column(ExactText)
    created_at: Mapped[int] = mapped_column(Moment)
    updated_at: Mapped[int] = mapped_column(Moment)


class Subscription(Model):
    """One cohort into one destination. `kinds` is both, entered or left; `reentry` each, once or cooloff:SECONDS;
    `fields` a JSON object of the name at the far end and the property it is taken from.

    The log is planned up to number `position`. Who was in at `start_position` is planned by the backfill, in the order
    of their ids: `backfill_after` is the last one, `backfill_end` the log's number when it was through; both are null
    where none was asked for. Profiles are looked through whenever the cohort's version is not `profiles_version`:
    parked messages behind `parked_after`, then holders behind `holders_after` whose profile changed after
    `changed_since`; the last look began at `looked_at`.
    `held` counts messages `left` that the removal guard holds until somebody decides: since `guard_since` it was
    `guard_left` of the `guard_base` identities that were there.
    """

    __tablename__ = "subscription"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    destination_id: Mapped[int] = mapped_column(ForeignKey("destination.id"), index=True)
    cohort_id: Mapped[int] = mapped_column(BigId, index=True)
    identity: Mapped[str] = mapped_column(ExactText)
    country: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(ExactText)
    kinds: Mapped[str] = mapped_column(Text)
    reentry: Mapped[str] = mapped_column(Text)
    start: Mapped[str] = mapped_column(Text)
    report_event: Mapped[str | None] = mapped_column(ExactText)
    guard_percent: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text)  # active, paused, draining
    reason: Mapped[str | None] = mapped_column(ExactText)
    paused_at: Mapped[int | None] = mapped_column(Moment)
    position: Mapped[int] = mapped_column(BigInteger)
    start_position: Mapped[int] = mapped_column(BigInteger)
    backfill_after: Mapped[int | None] = mapped_column(BigInteger)
    backfill_end: Mapped[int | None] = mapped_column(BigInteger)
    backfill_total: Mapped[int | None] = mapped_column(BigInteger)
    backfill_planned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    profiles_version: Mapped[int] = mapped_column(BigInteger)
    parked_after: Mapped[int | None] = mapped_column(BigInteger)
    holders_after: Mapped[int | None] = mapped_column(BigInteger)
    looked_at: Mapped[int] = mapped_column(Moment)
    changed_since: Mapped[int] = mapped_column(Moment, server_default="0")
    generation: Mapped[int] = mapped_column(Integer, server_default="0")  # the last one that was given
    held_at: Mapped[int | None] = mapped_column(Moment)
    held: Mapped[int] = mapped_column(BigInteger, server_default="0")
    guard_since: Mapped[int | None] = mapped_column(Moment)
    guard_base: Mapped[int] = mapped_column(BigInteger, server_default="0")
    guard_left: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[int] = mapped_column(Moment)


class SubscriptionCounts(Model):
    """How many messages of a subscription are in each state, written with the messages. Those whose rows are past their
    retention are in the counts still; `folded` of them have no row any more."""

    __tablename__ = "subscription_counts"

    subscription_id: Mapped[int] = mapped_column(
        ForeignKey("subscription.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    waiting: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sending: Mapped[int] = mapped_column(BigInteger, server_default="0")
    applied: Mapped[int] = mapped_column(BigInteger, server_default="0")
    accepted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    rejected: Mapped[int] = mapped_column(BigInteger, server_default="0")
    parked: Mapped[int] = mapped_column(BigInteger, server_default="0")
    suppressed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    coalesced: Mapped[int] = mapped_column(BigInteger, server_default="0")
    uncertain: Mapped[int] = mapped_column(BigInteger, server_default="0")
    dead: Mapped[int] = mapped_column(BigInteger, server_default="0")
    folded: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Message(Model):
    """One change for one subscription. `kind` is entered, left or erased, `origin` log, backfill, identity (it has
    changed while its person was in), resend or erasure. `generation` is 0 but for what has no row of the log of its
    own: then it is one that the subscription gave.

    `lane` is 64 bits of the identity: of the messages of a lane in a destination only the first that is not over may be
    sent. `priority` 0 goes before 1 (a backfill). `at` is when the change happened, `position` its number in the log,
    0 for none. `attempt_id` is the attempt that carries it, or did last. Of an erasure `session_id` is its number, and
    `sealed` the ciphertext of what is still to be said; `claimed_until` is of `models.claims`.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("subscription_id", "person_id", "entry_number", "kind", "generation"),
        Index("ix_message_due", "subscription_id", "priority", "next_at", "id", **_only("state = 'waiting'")),
        Index("ix_message_lane", "destination_id", "lane", "id", **_only("state IN ('waiting', 'sending')")),
        Index("ix_message_sending", "claimed_until", **_only("state = 'sending'")),
        Index("ix_message_parked", "subscription_id", "id", **_only("state = 'parked'")),
        Index("ix_message_state", "subscription_id", "state", "id"),
        Index("ix_message_erasure", "session_id", **_only("origin = 'erasure'")),
        Index("ix_message_report", "subscription_id", "id", **_only("report = 'due'")),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    destination_id: Mapped[int] = mapped_column(BigId)
    subscription_id: Mapped[int] = mapped_column(BigId)
    person_id: Mapped[int] = mapped_column(BigInteger)
    entry_number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    generation: Mapped[int] = mapped_column(Integer, server_default="0")
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(ExactText)
    identity: Mapped[str | None] = mapped_column(ExactText)
    lane: Mapped[int | None] = mapped_column(BigInteger)
    priority: Mapped[int] = mapped_column(SmallInteger)
    origin: Mapped[str] = mapped_column(Text)
    session_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(Moment)
    position: Mapped[int] = mapped_column(BigInteger)
    next_at: Mapped[int | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt_id: Mapped[int | None] = mapped_column(BigInteger)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    first_tried_at: Mapped[int | None] = mapped_column(Moment)
    created_at: Mapped[int] = mapped_column(Moment)
    finished_at: Mapped[int | None] = mapped_column(Moment)
    report: Mapped[str | None] = mapped_column(Text)  # due, reported, failed; null where none was asked for
    sealed: Mapped[str | None] = mapped_column(Text)


class Attempt(Model):
    """One call to a destination, written before it is made. `message_ids` are those it carries, packed; `verdict` is
    null while it is under way, then applied, accepted, partly, or what the call was refused for. `answer` is redacted,
    at most 2 KB."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_subscription", "subscription_id", "id"),
        Index("ix_attempt_open", "destination_id", "started_at", **_only("ended_at IS NULL")),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    destination_id: Mapped[int] = mapped_column(BigId)
    subscription_id: Mapped[int] = mapped_column(BigId)
    messages: Mapped[int] = mapped_column(Integer)
    message_ids: Mapped[bytes] = mapped_column(LargeBinary)
    started_at: Mapped[int] = mapped_column(Moment, index=True)
    ended_at: Mapped[int | None] = mapped_column(Moment)
    status: Mapped[int | None] = mapped_column(Integer)
    verdict: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(ExactText)
    answer: Mapped[str | None] = mapped_column(ExactText)


class Holder(Model):
    """A member of a cohort, and the identity under which they are in a destination that keeps a set. An identity is to
    be there while it has a holder."""

    __tablename__ = "holder"
    __table_args__ = (Index("ix_holder_identity", "subscription_id", "identity"), {"sqlite_with_rowid": False})

    subscription_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(ExactText)
    entry_number: Mapped[int] = mapped_column(Integer)


class Placement(Model):
    """What we know of an identity at the far end: `there` is in, out or unsure, `vendor_id` what the far end calls it,
    `told_at` when it was last told `entered` with success."""

    __tablename__ = "placement"
    __table_args__ = {"sqlite_with_rowid": False}

    subscription_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(ExactText, primary_key=True)
    there: Mapped[str] = mapped_column(Text)
    vendor_id: Mapped[str | None] = mapped_column(ExactText)
    told_at: Mapped[int | None] = mapped_column(Moment)
