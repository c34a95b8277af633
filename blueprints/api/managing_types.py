"""What the calls that manage connections and tokens take and answer; see `blueprints.api.types`."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from blueprints.json_types import Moment, Whole
from security.token_bounds import LONGEST_DAYS, MOST_CALLS

ShortText = Annotated[str, Meta(max_length=255)]
ShortCredential = Annotated[str, Meta(max_length=500)]
Role = Literal["viewer", "operator", "admin"]


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
    calls_per_minute: Whole | None


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
    calls_per_minute: Annotated[int, Meta(ge=1, le=MOST_CALLS)] | None = None


class TokenMade(Struct):
    """A new token. It is in this answer alone."""

    name: str
    scope: str
    token: str


class TokenRemoved(Struct):
    """Whether the token was there."""

    removed: bool


class OperatorShown(Struct):
    """An operator; a second factor is told by when it was set up."""

    id: Whole
    email: str
    role: str
    created_at: Moment
    last_signed_in_at: Moment | None
    second_factor_at: Moment | None


class OperatorsShown(Struct):
    """Every operator."""

    data: list[OperatorShown]


class OperatorDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new operator, and the password that they sign in with."""

    email: ShortText
    password: Annotated[str, Meta(max_length=1000)]
    role: Role = "viewer"


class OperatorChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an operator; every browser of theirs is signed out."""

    role: Role | None = None
    password: Annotated[str, Meta(max_length=1000)] | None = None


class OperatorRemoved(Struct):
    """Who is removed."""

    email: str
    removed: bool


class ProjectDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A Mixpanel project to send to; its credentials are kept encrypted and never shown."""

    name: ShortText
    region: Literal["us", "eu", "in"]
    project_id: ShortText
    token: ShortCredential | None = None
    username: ShortCredential | None = None
    secret: ShortCredential | None = None
    integration_id: ShortCredential = ""
    workspace_id: ShortText = ""


class ProjectChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a project; an empty credential is forgotten."""

    region: Literal["us", "eu", "in"] | None = None
    project_id: ShortText | None = None
    token: ShortCredential | None = None
    username: ShortCredential | None = None
    secret: ShortCredential | None = None
    integration_id: ShortCredential | None = None
    workspace_id: ShortText | None = None


class ProjectRemoved(Struct):
    """Which project is forgotten."""

    name: str
    removed: bool


class DestinationChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings and secrets that are to change, by name; the others stay."""

    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)


class Pause(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why, for whoever looks at it."""

    reason: Annotated[str, Meta(max_length=500)] = ""


class Removal(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether what waits is sent first, and a set is left by whom we put in. Without, what is there stays there."""

    drain: bool = False


class Leaving(Struct):
    """A destination or subscription that a worker removes now."""

    id: Whole
    removed: bool
