"""Backups on a schedule: when the next one is due, and what became of the last ones."""

from sqlalchemy import BigInteger, Boolean, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import ExactText, Moment
from models.database import Model


class BackupSchedule(Model):
    """The only row, number 1. `place` and `every_ms` are the settings as a worker saw them last, `planned_at` since
    when backups are made there. `claimed_until` is the claim of the worker that makes one.

    `verified_at` is when the last good one was begun, which is the moment that it holds, with its `name`, its size in
    `bytes` and whether it is `encrypted`; `failed_at` and `reason` are the last try that came to nothing.
    """

    __tablename__ = "backup_schedule"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(ExactText)
    every_ms: Mapped[int] = mapped_column(BigInteger)
    planned_at: Mapped[int] = mapped_column(Moment)
    next_at: Mapped[int] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    verified_at: Mapped[int | None] = mapped_column(Moment)
    name: Mapped[str | None] = mapped_column(Text)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    encrypted: Mapped[bool | None] = mapped_column(Boolean)
    failed_at: Mapped[int | None] = mapped_column(Moment)
    reason: Mapped[str | None] = mapped_column(Text)
