"""What the API takes in a query. These types check every query, and make `openapi.json`; `must` completes the sentence
that refuses a wrong value."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from blueprints.api.types import SessionStatus

Limit = Annotated[
    int, Meta(ge=1, le=1000, description="Rows of a page, at most.", extra={"must": "a whole number from 1 to 1000"})
]
Cursor = Annotated[
    str,
    Meta(
        description="`next` of an earlier answer; empty for the first page.",
        pattern=r"^[A-Za-z0-9_-]*$",
        extra={"must": "the next of an earlier answer to this call"},
    ),
]
After = Annotated[
    str,
    Meta(
        description="`next` of an earlier answer, or the `id` of a change; empty for the beginning.",
        pattern=r"^([0-9]+(-[0-9]+)?)?$",
        extra={"must": "the next of an earlier answer about this cohort"},
    ),
]
IdFilter = Annotated[
    str,
    Meta(
        description="Only of this one; empty for all.",
        pattern=r"^[^\x00]*$",
        extra={"must": "text without NUL characters"},
    ),
]
StatusFilter = Annotated[
    SessionStatus | UnsetType,
    Meta(
        description="Only in this state.",
        extra={"must": "one of receiving, settling, sweeping, complete, superseded, stalled, held"},
    ),
]


class NoQuery(Struct, kw_only=True):
    """A call without parameters."""


class Listing(Struct, kw_only=True):
    """One page of a list."""

    limit: Limit = 100
    cursor: Cursor = ""


class ChangesAfter(Struct, kw_only=True):
    """The changes that follow one."""

    after: After = ""
    limit: Limit = 100


class RejectedListing(Struct, kw_only=True):
    """One page of a session's rejected members, a hundred of them."""

    cursor: Cursor = ""


class SessionListing(Listing, kw_only=True):
    """One page of the sessions that pass every given filter."""

    project_id: IdFilter = ""
    cohort_id: IdFilter = ""
    status: StatusFilter = UNSET
