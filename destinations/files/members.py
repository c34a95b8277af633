"""Whoever is in a set, for a file of all of it: those who were told of and are there, as a call changes them."""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations.contract import Change, Feed
from destinations.identity import Profile
from runtime import Runtime

STEP = 1000

_SUBSCRIPTION = text("SELECT cohort_id, fields FROM subscription WHERE id = :id")
# Nobody holds the identity of whom the removal guard keeps there.
_PLACED = text("""
    SELECT t.identity, h.entry_number, m.entered_at, p.id AS person_id, p.distinct_id, p.email, p.first_name,
        p.last_name, p.phone_number, CAST(p.properties AS text) AS properties
    FROM (
        SELECT identity FROM placement WHERE subscription_id = :id AND there = 'in' AND identity > :after
        ORDER BY identity LIMIT :step) t
    LEFT JOIN holder h ON h.subscription_id = :id AND h.identity = t.identity AND h.person_id = (
        SELECT max(o.person_id) FROM holder o WHERE o.subscription_id = :id AND o.identity = t.identity)
    LEFT JOIN person p ON p.id = h.person_id
    LEFT JOIN membership m ON m.cohort_id = :cohort AND m.person_id = h.person_id
    ORDER BY t.identity""")


@dataclass(frozen=True)
class Member:
    """Somebody who is in. Of whom the removal guard keeps there only the identity is known."""

    identity: str
    distinct_id: str | None = None
    entry_number: int | None = None
    entered_at: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def of_changes(changes: Sequence[Change]) -> list[Member]:
    """Return those who are in by these changes, in the order of their identities."""
    entered = [
        Member(one.identity, one.distinct_id, one.entry_number, one.at, one.fields)
        for one in changes
        if one.kind == "entered"
    ]
    return sorted(entered, key=_identity)


def members(runtime: Runtime, feed: Feed, changes: Sequence[Change]) -> Iterator[Member]:
    """Yield whoever is in once these changes have been told, in the order of their identities. Raises
    DatabaseUnavailable."""
    changed = {one.identity for one in changes}
    others = (member for member in _placed(runtime, feed) if member.identity not in changed)
    return heapq.merge(others, of_changes(changes), key=_identity)


def _placed(runtime: Runtime, feed: Feed) -> Iterator[Member]:
    known = runtime.database.read(partial(_subscription, feed=feed), one_statement=True)
    if known is None:
        return
    wanted, after = json.loads(known.fields), ""
    while rows := runtime.database.read(partial(_page, feed=feed, cohort=known.cohort_id, after=after)):
        yield from (_member(row, wanted) for row in rows)
        after = rows[-1].identity


def _subscription(db: Connection, feed: Feed) -> Row[Any] | None:
    return db.execute(_SUBSCRIPTION, {"id": feed.subscription_id}).one_or_none()


def _page(db: Connection, feed: Feed, cohort: int, after: str) -> Sequence[Row[Any]]:
    values = {"id": feed.subscription_id, "cohort": cohort, "after": after, "step": STEP}
    return db.execute(_PLACED, values).all()


def _member(row: Row[Any], wanted: Mapping[str, str]) -> Member:
    if row.person_id is None:
        return Member(row.identity)
    person = Profile(
        row.person_id, row.distinct_id, row.email, row.first_name, row.last_name, row.phone_number, row.properties
    )
    return Member(row.identity, row.distinct_id, row.entry_number, row.entered_at, person.fields(wanted))


def _identity(member: Member) -> str:
    return member.identity
