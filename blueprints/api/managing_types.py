"""What the calls that manage connections and tokens take and answer; see `blueprints.api.types`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from blueprints.json_types import Moment, Whole
from security.token_bounds import LONGEST_DAYS

ShortText = Annotated[str, Meta(max_length=255)]


class PasswordShown(Struct):
    """A live password of a connection, which is not kept itself; the last use is known to the minute."""

    id: Whole
    created_at: Moment
    last_used_at: Moment | None


class ConnectionShown(Struct):
    """A webhook set up in Mixpanel. `projects` are those that it may write; none stands for all."""

    name: str
    enabled: bool
    created_at: Moment
    last_call_at: Moment | None
    projects: list[str]
    passwords: list[PasswordShown]


class ConnectionsShown(Struct):
    """Every connection."""

    data: list[ConnectionShown]


class ConnectionDraft(Struct):
    """A new connection. Its name is in its URL, and never changes."""

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    projects: Annotated[list[ShortText], Meta(max_length=100)] = []


class ConnectionMade(Struct):
    """What Mixpanel needs. The password is in this answer alone."""

    name: str
    url: str
    username: str
    password: str


class PasswordsRetired(Struct):
    """How many older passwords were retired."""

    name: str
    retired: Whole


class TokenShown(Struct):
    """A token without itself, which is not kept; the last use is known to the minute."""

    id: Whole
    name: str
    scope: str
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None
    project_id: str | None
    network: str | None
    exports: bool


class TokensShown(Struct):
    """Every token of the API."""

    data: list[TokenShown]


class TokenDraft(Struct):
    """A new token; `days` until it ends, none for never."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scope: Literal["read", "send", "erase", "deliver", "manage"] = "read"
    days: Annotated[int, Meta(ge=1, le=LONGEST_DAYS)] | None = None
    project_id: Annotated[str, Meta(max_length=100)] = ""
    network: Annotated[str, Meta(max_length=100)] = ""
    exports: bool = True


class TokenMade(Struct):
    """A new token. It is in this answer alone."""

    name: str
    scope: str
    token: str


class TokenRemoved(Struct):
    """Whether the token was there."""

    removed: bool
