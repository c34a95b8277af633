"""Who may call us: Mixpanel's webhook connections with their live passwords, and the tokens of the JSON API.

Passwords and tokens are made by us from 256 random bits and shown once; only a keyed digest is stored.
"""

from sqlalchemy import BigInteger, Boolean, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class Connection(Model):
    """One webhook set up in Mixpanel. Its name is in the URL and is the username, so it never changes. `projects` is a
    JSON list of the Mixpanel projects whose cohorts it may write, null for all. `keeps` is what is kept of arriving
    profiles (`models.profile_choice`), null for everything."""

    __tablename__ = "connection"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    enabled: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(Moment)
    projects: Mapped[str | None] = mapped_column(Text)
    keeps: Mapped[str | None] = mapped_column(ExactText)


class ConnectionPassword(Model):
    """One live password of a connection; several may be live at once, so that a rotation never needs a new URL."""

    __tablename__ = "connection_password"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), index=True)  # read at every call
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation
    created_at: Mapped[int] = mapped_column(Moment)
    last_used_at: Mapped[int | None] = mapped_column(Moment)  # to the minute; see security.webhook
    retired_at: Mapped[int | None] = mapped_column(Moment)


class ApiToken(Model):
    """A token of the JSON API; the scope says what it opens (`read`, `send`, `erase`, `deliver`,
    `manage`)."""

    __tablename__ = "api_token"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    scope: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # the way a bearer token is found
    key_id: Mapped[int | None] = mapped_column(BigInteger)  # whose the digest is; null before the first rotation
    created_at: Mapped[int] = mapped_column(Moment)
    last_used_at: Mapped[int | None] = mapped_column(Moment)
    expires_at: Mapped[int | None] = mapped_column(Moment)  # what narrows it: see security.token_bounds
    project_id: Mapped[str | None] = mapped_column(ExactText)
    network: Mapped[str | None] = mapped_column(Text)
    without_exports: Mapped[bool | None] = mapped_column(Boolean)
    calls_per_minute: Mapped[int | None] = mapped_column(BigInteger)
