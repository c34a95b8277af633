"""What the calls about messages and attempts take and answer; see `blueprints.api.types`. The keys are those of
`destinations.as_json`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from blueprints.api.query_types import Cursor, IdFilter, Limit, Listing
from blueprints.api.types import Next
from blueprints.json_types import Moment, Whole
from destinations.subscriptions import STATES

State = Literal[
    "waiting",
    "sending",
    "applied",
    "accepted",
    "rejected",
    "parked",
    "suppressed",
    "coalesced",
    "uncertain",
    "dead",
]
Replayable = Literal["rejected", "dead", "uncertain", "suppressed"]
StateFilter = Annotated[
    State | UnsetType,
    Meta(
        description="Only in this state.",
        extra={"must": f"one of {', '.join(STATES)}"},
    ),
]


class MessageListing(Listing, kw_only=True):
    """One page of a subscription's messages that pass every given filter."""

    state: StateFilter = UNSET
    distinct_id: IdFilter = ""


class AttemptListing(Struct, kw_only=True):
    """One page of a subscription's calls."""

    cursor: Cursor = ""
    limit: Limit = 100


class MessageShown(Struct):
    """One change for one subscription. `at` is when it happened, `next_at` until when it waits."""

    id: Whole
    kind: Literal["entered", "left", "erased"]
    distinct_id: Annotated[str | None, Meta(description="null where the person is no more.")]
    entry_number: Whole
    state: State
    reason: str | None
    attempts: Whole
    at: Moment
    next_at: Moment | None
    created_at: Moment
    finished_at: Moment | None


class MessagesShown(Struct):
    """One page of the messages, the newest first."""

    data: list[MessageShown]
    next: Next


class AttemptShown(Struct):
    """One call to a destination: how many messages it carried, and what was answered, without secrets. `verdict` is
    null while it is under way."""

    id: Whole
    messages: Whole
    status: int | None
    answer: str | None
    verdict: str | None
    reason: str | None
    started_at: Moment
    duration_ms: Whole | None


class AttemptsShown(Struct):
    """One page of the calls, the newest first."""

    data: list[AttemptShown]
    next: Next


class Replay(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which messages to send again: all of a state, or only those with this reason. `count_only` sends nothing."""

    state: Replayable
    reason: str | None = None
    count_only: bool = False


class Counted(Struct):
    """How many messages wait again, or would."""

    count: Whole
