"""Cohorts, who is in them, and the log of every entry and exit."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import BigId, ExactText, Moment
from models.database import Model


class Cohort(Model):
    """A cohort, keyed by (project, Mixpanel's cohort id). Its row is the lock that serialises the cohort's pages.

    `session_count` numbers the sessions by first arrival (S9), `change_count` numbers the log (S11), `version` grows
    with every change of membership, label or member profile. `newest_refresh` and `complete_refresh` are the numbers of
    the newest refresh and of the newest one that is complete, 0 for none. The log is examined for stays past their
    retention up to `log_examined`, and the last exit that went for it was number `log_gone` (`sync.retention`).
    """

    __tablename__ = "cohort"
    __table_args__ = (UniqueConstraint("project_id", "mixpanel_cohort_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[str] = mapped_column(ExactText)
    mixpanel_cohort_id: Mapped[str] = mapped_column(ExactText)
    name: Mapped[str] = mapped_column(ExactText)
    description: Mapped[str] = mapped_column(ExactText)
    member_count: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
    session_count: Mapped[int] = mapped_column(BigInteger)
    change_count: Mapped[int] = mapped_column(BigInteger)
    newest_refresh: Mapped[int] = mapped_column(BigInteger)
    complete_refresh: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(Moment)
    first_synced_at: Mapped[int | None] = mapped_column(Moment)
    last_synced_at: Mapped[int | None] = mapped_column(Moment)
    last_call_at: Mapped[int] = mapped_column(Moment)
    guard_percent: Mapped[int | None] = mapped_column(Integer)  # this cohort's own removal guard; None: the setting's
    log_examined: Mapped[int] = mapped_column(BigInteger, server_default="0")
    log_gone: Mapped[int] = mapped_column(BigInteger, server_default="0")


class CohortLabel(Model):
    """A name and description that a cohort had until a session brought others (S12). The first label dates from the
    cohort's `created_at`, each later one from the `until` before it, and the one that shows now is on the cohort."""

    __tablename__ = "cohort_label"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    session_number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(ExactText)
    description: Mapped[str] = mapped_column(ExactText)
    until: Mapped[int] = mapped_column(Moment)


class Membership(Model):
    """A person's place in a cohort; the row outlives the stay. A member is a row with no `left_at` (S10).

    `session_number` is the newest session that changed or spoke of this person (S9). `change_number` is the last row
    of the log about them, 0 for none: from there `MembershipChange.previous` leads back through all their stays, so
    that no index on the log is needed. Entry number 0 is someone who was never in, only named by a removal.
    No foreign key to person: on PostgreSQL it makes entering 1,000 people five times slower.
    """

    __tablename__ = "membership"
    __table_args__ = {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": "90"}}

    cohort_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    entered_at: Mapped[int] = mapped_column(Moment)
    left_at: Mapped[int | None] = mapped_column(Moment)
    entry_number: Mapped[int] = mapped_column(Integer)
    session_number: Mapped[int] = mapped_column(BigInteger)
    change_number: Mapped[int] = mapped_column(BigInteger)


class MembershipChange(Model):
    """One entry or exit, appended once and never changed (S11). `number` counts within the cohort, in commit order.

    `previous` is the person's row before it, 0 for none. A stay that is past its retention goes as a whole, so that a
    walk along `previous` may end at a number that is not there any more.
    """

    __tablename__ = "membership_change"
    __table_args__ = {"sqlite_with_rowid": False}

    cohort_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger)
    entered: Mapped[bool] = mapped_column(Boolean)
    entry_number: Mapped[int] = mapped_column(Integer)
    session_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(Moment)
    previous: Mapped[int] = mapped_column(BigInteger)
