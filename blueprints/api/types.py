"""What the API answers. These types encode every answer, and make `openapi.json`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from blueprints.json_types import Json, Moment, Whole
from blueprints.members import Member
from sync.sweep.held import Reason

Next = Annotated[str | None, Meta(description="Cursor of the next page; null on the last one.")]
Action = Literal["members", "add_members", "remove_members", "erasure"]
Unfinished = Literal["receiving", "settling", "sweeping", "stalled", "held"]
SessionStatus = Literal["receiving", "settling", "sweeping", "complete", "superseded", "stalled", "held"]


class Cohort(Struct):
    """A Mixpanel cohort as it is stored now. `version` grows with every change of its members or its name."""

    project_id: str
    cohort_id: str
    name: str
    description: str
    member_count: Whole
    first_synced_at: Moment | None
    last_synced_at: Moment | None
    status: Annotated[
        Literal["in_step", "receiving", "settling", "sweeping", "stalled", "held"],
        Meta(description="`in_step` with Mixpanel, or how far the export that is under way has come."),
    ]
    version: Whole


class Cohorts(Struct):
    """One page of the cohorts."""

    data: list[Cohort]
    next: Next


class Members(Struct):
    """One page of a cohort's members."""

    data: list[Member]
    next: Next


class Change(Struct):
    """One entry or exit. `id` counts within the cohort, `session_id` is the `id` of a session."""

    id: Whole
    kind: Literal["entered", "left"]
    distinct_id: str
    entry_number: Whole
    session_id: Whole
    at: Moment
    erased: Annotated[
        Literal[True] | UnsetType, Meta(description="Only of a person who was erased: `distinct_id` is random.")
    ] = UNSET
    entered_id: Annotated[
        Whole | UnsetType, Meta(description="Only of the exit of an erased person: the `id` of their `entered`.")
    ] = UNSET


class Changes(Struct):
    """Changes in the order in which they were committed."""

    data: list[Change]
    next: Annotated[str, Meta(description="Cursor to come back with, also when nothing new has happened.")]
    gone_to: Annotated[
        Whole | UnsetType,
        Meta(description="Only where stays are past their retention: up to this `id`, those that ended are gone."),
    ] = UNSET


class Stay(Struct):
    """One stay of a person in a cohort, under the cohort's present name."""

    project_id: str
    cohort_id: str
    cohort_name: str
    entry_number: Whole
    entered_at: Moment
    left_at: Annotated[Moment | None, Meta(description="null while the person is in.")]
    entered_session_id: Whole
    left_session_id: Whole | None


class Person(Struct):
    """A person of a Mixpanel project, and every stay in every cohort, the oldest first."""

    project_id: str
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: Json
    stays: list[Stay]


class Erased(Struct):
    """The proof that a person was erased: what went, by kind. The id itself is kept nowhere."""

    id: Whole
    project_id: str
    erased_at: Moment
    who: Annotated[str, Meta(description="The operator, the token, or `terminal`.")]
    counts: dict[str, Whole]
    note: Annotated[str, Meta(description="What Mixpanel may bring back, and what to do about it.")]


class Session(Struct):
    """One Mixpanel export, or the exit of a person who was erased (action `erasure`). `id` is ours; `cohort_id` and
    `session_id` are Mixpanel's, the latter null if it sent none."""

    id: Whole
    project_id: str
    cohort_id: str
    session_id: str | None
    action: Action
    status: SessionStatus
    total_pages: Whole | None
    pages_received: Whole
    received: Whole
    entered: Whole
    left: Whole
    unchanged: Whole
    rejected: Whole
    replayed: Whole
    started_at: Moment
    last_page_at: Moment
    completed_at: Moment | None


class Sessions(Struct):
    """One page of the sessions, the newest first."""

    data: list[Session]
    next: Next


class RejectedMember(Struct):
    """A member of a page that cannot be kept: why, and what stood there."""

    reason: str
    value: str


class RejectedMemberOfPage(RejectedMember):
    """A rejected member and the page that it came in, null for one without a number."""

    page: Whole | None


class RejectedMembers(Struct):
    """One page of a session's rejected members."""

    data: list[RejectedMemberOfPage]
    next: Next


class Page(Struct):
    """One page of a session, in its latest version."""

    page: Annotated[Whole | None, Meta(description="null for a page that came without a number.")]
    received: Whole
    entered: Whole
    left: Whole
    unchanged: Whole
    rejected: Whole
    replays: Whole
    received_at: Moment
    applied: Annotated[bool, Meta(description="false for a late page of a session that a newer one has overtaken.")]
    rejected_members: Annotated[
        list[RejectedMember], Meta(description="The first of them; all that are kept are in `/sessions/{id}/rejected`.")
    ]


class SessionWithPages(Session):
    """One Mixpanel export with its pages; old sessions' pages are removed after a while."""

    held_for: Annotated[
        Reason | None,
        Meta(
            description="Why it is or was held until an operator decides: it would remove more than the removal guard "
            "allows, or more than half or all of its members could not be read. null where it never was."
        ),
    ]
    replaced_bytes: Annotated[Whole, Meta(description="Bytes of its calls that were not UTF-8 and were replaced.")]
    pages: list[Page]
    missing_pages: Annotated[
        list[tuple[Whole, Whole]] | None,
        Meta(description="Ranges, first and last page; null where the pages were removed before they were all here."),
    ]


class Failure(Struct):
    """A call that we refused or could not apply, with what we answered; repeats share a row."""

    id: Whole
    at: Moment
    last_at: Moment
    count: Whole
    connection: str | None
    project_id: str | None
    cohort_id: str | None
    action: str | None
    status: Whole
    cause: str
    message: str
    request_id: str
    body_bytes: Whole | None


class Failures(Struct):
    """One page of the failures, the newest first."""

    data: list[Failure]
    next: Next


class ErrorDetail(Struct):
    """One plain sentence, and the HTTP status once more."""

    message: str
    code: Annotated[int, Meta(ge=400, le=599)]


class Error(Struct):
    """What every call answers that cannot be served."""

    error: ErrorDetail
