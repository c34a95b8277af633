"""What the calls about sending take and answer; see `blueprints.api.types`."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from blueprints.api.query_types import IdFilter, Listing
from blueprints.api.types import Next
from blueprints.json_types import Moment, Whole

Verdict = Literal["accepted", "partly", "rejected", "uncertain", "failed"]
VerdictFilter = Annotated[
    str,
    Meta(
        description="Only with this verdict; `open` for those under way.",
        pattern=r"^(accepted|partly|rejected|uncertain|failed|open)?$",
        extra={"must": "one of accepted, partly, rejected, uncertain, failed, open"},
    ),
]


class ParameterType(Struct):
    """Something that a call may be given; `place` is where it goes."""

    name: str
    place: str
    kind: str
    words: str
    help: str
    required: bool
    choices: list[str]
    default: Any
    least: int | None
    most: int | None
    aliases: list[str]


class ExampleType(Struct):
    """Something to begin with; {now}, {today} and {month_ago} stand for times."""

    words: str
    params: dict[str, Any]
    body: Any


class OperationType(Struct):
    """One of Mixpanel's calls, as data. `repeat` is `never` where sending twice may count twice; `empty` are the
    statuses whose empty body is a success."""

    id: str
    name: str
    words: str
    group: str
    family: str
    method: str
    path: str
    auth: list[str]
    body: str
    record: str | None
    operator: str | None
    answer: str
    shape: str
    empty: list[int]
    repeat: str
    budget: str | None
    writes: bool
    note: str
    aliases: list[str]
    params: list[ParameterType]
    examples: list[ExampleType]


class OperationTypes(Struct):
    """Every operation."""

    data: list[OperationType]


class ProjectType(Struct):
    """A Mixpanel project that can be called, without its credentials."""

    name: str
    region: str
    project_id: str
    has_token: bool
    has_service_account: bool


class ProjectTypes(Struct):
    """Every project, by name."""

    data: list[ProjectType]


class MaySend(Struct):
    """Whose token may send, and to which project."""

    token: str
    project: str


class Sending(Struct, kw_only=True):
    """What to send. `body` is a record, a list of records, or CSV as a text; without it the parameters make one
    record. `force` sends also what is only advised against."""

    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    force: bool = False


class FailedRecordType(Struct):
    """A record that Mixpanel did not take; `index` counts from 0."""

    index: Whole
    insert_id: str | None
    field: str | None
    message: str


class Sent(Struct):
    """What became of a call, also in `words`. `status` is the last HTTP status, null where no answer came. Where
    Mixpanel's limits left no room, nothing was sent, and `frees_at` is when there is room again (null where that
    depends on calls under way)."""

    delivery: Whole
    verdict: Verdict
    accepted: Whole
    failed_records: list[FailedRecordType]
    words: str
    frees_at: Moment | None
    attempts: Whole
    status: int | None
    answer: Any


class UnderWay(Struct):
    """A call that goes on: `at` is where to look for what becomes of it."""

    delivery: Whole
    at: str


HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        "A name of your own for this call, 1 to 255 signs of ASCII: it is made once, however often it is sent.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    ),
    "Prefer": ("`respond-async`: do not wait for what becomes of it.", {"type": "string", "enum": ["respond-async"]}),
}


class DeliveryListing(Listing, kw_only=True):
    """One page of the calls that pass every given filter."""

    project: IdFilter = ""
    operation: IdFilter = ""
    verdict: VerdictFilter = ""


class DeliveryType(Struct):
    """A call to Mixpanel. `verdict` is null while it is under way."""

    id: Whole
    at: Moment
    project: str
    operation: str
    who: str
    source: str
    records: Whole
    verdict: Verdict | None
    words: str | None
    accepted: Whole | None
    failed: Whole | None
    attempts: Whole
    status: int | None
    duration_ms: Whole | None


class DeliveryTypes(Struct):
    """One page of the calls, the newest first."""

    data: list[DeliveryType]
    next: Next


class LongAnswer(Struct):
    """How far a long answer is: `size` in bytes. `state` is null while it comes; `is_at_hand` says whether all that
    came can be downloaded."""

    size: Whole
    records: Whole | None
    state: Literal["whole", "broken", "cancelled"] | None
    is_cancelled: bool
    is_at_hand: bool


class WholeDelivery(DeliveryType):
    """A call with its request (credentials masked), its tries and its answer; long texts are cut. `long_answer` is null
    where the answer is short, or nothing of it has come."""

    request: dict[str, Any]
    trail: list[dict[str, Any]]
    failed_records: list[FailedRecordType]
    answer: Any
    long_answer: LongAnswer | None
