"""Requests to Mixpanel that a team keeps: by name, in folders, with variables, checks and a schedule."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class SavedRequest(Model):
    """A request that can be made again. Credentials and secret parameters are never in it.

    `given` is the JSON object `{"params", "body"}` that it is made from, with `{{name}}` where a variable stands;
    `variables` a JSON object of each variable's values by project, where "" is every other project; `checks` a JSON
    list of what has to hold (`outbound.saved.expectations`). `project` is empty where it is asked for at each run.

    With a schedule it runs every `every_ms` milliseconds, next at `next_at`, as whom `scheduled_by` says. What
    came of the newest run is `ran_at`, `passed` and `reason`.
    """

    __tablename__ = "saved_request"
    __table_args__ = (
        Index(
            "ix_saved_request_next",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
            sqlite_where=text("next_at IS NOT NULL"),
        ),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ExactText, unique=True)
    folder: Mapped[str] = mapped_column(ExactText)
    operation: Mapped[str] = mapped_column(Text)
    project: Mapped[str] = mapped_column(ExactText)
    given: Mapped[str] = mapped_column(ExactText)
    variables: Mapped[str] = mapped_column(ExactText)
    checks: Mapped[str] = mapped_column(ExactText)
    created_by: Mapped[str] = mapped_column(ExactText)
    created_at: Mapped[int] = mapped_column(Moment)
    updated_by: Mapped[str] = mapped_column(ExactText)
    updated_at: Mapped[int] = mapped_column(Moment)
    every_ms: Mapped[int | None] = mapped_column(BigInteger)
    next_at: Mapped[int | None] = mapped_column(Moment)
    scheduled_by: Mapped[str | None] = mapped_column(ExactText)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    ran_at: Mapped[int | None] = mapped_column(Moment)
    passed: Mapped[bool | None] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(ExactText)


class SavedRun(Model):
    """One run of a saved request: whether its checks held, and why not. `delivery_id` is its call in the history, null
    where nothing was sent."""

    __tablename__ = "saved_run"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    saved_request_id: Mapped[int] = mapped_column(ForeignKey("saved_request.id", ondelete="CASCADE"), index=True)
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[int] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(ExactText)
    source: Mapped[str] = mapped_column(Text)  # dashboard, terminal, schedule
    passed: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(ExactText)
