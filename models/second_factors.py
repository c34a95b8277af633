"""What operators sign in with beside their password."""

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, Moment
from models.database import Model


class Authenticator(Model):
    """The secret that an operator's authenticator app makes its codes of (TOTP); `sealed` opens with SECRET_KEY only.

    `confirmed_at` is null until a first code has shown that the app has it. `last_step` is the time step of the newest
    code that was taken: it and all before it are used up.
    """

    __tablename__ = "authenticator"

    operator_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(Moment)
    confirmed_at: Mapped[int | None] = mapped_column(Moment)
    last_step: Mapped[int | None] = mapped_column(Moment)


class RecoveryCode(Model):
    """A code that has not been used, which lets its operator in once. `digest` is a keyed digest of both."""

    __tablename__ = "recovery_code"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    operator_id: Mapped[int] = mapped_column(BigId, index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation


class Passkey(Model):
    """A key pair of an operator's device (WebAuthn), of which we have the public half: nothing here opens anything.

    `key` is the public key as COSE. `uses` is the count that the device told last; most tell 0 for ever.
    """

    __tablename__ = "passkey"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    operator_id: Mapped[int] = mapped_column(BigId, index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    uses: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(Moment)
    last_used_at: Mapped[int | None] = mapped_column(Moment)
