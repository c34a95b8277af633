"""What a type of destination declares, and what it answers to the engine. The engine holds no vendor's name.

    DestinationType   a type, described once as data: forms, terminal, API, docs and tests are made from it
    Adapter           one destination of that type, opened with its settings and secrets
    Change            one message as an adapter sees it
    Answer            what came of one call, with a verdict for each change in it

Times are milliseconds since 1970 UTC.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

Family = Literal["level", "edge"]
Once = Literal["A", "B", "C", "T"]
SettingKind = Literal["text", "url", "number", "choice", "flag", "list"]
IdentityKind = Literal["any", "email", "phone"]
Kind = Literal["entered", "left", "erased"]
Outcome = Literal["applied", "accepted", "rejected", "retry", "uncertain"]
RefusalKind = Literal["credentials", "gone", "batch", "size", "throttled", "unavailable", "unknown"]

# The plan of Standard Webhooks 1.0: ten tries in about 75 hours. Seconds from one try to the next.
WEBHOOK_PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Of other APIs: quickly at first, then every 15 minutes for a day.
API_PAUSES = (10, 30, 60, 120, 300, 600, *(900,) * 94)


@dataclass(frozen=True)
class Setting:
    """One setting of a type. A `secret` one is sealed and never shown again. `words` labels it, `help` says where it
    is found in the vendor's product. `default` is its value where none is given; `{cohort}` in it stands for the
    cohort's name in letters, digits and underscores. A `list` is of numbers. `make` makes a secret that is ours to
    choose: it is not asked for, is shown once, and made anew on rotation; the one before stays live for a time."""

    name: str
    words: str
    kind: SettingKind = "text"
    help: str = ""
    required: bool = False
    secret: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    example: str = ""
    least: float | None = None
    most: float | None = None
    pattern: str = ""  # what a text must match as a whole, a regular expression
    make: "Callable[[], str] | None" = None


@dataclass(frozen=True)
class Budget:
    """What a vendor allows for one credential: calls a second, and calls at once."""

    rate: float
    concurrency: int


@dataclass(frozen=True)
class DestinationType:
    """A type of destination.

    `family`: `level` keeps a set of identities, `edge` is told of events. `once` is what "once" means at the far end:
    A natural (a repeat changes nothing), B keyed (a repeat within `window` seconds is dropped there), C none, T in one
    transaction with its position. `identities` are the kinds of identity that it takes. At most `batch` changes and
    `body_bytes` bytes go into one call; `batch_setting` names the setting that lowers that. `success` is the state that
    a good answer proves: `accepted` where the vendor only says that it got it. `one_subscription`: its settings name
    one set, so a second cohort would be mixed into the first. `human`: a message reaches a person. `carries_fields`:
    fields of a person may go with a change. `reads_back`: `Adapter` is `Readable`; `erases`: it is `Erasing`.
    `deletes_people`: `erase` deletes more than we have told, which cannot be undone, so that it is asked for with the
    setting `delete_on_erasure`.
    `extra` names the optional dependency that it needs. `open` makes the adapter of a destination. `base_url` is a
    vendor's own address: where it is given (or a setting of this name), the setting `base_url` may replace it.
    """

    name: str
    words: str
    help: str
    family: Family
    once: Once
    settings: tuple[Setting, ...]
    open: "Callable[[Opened], Adapter]"
    budget: Budget
    retry_seconds: tuple[int, ...] = API_PAUSES
    identities: tuple[IdentityKind, ...] = ("any",)
    batch: int = 1
    batch_setting: str = ""
    body_bytes: int | None = None
    window: int | None = None
    success: Literal["applied", "accepted"] = "applied"
    one_subscription: bool = False
    human: bool = False
    carries_fields: bool = False
    reads_back: bool = False
    erases: bool = False
    deletes_people: bool = False
    extra: str = ""
    promise: str = ""  # what "once" means here, in a sentence for people
    base_url: str = ""

    def setting(self, name: str) -> Setting | None:
        """Return the setting of this name."""
        return next((setting for setting in self.settings if setting.name == name), None)


@dataclass(frozen=True)
class Opened:
    """What an adapter is opened with. `settings` have every setting's value, `secrets` every secret's (a list of
    values where several are live, the newest first). `private` says whether private and loopback addresses may be
    called (ALLOW_PRIVATE_DESTINATIONS). `resources` are what else a type of ours may use, by name: `mixpanel`, say."""

    destination: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, Sequence[str]]
    clock: Callable[[], int]
    private: bool = False
    resources: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Feed:
    """The subscription whose changes a call carries. `slug` is the cohort's name in letters, digits, underscores."""

    subscription_id: int
    project_id: str
    cohort_id: str
    cohort_name: str

    @property
    def slug(self) -> str:
        """Return the cohort's name as a name for machines, its id where no letter is left."""
        return slug(self.cohort_name) or f"cohort_{self.cohort_id}"


def slug(name: str) -> str:
    """Return a name in small letters, digits and underscores; empty where none of it can stay."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.lower())
    return "_".join(filter(None, kept.split("_")))


class Change(msgspec.Struct, frozen=True):
    """One message. `key` is the same over all its attempts (`dlv_…`). `identity` is valid and normalised. `vendor_id`
    is what an earlier verdict told us to remember of this identity. `position` grows along the cohort's log; 0 stands
    for what is not from the log (a backfill, a changed identity, a reconciliation) and for what is sent anew as the
    present has it (a replay to a set), so that it never seems older than what was told since. `first_tried_at` is null
    at the first attempt."""

    id: int
    key: str
    kind: Kind
    identity: str
    distinct_id: str
    entry_number: int
    session_id: int
    at: int
    position: int = 0
    fields: Mapping[str, Any] = msgspec.field(default_factory=dict)
    vendor_id: str | None = None
    first_tried_at: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What became of one change. `reason` groups equal ones (`invalid_email`), `told` is a sentence for people.
    Neither holds member data."""

    outcome: Outcome
    reason: str = ""
    told: str = ""
    vendor_id: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why a call as a whole came to nothing.

    `credentials`, `gone` (the set or the endpoint is not there any more): the destination waits for a person. `batch`:
    something in it is refused and the vendor does not say what; it is cut in halves. `size`: likewise. `throttled`: a
    schedule, not a failure; it uses up no attempt. `unavailable`: try again by the plan. `unknown`: nobody knows
    whether it was applied. `wait` is in seconds, from the vendor's headers.
    """

    kind: RefusalKind
    reason: str
    told: str
    wait: float | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one call: a verdict by id of each change, or the refusal of all; where there are both, the refusal
    is of those without a verdict. `text` is the vendor's answer, at most 2 KB, without secrets and identities. Without
    a refusal a change that is not named is uncertain."""

    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    refusal: Refusal | None = None
    status: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Check:
    """Whether a destination can be used with these settings, tried without changing anything there."""

    ok: bool
    told: str


class Adapter(Protocol):
    """One destination. A worker's thread has its own."""

    def check(self) -> Check:
        """Try the settings and secrets without changing anything there, as far as the vendor lets us."""

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Tell it of changes, at most one for each identity. Raises nothing for what the far end does."""

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        """Return the body that `send` would send, as text, without secrets."""

    def close(self) -> None:
        """Give back sockets and connections."""


@runtime_checkable
class Readable(Protocol):
    """An adapter whose set can be read."""

    def members(self, feed: Feed) -> Iterator[str]:
        """Yield the identities that are in the set there."""


@runtime_checkable
class Erasing(Protocol):
    """An adapter that can be told to forget somebody."""

    def erase(self, feed: Feed, change: Change) -> Answer:
        """Have the far end forget this identity."""
