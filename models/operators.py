"""Operators: people who sign in at the dashboard, and the trail of what they changed."""

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Json, Moment
from models.database import Model


class Operator(Model):
    """A person who may sign in. `email` is kept in lower case, `password_hash` as Werkzeug's scrypt text.

    `sign_ins` counts up when the password, the role or the second factor changes: every sign-in that was made before is
    over. `time_zone` is an IANA name, or `browser`; null is UTC. `second_factor_at` is when a second factor was set up;
    null where there is none. `provider_subject` is the issuer and its id of whoever signs in by the company's provider.
    """

    __tablename__ = "operator"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(ExactText, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)  # viewer, operator, admin
    sign_ins: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(Moment)
    last_signed_in_at: Mapped[int | None] = mapped_column(Moment)
    time_zone: Mapped[str | None] = mapped_column(Text)
    second_factor_at: Mapped[int | None] = mapped_column(Moment)
    provider_subject: Mapped[str | None] = mapped_column(ExactText, unique=True, index=True)


class SignIn(Model):
    """One browser in which an operator is signed in. `digest` is a keyed digest of the secret in its cookie.

    `sign_ins` is the operator's number at that time: where theirs is another one by now, this sign-in is over.
    `last_seen_at` is kept to the minute, `browser` in a few words of ours. `way` says by what they signed in; null is a
    password alone.
    """

    __tablename__ = "sign_in"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation
    operator_id: Mapped[int] = mapped_column(BigId, index=True)
    sign_ins: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(ExactText)
    browser: Mapped[str] = mapped_column(ExactText)
    started_at: Mapped[int] = mapped_column(Moment)
    last_seen_at: Mapped[int] = mapped_column(Moment)
    way: Mapped[str | None] = mapped_column(Text)


class AuditEntry(Model):
    """One change, or one look at something masked: who, when, what, before and after. Holds no secret.

    `who` is the operator's e-mail at that time, or `terminal`; `action` a stable word (`connection.rotate`), `subject`
    what it was done to, as a person would name it. `before` and `after` are JSON objects of what differs.
    """

    __tablename__ = "audit_entry"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[int] = mapped_column(Moment, index=True)
    who: Mapped[str] = mapped_column(ExactText)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(ExactText)
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)


class SimulatedExport(Model):
    """A small simulated export that an operator asked for; the worker plays it through the real endpoint.

    `state` is waiting, running, passed or failed; `report` a JSON object of what was sent and what the relay says.
    """

    __tablename__ = "simulated_export"
    __table_args__ = (
        Index(
            "ix_simulated_export_open",
            "id",
            postgresql_where=text("state IN ('waiting', 'running')"),
            sqlite_where=text("state IN ('waiting', 'running')"),
        ),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection: Mapped[str] = mapped_column(Text, index=True)
    who: Mapped[str] = mapped_column(ExactText)
    state: Mapped[str] = mapped_column(Text)
    report: Mapped[dict[str, Any] | None] = mapped_column(Json)
    asked_at: Mapped[int] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    ended_at: Mapped[int | None] = mapped_column(Moment)
