"""Alerts: what operators were told last about each cohort and connection, and the log of what was sent."""

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Json, Moment
from models.database import Model


class AlertState(Model):
    """What is known of one subject (`cohort 12`, `connection crm`): the state that it is in, and what was told last.

    `turns` is a JSON list of the moments of its latest changes of state, from which flapping is seen.
    """

    __tablename__ = "alert_state"

    subject: Mapped[str] = mapped_column(ExactText, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[int] = mapped_column(Moment)
    told: Mapped[str] = mapped_column(Text)
    told_at: Mapped[int | None] = mapped_column(Moment)
    turns: Mapped[list[int]] = mapped_column(Json)


class Alert(Model):
    """One message to one channel (`email`, `slack`, `webhook`), and whether it arrived. Holds no member data.

    `state` is waiting, sent or failed; `attempts` counts up to where the worker gives up. `claimed_until` is the
    worker's claim.
    """

    __tablename__ = "alert"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[int] = mapped_column(Moment, index=True)
    subject: Mapped[str] = mapped_column(ExactText)
    kind: Mapped[str] = mapped_column(Text)  # failing, quiet, stalled, held, filling, recovered, test
    title: Mapped[str] = mapped_column(ExactText)
    message: Mapped[str] = mapped_column(ExactText)
    link: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(Text)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    sent_at: Mapped[int | None] = mapped_column(Moment)


class AlertChannel(Model):
    """A channel that an admin has added. `kind` is email, slack or webhook; `sealed` the ciphertext of a JSON object of
    its `url` and `secret`; `recipients` who gets its mails.

    `states` and `cohorts` are JSON lists of what it is told of; empty ones stand for all.
    """

    __tablename__ = "alert_channel"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ExactText, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    recipients: Mapped[str] = mapped_column(ExactText)
    sealed: Mapped[str] = mapped_column(Text)
    states: Mapped[str] = mapped_column(Text)
    cohorts: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(ExactText)
    created_at: Mapped[int] = mapped_column(Moment)
    updated_at: Mapped[int] = mapped_column(Moment)
