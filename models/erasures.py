"""Erasures: the proof that everything about a person was erased, without the person's id."""

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class Erasure(Model):
    """One person's erasure. `digest` is a keyed digest of project and distinct id (`erasure.records`): whoever has the
    id and the relay's SECRET_KEY can tell that it was erased, nobody can read the id from it.

    `counts` is a JSON object of what went, by kind. `erased_at` is written last: a row without one was interrupted, and
    the same erasure asked for again goes on with it.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        Index("ix_erasure_digest", "digest", "id"),
        Index(
            "ix_erasure_open",
            "digest",
            unique=True,
            postgresql_where=text("erased_at IS NULL"),
            sqlite_where=text("erased_at IS NULL"),
        ),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asked_at: Mapped[int] = mapped_column(Moment)
    erased_at: Mapped[int | None] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(ExactText)
    project_id: Mapped[str] = mapped_column(ExactText)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation
    counts: Mapped[str] = mapped_column(ExactText)
