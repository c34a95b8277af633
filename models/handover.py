"""What a request leaves for the next page of the same operator, for minutes."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import BigId, Moment
from models.database import Model


class Handover(Model):
    """A search, a form as it was typed, or a password that is shown once (`security.handover`).

    `digest` is a keyed digest of the operator and of the key that stands in the address; `sealed` opens with SECRET_KEY
    only.
    """

    __tablename__ = "handover"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[int] = mapped_column(BigId)
    at: Mapped[int] = mapped_column(Moment)
    expires_at: Mapped[int] = mapped_column(Moment)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
