"""Minimisations: what a connection's choice is applied to that is stored already."""

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class Minimisation(Model):
    """One walk through all that a connection has brought, in steps (`sync.minimise.runs`).

    `choice` is what was chosen when it was asked for. `who` asked; the daily one that drops fields whose days have
    passed was asked by nobody, and has the empty text. `stage` is what it goes through: people, then pages, then
    requests; it goes on behind `cohort_id` and `position`. `claimed_until` is a worker's claim (`models.claims`).
    """

    __tablename__ = "minimisation"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), index=True)
    asked_at: Mapped[int] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(ExactText)
    choice: Mapped[str] = mapped_column(ExactText)
    stage: Mapped[str] = mapped_column(ExactText)
    cohort_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
