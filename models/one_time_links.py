"""Links that work once: an invitation, or a new password for somebody who has lost theirs."""

from sqlalchemy import BigInteger, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class OneTimeLink(Model):
    """A link that has not been used. `digest` is a keyed digest of the secret in its address.

    `kind` is invitation or password. An invitation has the `role` that it gives, a password link the `operator_id` and
    their `sign_ins` at that time: where that is another number by now, it is void. So is a link whose maker
    (`made_by_id`) is no admin any more.
    """

    __tablename__ = "one_time_link"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation
    kind: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(ExactText, index=True)
    role: Mapped[str | None] = mapped_column(Text)
    operator_id: Mapped[int | None] = mapped_column(BigId)
    sign_ins: Mapped[int | None] = mapped_column(Integer)
    made_by_id: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[int] = mapped_column(Moment)
    expires_at: Mapped[int] = mapped_column(Moment)
