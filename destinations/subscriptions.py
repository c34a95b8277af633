"""Subscriptions: one cohort into one destination, and how each of them stands."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations import destinations, registry
from destinations.contract import DestinationType, Feed
from destinations.destinations import Destination
from destinations.identity import BROUGHT_BY, IdentityRule
from destinations.identity import rule as identity_rule
from destinations.settings import WrongSettings, would_mix, wrong_fields
from models.profile_choice import of_column

STATES = (
    *("waiting", "sending", "applied", "accepted", "rejected"),
    *("parked", "suppressed", "coalesced", "uncertain", "dead"),
)
KINDS = ("both", "entered", "left")
STARTS = ("now", "present")
GUARD_PERCENT = 50  # of what a set is known to hold, removed at once: more than that waits for a person
FAILING = {"credentials", "gone", "failing"}  # causes for which a destination paused by itself
MOST = 2**31 - 1  # subscriptions of a list without a limit
_REENTRY = re.compile(r"each|once|cooloff:[1-9][0-9]{0,8}")
_EVENT = re.compile(r"[^\x00-\x1f]{1,255}")

_ADD = text("""
    INSERT INTO subscription (destination_id, cohort_id, identity, country, fields, kinds, reentry, start, report_event,
        guard_percent, status, position, start_position, backfill_after, backfill_total, profiles_version, looked_at,
        created_at)
    VALUES (:destination_id, :cohort_id, :identity, :country, :fields, :kinds, :reentry, :start, :report_event,
        :guard_percent, 'active', :position, :position, :backfill_after, :backfill_total, :profiles_version, :now, :now)
    RETURNING id""")
_COUNTS = text("INSERT INTO subscription_counts (subscription_id) VALUES (:id)")
_COHORT = text("""
    SELECT id, name, change_count, member_count, version, mixpanel_cohort_id FROM cohort
    WHERE project_id = :project_id AND mixpanel_cohort_id = :cohort_id""")
_OTHERS = text("""
    SELECT c.id, c.name FROM subscription s JOIN cohort c ON c.id = s.cohort_id WHERE s.destination_id = :id""")
_SELECT = f"""
    SELECT s.id, s.destination_id, d.name AS destination, d.type, d.status AS destination_status,
        d.cause AS destination_cause, s.cohort_id AS cohort, c.project_id, c.mixpanel_cohort_id AS cohort_id,
        c.name AS cohort_name, s.identity, s.country, s.fields, s.kinds, s.reentry, s.start, s.report_event,
        s.guard_percent, s.status AS stored_status, s.reason, s.position, s.start_position, s.backfill_after,
        s.backfill_end, s.backfill_total, s.backfill_planned, s.generation, s.held_at, s.held, s.created_at,
        {BROUGHT_BY.format("s.cohort_id")} AS keeps, c.change_count - s.position AS behind,
        {", ".join(f"n.{state}" for state in STATES)}
    FROM subscription s JOIN destination d ON d.id = s.destination_id JOIN cohort c ON c.id = s.cohort_id
    JOIN subscription_counts n ON n.subscription_id = s.id"""  # noqa: S608 - our own words
_LIST = text(f"""{_SELECT}
    WHERE s.id > :after AND :destination IN (0, s.destination_id) AND :project_id IN ('', c.project_id)
    ORDER BY s.id LIMIT :limit""")
_OF_COHORT = text(f"{_SELECT} WHERE s.cohort_id = :cohort ORDER BY s.id")
_BY_ID = text(f"{_SELECT} WHERE s.id = :id")
_OLDEST = text("""
    SELECT created_at FROM message WHERE subscription_id = :id AND state = 'waiting' ORDER BY id LIMIT 1""")
_PAUSE = text("""
    UPDATE subscription SET status = 'paused', reason = :reason, paused_at = :now
    WHERE id = :id AND status = 'active'""")
_RESUME = text("""
    UPDATE subscription SET status = 'active', reason = NULL, paused_at = NULL
    WHERE id = :id AND status = 'paused'""")
_REMOVE = text("UPDATE subscription SET status = :status, reason = NULL WHERE id = :id AND status <> 'leaving'")
_NEXT_GENERATION = text("UPDATE subscription SET generation = generation + 1 WHERE id = :id RETURNING generation")
_CANCEL = text("""
    UPDATE subscription SET backfill_after = NULL, backfill_end = position
    WHERE id = :id AND backfill_after IS NOT NULL""")


@dataclass(frozen=True)
class NewSubscription:
    """A subscription as a form or the terminal gives it; an empty `start` is the default of the type's family."""

    destination: str
    project_id: str
    cohort_id: str
    identity: str = "distinct_id"
    country: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    kinds: str = "both"
    reentry: str = "each"
    start: str = ""
    report_event: str = ""
    guard_percent: int = GUARD_PERCENT


@dataclass(frozen=True)
class Subscription:
    """A subscription and how it stands. `cohort` is our own id of it, `cohort_id` Mixpanel's. `behind` counts the
    changes of the log that are not planned yet, `counts` the messages by state. `held` of those that wait are held by
    the removal guard."""

    id: int
    destination_id: int
    destination: str
    type: str
    destination_status: str
    destination_cause: str | None
    cohort: int
    project_id: str
    cohort_id: str
    cohort_name: str
    identity: str
    country: str | None
    fields: dict[str, str]
    kinds: str
    reentry: str
    start: str
    report_event: str | None
    guard_percent: int
    stored_status: str
    reason: str | None
    position: int
    start_position: int
    backfill_after: int | None
    backfill_end: int | None
    backfill_total: int | None
    backfill_planned: int
    generation: int
    held_at: int | None
    held: int
    created_at: int
    behind: int
    keeps: str | None
    counts: dict[str, int]

    @property
    def is_going(self) -> bool:
        """Tell whether it is on its way out, where it can only be hurried."""
        return self.stored_status in {"draining", "leaving"}

    @property
    def status(self) -> str:
        """Return backfilling, active, paused or failing; draining or leaving on its way out."""
        if not self.is_going and self.destination_status == "paused":
            return "failing" if self.destination_cause in FAILING else "paused"
        if self.stored_status == "active" and self.backfill_after is not None:
            return "backfilling"
        return self.stored_status

    @property
    def may_plan(self) -> bool:
        """Tell whether messages are made of it: not while a person is waited for. A destination that fails is tried
        with some of them again and again."""
        there = self.destination_status == "active" or self.destination_cause == "failing"
        return there and self.stored_status == "active"

    @property
    def kind(self) -> DestinationType:
        """Return its destination's type. Raises KeyError."""
        return registry.type_of(self.type)

    @property
    def feed(self) -> Feed:
        """Return it as adapters see it."""
        return Feed(self.id, self.project_id, self.cohort_id, self.cohort_name)

    @property
    def cooloff(self) -> int | None:
        """Return milliseconds that must lie between two entries; None where another rule holds."""
        return int(self.reentry.removeprefix("cooloff:")) * 1000 if self.reentry.startswith("cooloff:") else None

    def rule(self) -> IdentityRule:
        """Return how identities are made."""
        made = identity_rule(self.kind, self.identity, self.country)
        return made if self.keeps is None else replace(made, way=made.way_of(of_column(self.keeps)))


def add(db: Connection, draft: NewSubscription, now: int) -> int:
    """Return the new subscription's id. Where it starts in the log and who is in at that moment are one read. Raises
    WrongSettings, whose errors are by field."""
    destination = destinations.by_name(db, draft.destination)
    if destination is None or destination.status == "draining":
        raise WrongSettings({"destination": f"There is no destination {draft.destination[:100]}."})
    destinations.locked(db, destination.id)
    kind = destination.kind
    cohort = db.execute(_COHORT, {"project_id": draft.project_id, "cohort_id": draft.cohort_id}).one_or_none()
    errors = _errors(kind, draft) | _cohort_errors(db, destination, cohort)
    if errors or cohort is None:
        raise WrongSettings(errors)
    start = draft.start or ("present" if kind.family == "level" else "now")
    present = start == "present"
    values = {
        "destination_id": destination.id,
        "cohort_id": cohort.id,
        "identity": draft.identity,
        "country": draft.country or None,
        "fields": json.dumps(dict(draft.fields)),
        "kinds": draft.kinds,
        "reentry": draft.reentry,
        "start": start,
        "report_event": draft.report_event or None,
        "guard_percent": draft.guard_percent,
        "position": cohort.change_count,
        "backfill_after": 0 if present else None,
        "backfill_total": cohort.member_count if present else None,
        "profiles_version": cohort.version,
        "now": now,
    }
    found = int(db.execute(_ADD, values).scalar_one())
    db.execute(_COUNTS, {"id": found})
    return found


def listed(
    db: Connection, destination: Destination | None = None, *, project_id: str = "", after: int = 0, limit: int = MOST
) -> list[Subscription]:
    """Return all subscriptions behind an id, or those of a destination, of a project of Mixpanel's."""
    values = {"destination": destination.id if destination else 0, "project_id": project_id}
    return [_subscription(row) for row in db.execute(_LIST, values | {"after": after, "limit": limit})]


def of_cohort(db: Connection, cohort: int) -> list[Subscription]:
    """Return the subscriptions to a cohort, by our own id of it."""
    return [_subscription(row) for row in db.execute(_OF_COHORT, {"cohort": cohort})]


def by_id(db: Connection, subscription_id: int) -> Subscription | None:
    row = db.execute(_BY_ID, {"id": subscription_id}).one_or_none()
    return None if row is None else _subscription(row)


def oldest_waiting_at(db: Connection, subscription_id: int) -> int | None:
    """Return since when the oldest message that waits has been there; None where none waits."""
    return db.execute(_OLDEST, {"id": subscription_id}).scalar_one_or_none()


def pause(db: Connection, known: Subscription, reason: str, now: int) -> bool:
    """Plan and send nothing of it until it is resumed. False where it was paused already, or is on its way out."""
    return db.execute(_PAUSE, {"id": known.id, "reason": reason[:500], "now": now}).rowcount == 1


def resume(db: Connection, known: Subscription) -> bool:
    """Go on where it was. False where it was not paused."""
    return db.execute(_RESUME, {"id": known.id}).rowcount == 1


def remove(db: Connection, known: Subscription, *, drain: bool) -> None:
    """Let it go; a worker removes its rows. With `drain` what waits is still sent, and a far end that keeps a set is
    told to let everybody go whom we added; without, what is there stays there."""
    db.execute(_REMOVE, {"id": known.id, "status": "draining" if drain else "leaving"})


def cancel_backfill(db: Connection, known: Subscription) -> bool:
    """Plan nobody else of those who are in already; who was sent stays. False where no backfill is under way."""
    return db.execute(_CANCEL, {"id": known.id}).rowcount == 1


def next_generation(db: Connection, subscription_id: int) -> int:
    """Return a new number for messages that have no row of the log of their own."""
    return int(db.execute(_NEXT_GENERATION, {"id": subscription_id}).scalar_one())


def _errors(kind: DestinationType, draft: NewSubscription) -> dict[str, str]:
    errors: dict[str, str] = {}
    try:
        identity_rule(kind, draft.identity, draft.country or None)
    except ValueError as error:
        errors["identity"] = str(error)
    if draft.kinds not in KINDS:
        errors["on"] = "This is both, entered or left."
    if draft.start not in {"", *STARTS}:
        errors["start"] = "This is now or present."
    return errors | wrong_terms(kind, draft)


def wrong_terms(kind: DestinationType, draft: NewSubscription) -> dict[str, str]:
    """Return what is wrong, by field, with what may also be changed later."""
    errors: dict[str, str] = {}
    if not _REENTRY.fullmatch(draft.reentry):
        errors["reentry"] = "This is each, once or cooloff:SECONDS."
    elif kind.family == "level" and draft.reentry != "each":
        errors["reentry"] = "A destination that keeps a set follows the cohort; it has no rule for coming again."
    if draft.report_event and not _EVENT.fullmatch(draft.report_event):
        errors["report"] = "An event's name has 1 to 255 characters."
    if not 0 <= draft.guard_percent <= 100:  # noqa: PLR2004 - a share
        errors["guard_percent"] = "This is a share from 0 (no guard) to 100."
    return errors | wrong_fields(kind, draft.fields)


def _cohort_errors(db: Connection, destination: Destination, cohort: Row[Any] | None) -> dict[str, str]:
    if cohort is None:
        return {"cohort": "There is no such cohort; Mixpanel has not sent it yet."}
    others = {row.id: row.name for row in db.execute(_OTHERS, {"id": destination.id})}
    if cohort.id in others:
        return {"cohort": f"This cohort goes to {destination.name} already."}
    if would_mix(destination.kind, destination.settings, cohort.name, list(others.values())):
        return {"cohort": f"{destination.name} names one set, and another cohort goes there; add a second destination."}
    return {}


def _subscription(row: Row[Any]) -> Subscription:
    values = row._asdict()
    counts = {state: values.pop(state) for state in STATES}
    return Subscription(**values | {"fields": json.loads(row.fields), "counts": counts})
