"""What the calls about destinations, subscriptions and their messages take and answer; see `blueprints.api.types`. The
keys are those of `destinations.as_json`."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from blueprints.api.query_types import IdFilter, Listing
from blueprints.api.types import Next
from blueprints.json_types import Moment, Whole
from destinations.subscriptions import GUARD_PERCENT


class SettingType(Struct):
    """A setting of a type; a `secret` one goes among the secrets. `made`: it is a secret that we make."""

    name: str
    words: str
    kind: str
    help: str
    required: bool
    secret: bool
    made: bool
    default: Any
    choices: list[str]
    example: str
    least: float | None
    most: float | None


class DestinationKind(Struct):
    """A type of destination. `family` is `level` (it keeps a set) or `edge` (it is told of events); `promise` says what
    `once` means there."""

    name: str
    words: str
    help: str
    family: str
    once: str
    promise: str
    batch: Whole
    window: Whole | None
    success: str
    human: bool
    carries_fields: bool
    one_subscription: bool
    reads_back: bool
    erases: bool
    identities: list[str]
    settings: list[SettingType]


class DestinationKinds(Struct):
    """Every type of destination."""

    data: list[DestinationKind]


class DestinationShown(Struct):
    """A destination without its secrets. A pause has a `cause`: hand, credentials, gone or failing."""

    name: str
    type: str
    family: str | None
    settings: dict[str, Any]
    has_secrets: bool
    status: Literal["active", "paused", "draining"]
    cause: str | None
    reason: str | None
    paused_at: Moment | None
    probe_at: Moment | None
    failing_since: Moment | None
    failures: Whole
    succeeded_at: Moment | None
    wait_until: Moment | None
    checked_at: Moment | None
    check_told: str | None
    created_at: Moment
    updated_at: Moment


class DestinationsShown(Struct):
    """Every destination, by name."""

    data: list[DestinationShown]


class DestinationDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A destination to make: its settings and secrets by name."""

    name: str
    type: str
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)


class DestinationMade(Struct):
    """A destination that was made. `secret` is one that we have made for it: it is shown now and never again."""

    name: str
    type: str
    secret: str | UnsetType = UNSET


class SubscriptionDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """One cohort into one destination. `cohort` may be PROJECT/COHORT, in place of both ids."""

    destination: str
    project_id: str = ""
    cohort_id: str = ""
    cohort: str = ""
    identity: str = "distinct_id"
    country: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    on: Literal["both", "entered", "left"] = "both"
    reentry: str = "each"
    start: Literal["", "now", "present"] = ""
    report: str = ""
    guard_percent: Annotated[int, Meta(ge=0, le=100)] = GUARD_PERCENT


class TermsChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Terms that are to change; null or left out, one stays. An empty `report` reports nothing any more."""

    fields: dict[str, str] | None = None
    reentry: str | None = None
    report: str | None = None
    guard_percent: Annotated[int, Meta(ge=0, le=100)] | None = None


class Counts(Struct):
    """Messages by state; together they are all messages of the subscription."""

    waiting: Whole
    sending: Whole
    applied: Whole
    accepted: Whole
    rejected: Whole
    parked: Whole
    suppressed: Whole
    coalesced: Whole
    uncertain: Whole
    dead: Whole


class SubscriptionShown(Struct):
    """A subscription and how it stands. `behind` counts changes that are not planned yet."""

    id: Whole
    destination: str
    type: str
    project_id: str
    cohort_id: str
    cohort_name: str
    identity: str
    country: str | None
    fields: dict[str, str]
    start: str
    reentry: str
    on: str
    report: str | None
    guard_percent: Whole
    status: Literal["backfilling", "active", "paused", "failing", "draining", "leaving"]
    reason: str | None
    counts: Counts
    behind: Whole
    backfill_total: Whole | None
    backfill_planned: Whole
    held: Annotated[Whole, Meta(description="Of those that wait, how many the removal guard holds.")]
    held_at: Moment | None
    oldest_waiting_at: Moment | None
    created_at: Moment


class SubscriptionsShown(Struct):
    """One page of the subscriptions, by id."""

    data: list[SubscriptionShown]
    next: Next


class SubscriptionListing(Listing, kw_only=True):
    """One page of the subscriptions that pass every given filter."""

    project_id: IdFilter = ""


class Chosen(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom a test tells of; somebody who is in, where nobody is named."""

    distinct_id: str = ""


class Tested(Struct):
    """What came of a test: `told` says it for people."""

    distinct_id: str
    attempt: Whole
    outcome: str
    told: str
    status: int | None
    answer: str


class Repair(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether the far end is also told of the difference."""

    repair: bool = False


class Compared(Struct):
    """How a set differs from who should be in it: `missing` there, `extra` there though we put them in, `strangers`
    whom we never added. `samples` are masked, `repaired` counts the messages that will change it."""

    wanted: Whole
    there: Whole
    missing: Whole
    extra: Whole
    strangers: Whole
    repaired: Whole
    samples: dict[str, list[str]]
