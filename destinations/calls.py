"""A call: the messages that it carries, as its adapter gets them, and its attempt, written before it is made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from destinations import bodies, ledger, probing
from destinations.contract import Change, DestinationType, Kind
from destinations.destinations import Destination
from destinations.identity import Profile
from destinations.lanes import Due
from destinations.level import Told
from destinations.messages import packed
from destinations.subscriptions import Subscription
from destinations.verdicts import Carried
from models.claims import Lease
from models.database import db as tables
from runtime import Runtime

_PEOPLE = probing.statements(
    probing.for_each("ids", f"p.id, {bodies.PROFILE} FROM person p", "p.id = x.value"),
)
_DISTINCT_IDS = probing.statements(probing.for_each("ids", "id, distinct_id FROM person", "id = x.value"))


@dataclass(frozen=True)
class Content:
    """What a call tells of, and the people as they were when it was claimed, by their ids: the names of all, or the
    profiles where fields go along. It is put into words by whoever makes the call: that takes as long as a statement,
    and needs no lock."""

    runtime: Runtime
    subscription: Subscription
    names: Mapping[int, str]
    profiles: Mapping[int, Profile]
    told: Sequence[Told]

    @property
    def ids(self) -> list[int]:
        """Return the ids of its messages."""
        return [one.row.id for one in self.told]

    def carried(self) -> list[Carried]:
        """Return its messages as a call carries them."""
        runtime, subscription, names = self.runtime, self.subscription, self.names
        if not subscription.fields:
            return [carried(runtime, one, names.get(one.person_id, ""), {}, subscription) for one in self.told]
        return [_with_fields(runtime, one, self.profiles.get(one.person_id), subscription) for one in self.told]


@dataclass(frozen=True)
class Again:
    """What a call carried once before."""

    again: list[Carried]

    @property
    def ids(self) -> list[int]:
        """Return the ids of its messages."""
        return [one.change.id for one in self.again]

    def carried(self) -> list[Carried]:
        """Return its messages as a call carries them."""
        return self.again


@dataclass
class Call:
    """One call: its attempt, what it carries, and of which subscription."""

    attempt: int
    destination: Destination
    subscription: Subscription
    content: Content | Again

    @cached_property
    def carried(self) -> list[Carried]:
        """Return the messages as this call carries them, made once."""
        return self.content.carried()

    @property
    def changes(self) -> list[Change]:
        """Return the changes as the adapter gets them."""
        return [one.change for one in self.carried]


def lease_of(destination: Destination) -> Lease:
    """Return how long a call may be under way: its timeout for each of some steps, and a minute."""
    return Lease(round(float(destination.settings.get("timeout_seconds") or 30) * 4000) + 60_000)


def contents(
    db: Connection, runtime: Runtime, subscription: Subscription, told: Sequence[Told], batch: int
) -> list[Content | Again]:
    """Return what each call tells, with the people as they are now: at most a batch, and whoever is to be forgotten by
    a set alone."""
    if not told:
        return []
    ids = msgspec.json.encode(sorted({one.person_id for one in told})).decode()
    names: dict[int, str] = {}
    profiles: dict[int, Profile] = {}
    if subscription.fields:
        profiles = {row[0]: Profile(*row) for row in _PEOPLE[db.dialect.name].all(db, {"ids": ids})}
    else:
        names = dict(_DISTINCT_IDS[db.dialect.name].all(db, {"ids": ids}))
    found = [Content(runtime, subscription, names, profiles, part) for part in _parted(subscription, told, batch)]
    # What is sealed is opened under the lock: a key that does not open it claims nothing.
    return [Again(one.carried()) if any(t.row.sealed is not None for t in one.told) else one for one in found]


def _with_fields(runtime: Runtime, told: Told, person: Profile | None, subscription: Subscription) -> Carried:
    if person is None:
        return carried(runtime, told, "", {}, subscription)
    fields = person.fields(subscription.fields) if told.row.sealed is None else {}
    return carried(runtime, told, person.distinct_id, fields, subscription)


def carried(
    runtime: Runtime,
    told: Told,
    distinct_id: str,
    fields: dict[str, Any],
    subscription: Subscription | None = None,
) -> Carried:
    """Return a message as its call carries it. `distinct_id` and `fields` are its person's."""
    row, kind, vendor_id = told.row, told.kind, told.vendor_id
    identity = row.identity or ""
    if row.sealed is not None:
        opened = unsealed(runtime, row)
        distinct_id, identity, vendor_id = opened["distinct_id"], opened["identity"], opened.get("vendor_id")
    sent: Kind = "erased" if kind == "erased" else "entered" if kind == "entered" else "left"
    position = row.position if row.origin == "log" and kind == row.kind else 0  # else it is the present that is told
    change = Change(
        row.id,
        bodies.key(runtime.cipher, subscription.id if subscription else 0, row),
        sent,
        identity,
        distinct_id,
        told.entry_number,
        row.session_id,
        row.at,
        position,
        fields,
        vendor_id,
        row.first_tried_at,
    )
    report = bool(subscription and subscription.report_event) and row.origin not in {"erasure", "identity"}
    return Carried(change, row.kind, row.attempts, row.reason, row.person_id, report, row.sealed is not None)


def unsealed(runtime: Runtime, row: Due) -> dict[str, Any]:
    """Return whom the last message of an erasure is about: distinct_id, identity and vendor_id."""
    opened: dict[str, Any] = json.loads(runtime.cipher.decrypt(row.sealed or ""))
    return opened


def _parted(subscription: Subscription, told: Sequence[Told], batch: int) -> list[Sequence[Told]]:
    alone = [one for one in told if forgets(subscription.kind, one.kind)]
    others = [one for one in told if not forgets(subscription.kind, one.kind)] if alone else told
    return [*([one] for one in alone), *(others[start : start + batch] for start in range(0, len(others), batch))]


def forgets(kind: DestinationType, sent: str) -> bool:
    """Tell whether the far end of a set is to forget somebody; a stream is told of it like of anything else."""
    return kind.family == "level" and kind.erases and sent == "erased"


def attempts(
    db: Connection, known: Destination, subscription: Subscription, parts: Sequence[Content | Again], now: int
) -> list[Call]:
    """Write an attempt for each part, and which messages it carries."""
    if not parts:
        return []
    attempt = tables.metadata.tables["attempt"]
    rows = [
        {
            "destination_id": known.id,
            "subscription_id": subscription.id,
            "messages": len(part.ids),
            "message_ids": packed(part.ids),
            "started_at": now,
        }
        for part in parts
    ]
    made = db.execute(insert(attempt).returning(attempt.c.id, sort_by_parameter_order=True), rows).scalars().all()
    until = now + lease_of(known).length
    calls = [Call(int(number), known, subscription, part) for number, part in zip(made, parts, strict=True)]
    ledger.carry(db, until, [(call.attempt, call.content.ids) for call in calls])
    return calls
