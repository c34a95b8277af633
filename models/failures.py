"""Failures: calls that we refused or could not apply."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class Failure(Model):
    """A call that we refused or could not apply, with what we answered. Holds no member data and no secret.

    `cause` is a stable word (`wrong_credentials`, `not_json`, …) to group by; `count` folds repeats of one cause from
    one connection within a minute into one row, and those that name no connection of ours within an hour, so that a
    flood cannot fill the disk (`sync.failures`).
    """

    __tablename__ = "failure"
    __table_args__ = (
        Index("ix_failure_cohort", "cohort_id", "project_id", "last_at"),  # what ails one cohort
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[int] = mapped_column(Moment, index=True)  # folding and pruning look at a stretch of time
    last_at: Mapped[int] = mapped_column(Moment)
    count: Mapped[int] = mapped_column(Integer)
    connection: Mapped[str | None] = mapped_column(ExactText)  # as named in the call, if there is such a one
    project_id: Mapped[str | None] = mapped_column(ExactText)
    cohort_id: Mapped[str | None] = mapped_column(ExactText)
    action: Mapped[str | None] = mapped_column(ExactText)
    status: Mapped[int] = mapped_column(Integer)
    cause: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(ExactText)
    request_id: Mapped[str] = mapped_column(Text)
    body_bytes: Mapped[int | None] = mapped_column(BigInteger)
    traceback: Mapped[str | None] = mapped_column(Text)


class RefusedRequest(Model):
    """The request of a failure, of callers who have signed in: `sealed` opens with SECRET_KEY only
    (`security.refused_requests`). It goes with its failure."""

    __tablename__ = "refused_request"

    failure_id: Mapped[int] = mapped_column(
        ForeignKey("failure.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
