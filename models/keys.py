"""Which SECRET_KEY the database was filled with, so that another one is noticed."""

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import Moment
from models.database import Model


class SecretKeyCheck(Model):
    """The only row, number 1: a digest under the key, which tells whether a key is the same and nothing else of it.

    `names_digest` is the same of the key under which messages are named, where that is an earlier one: what was sent
    once has the same name after a rotation.
    """

    __tablename__ = "secret_key_check"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    names_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    since: Mapped[int] = mapped_column(Moment)
