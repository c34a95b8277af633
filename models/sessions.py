"""Sync sessions and their pages."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import BigId, ExactText, Json, Moment
from models.database import Model

UNFINISHED = ("receiving", "settling", "sweeping", "stalled", "held")
# SQL: that a session is not over, the condition of the partial index below. SQLite takes such an index only for a
# statement that repeats its condition, also where a further term already implies it: hence `IS_UNFINISHED AND
# status = 'receiving'`. With an alias it is `s.{IS_UNFINISHED}`.
IS_UNFINISHED = "status NOT IN ('complete', 'superseded')"
STATUSES = ("receiving", "settling", "sweeping", "complete", "superseded", "stalled", "held")


class SyncSession(Model):
    """One Mixpanel export: (cohort, Mixpanel's session id, action), numbered within the cohort by first arrival (S9).

    `mixpanel_session_id` is empty where Mixpanel sent none. `unclear` says that completeness cannot be known at once
    (S8): then the sweep waits until `settles_at`. `claimed_until` is a worker's claim on the sweep.
    Changes of this session are rows `first_change` to `last_change` of the cohort's log, mixed with those of other
    sessions; 0 for none.

    A refresh that the removal guard held has `held_at`, and how many would have left of how many (`would_leave`,
    `would_leave_of`). Its `decision` is None while it waits, then `approved` or `rejected` by an operator; `agreed` is
    a later refresh that would remove as much again and so went through by itself. `held_for` says why: `removals`, the
    share; `half_unreadable`, more than half of its members could not be read; `none_readable`, nobody could (S4). None
    stands for `removals` in rows from before it was kept.

    An erasure (`sync.erasure`) books each exit on a session of its own, of action `erasure`. Its number is negative: it
    is none of Mixpanel's, and stands outside of the order of S9.
    """

    __tablename__ = "sync_session"
    __table_args__ = (
        UniqueConstraint("cohort_id", "number"),
        # Finds a page's session; not unique, because sessions without an id share the empty one.
        Index("ix_sync_session_identity", "cohort_id", "mixpanel_session_id", "action", "number"),
        # Serves upkeep, supersession and "what is under way"; tiny, because sessions end.
        Index(
            "ix_sync_session_unfinished",
            "cohort_id",
            "number",
            postgresql_where=text(IS_UNFINISHED),
            sqlite_where=text(IS_UNFINISHED),
        ),
        # The dashboard's stretches of time: one cohort's history, and the last day of all.
        Index("ix_sync_session_cohort_started", "cohort_id", "started_at"),
        Index("ix_sync_session_started", "started_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    mixpanel_session_id: Mapped[str] = mapped_column(ExactText)
    action: Mapped[str] = mapped_column(Text)
    connection_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    unclear: Mapped[bool] = mapped_column(Boolean)
    total_pages: Mapped[int | None] = mapped_column(Integer)
    pages_received: Mapped[int] = mapped_column(Integer)
    received: Mapped[int] = mapped_column(BigInteger)
    entered: Mapped[int] = mapped_column(BigInteger)
    left: Mapped[int] = mapped_column("left_count", BigInteger)
    unchanged: Mapped[int] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(BigInteger)
    replayed: Mapped[int] = mapped_column(BigInteger)
    first_change: Mapped[int] = mapped_column(BigInteger)
    last_change: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int] = mapped_column(Moment)
    last_page_at: Mapped[int] = mapped_column(Moment)
    completed_at: Mapped[int | None] = mapped_column(Moment)
    settles_at: Mapped[int | None] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    held_at: Mapped[int | None] = mapped_column(Moment)
    would_leave: Mapped[int | None] = mapped_column(BigInteger)
    would_leave_of: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(Text)
    held_for: Mapped[str | None] = mapped_column(Text)
    replaced: Mapped[int] = mapped_column(BigInteger, server_default="0")  # bytes of its calls that were not UTF-8


class SyncPage(Model):
    """One page of a session, in its latest version (S7, S8).

    `page` is Mixpanel's 1-based number; a page that came without one has a negative number made from its body, which
    makes an equal body a replay. `seen` holds the ids of the people whom the page named (`sync.id_sets`); it is what
    the
    sweep compares with. `rejected_members` is a JSON list of `{"reason", "value"}` (S2), null for none: the
    first of them, see `sync.contract.size_limits`.
    """

    __tablename__ = "sync_page"
    __table_args__ = {"sqlite_with_rowid": False}

    session_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    page: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    received: Mapped[int] = mapped_column(Integer)
    entered: Mapped[int] = mapped_column(Integer)
    left: Mapped[int] = mapped_column("left_count", Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)
    replays: Mapped[int] = mapped_column(Integer)
    applied: Mapped[bool] = mapped_column(Boolean)  # false for a late page of a superseded refresh
    seen: Mapped[bytes] = mapped_column(LargeBinary)
    rejected_members: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)
    received_at: Mapped[int] = mapped_column(Moment)
