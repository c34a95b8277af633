"""What a destination that keeps a set is told of an identity: the present, once, whatever happened meanwhile.

An identity is wanted while somebody holds it. All its messages that wait are settled together: one of them carries the
call that makes the far end so, the others are coalesced; where the far end is so already, all are. Only whom we added
is removed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec import structs
from sqlalchemy import Connection, text

from destinations import lanes, probing
from destinations.guard import HELD
from destinations.lanes import Due
from destinations.subscriptions import Subscription

OF_THE_HOLDER = -1  # the number of an entry that is looked up once it is known whose
_OF_DESTINATION = text("SELECT id FROM subscription WHERE destination_id = :destination ORDER BY id")
_HOLDERS = probing.statements(
    probing.for_each(
        "identities",
        "identity, person_id FROM holder",
        "subscription_id = :subscription AND identity = x.value",
        of="text",
        index="ix_holder_identity",
    )
)
_ENTRIES = probing.statements(
    probing.for_each(
        "ids", "person_id, entry_number FROM holder", "subscription_id = :subscription AND person_id = x.value"
    )
)
_PLACED = probing.statements(
    probing.for_each(
        "identities",
        "identity, there, vendor_id, told_at FROM placement",
        "subscription_id = :subscription AND identity = x.value",
        of="text",
    )
)


class Told(msgspec.Struct, frozen=True):
    """A message to be sent as `kind`, about `person_id` and their entry."""

    row: Due
    kind: str
    person_id: int
    entry_number: int
    vendor_id: str | None = None


@dataclass
class Decision:
    """What is sent, and the messages that end without a call, with their reason."""

    told: list[Told] = field(default_factory=list)
    ended: list[tuple[Due, str, str]] = field(default_factory=list)  # row, state, reason


class AtFarEnd(NamedTuple):
    """What is known of an identity at the far end, as `placement` has it."""

    identity: str
    there: str
    vendor_id: str | None
    told_at: int | None


@dataclass(frozen=True)
class _Known:
    """What is known of some identities: who holds each, and what is there."""

    holders: dict[str, set[int]]
    placed: dict[str, AtFarEnd]


def placements(db: Connection, subscription_id: int, identities: Iterable[str]) -> dict[str, AtFarEnd]:
    """Return what is known of identities at the far end."""
    encoded = msgspec.json.encode(sorted(set(identities))).decode()
    values = {"subscription": subscription_id, "identities": encoded}
    return {row[0]: AtFarEnd._make(row) for row in _PLACED[db.dialect.name].all(db, values)}


def held(db: Connection, subscription_id: int, identities: Iterable[str]) -> set[str]:
    """Return which of these identities somebody holds now."""
    encoded = msgspec.json.encode(sorted(set(identities))).decode()
    values = {"subscription": subscription_id, "identities": encoded}
    return {identity for identity, _person in _HOLDERS[db.dialect.name].all(db, values)}


def held_anywhere(db: Connection, destination_id: int, identities: Iterable[str]) -> set[str]:
    """Return which of these identities somebody holds now in any cohort that goes to a destination."""
    asked = set(identities)
    subscriptions = db.execute(_OF_DESTINATION, {"destination": destination_id}).scalars().all()
    return set[str]().union(*(held(db, number, asked) for number in subscriptions))


def decide(db: Connection, subscription: Subscription, heads: Sequence[Due]) -> Decision:
    """Settle the identities of the claimed messages `heads`, with what else waits for them."""
    groups: dict[str, list[Due]] = defaultdict(list)
    for row in heads:
        groups[row.identity or ""].append(row)
    for row in lanes.beside(db, subscription.destination_id, subscription.id, heads):
        if row.identity in groups:
            groups[row.identity].append(row)
    known = _known(db, subscription.id, groups)
    decision = Decision()
    for identity, rows in groups.items():
        _settle(decision, subscription, identity, rows, known)
    _number(db, subscription, decision)
    return decision


def _number(db: Connection, subscription: Subscription, decision: Decision) -> None:
    """Give those who are told of in another one's place the number of their own entry."""
    people = {one.person_id for one in decision.told if one.entry_number == OF_THE_HOLDER}
    if people:
        values = {"subscription": subscription.id, "ids": msgspec.json.encode(sorted(people)).decode()}
        numbers: dict[int, int] = dict(_ENTRIES[db.dialect.name].all(db, values))
        decision.told = [
            structs.replace(one, entry_number=numbers[one.person_id]) if one.entry_number == OF_THE_HOLDER else one
            for one in decision.told
        ]


def _known(db: Connection, subscription_id: int, groups: dict[str, list[Due]]) -> _Known:
    encoded = msgspec.json.encode(sorted(groups)).decode()
    values = {"subscription": subscription_id, "identities": encoded}
    holders = defaultdict[str, set[int]](set)
    for identity, person_id in _HOLDERS[db.dialect.name].all(db, values):
        holders[identity].add(person_id)
    return _Known(holders, placements(db, subscription_id, groups))


def _settle(decision: Decision, subscription: Subscription, identity: str, rows: list[Due], known: _Known) -> None:
    placed = known.placed.get(identity)
    there = "out" if placed is None else placed.there
    holders = known.holders.get(identity)
    kind = "entered" if holders else "left"
    waiting, chosen = rows, rows[0]
    if len(rows) > 1:
        waiting = [row for row in rows if row.reason != HELD]
        chosen = next((row for row in reversed(waiting) if row.kind == kind), waiting[-1])
    if any([row.attempts for row in waiting]):  # noqa: C419 - mostly of one, and then a list takes half the time
        there = "unsure"  # a call may have come through that we did not hear of
    reason = _needless(subscription, kind, there, rows)
    if reason:
        decision.ended += [(row, "coalesced", reason) for row in waiting]
        return
    decision.ended += [(row, "coalesced", "overtaken") for row in waiting if row is not chosen]
    person, entry = chosen.person_id, chosen.entry_number
    if holders and person not in holders:
        person, entry = max(holders), OF_THE_HOLDER
    decision.told.append(Told(chosen, kind, person, entry, None if placed is None else placed.vendor_id))


def _needless(subscription: Subscription, kind: str, there: str, rows: list[Due]) -> str | None:
    """Return why nothing needs to be sent; None where something does."""
    if subscription.kinds not in {"both", kind}:
        return "overtaken"
    if kind == "entered":
        # Where more is told than the identity, it may have been in the words of somebody who has left.
        return "already_there" if there == "in" and not subscription.kind.carries_fields else None
    if there == "out":
        return "never_there"
    return "held_by_guard" if any(row.reason == HELD for row in rows) else None
