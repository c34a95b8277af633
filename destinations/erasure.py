"""Erasing one person reaches the destinations that were told of them.

What waits about them ends. A set in which nobody else holds their identity is told to let it go, and to forget them
where it deletes nothing but what we have told it, or where that was asked for; a stream that has heard of them is told
that they were erased. These last messages are sealed until they have been sent; everything else forgets the identity at
once, in the transaction in which the person becomes nobody.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations import counting, destinations, ledger, probing, subscriptions
from destinations.calls import lease_of
from destinations.destinations import Destination
from destinations.identity import lane
from destinations.ledger import Placed, Source
from destinations.settings import DELETE_ON_ERASURE
from destinations.subscriptions import Subscription
from models.encryption import Encryption

_TOLD = {"applied", "accepted", "uncertain", "sending", "dead"}  # the far end knows of them, or may
_SUBSCRIPTIONS = text("""
    SELECT s.id FROM subscription s JOIN cohort c ON c.id = s.cohort_id WHERE c.project_id = :project_id
    ORDER BY s.destination_id, s.id""")
_MESSAGES = text("""
    SELECT id, state, identity, attempts, first_tried_at FROM message
    WHERE subscription_id = :subscription AND person_id = :person AND origin <> 'erasure' ORDER BY id""")
_COUNT = text("""
    SELECT count(*) FROM subscription s JOIN cohort c ON c.id = s.cohort_id
    JOIN message m ON m.subscription_id = s.id AND m.person_id = :person WHERE c.project_id = :project_id""")
_FORGET = text("""
    UPDATE message SET identity = NULL, lane = NULL, sealed = NULL
    WHERE subscription_id = :subscription AND person_id = :person AND origin <> 'erasure'""")
_HELD = text("SELECT identity FROM holder WHERE subscription_id = :subscription AND person_id = :person")
_OTHERS = text("SELECT EXISTS (SELECT 1 FROM holder WHERE subscription_id = :subscription AND identity = :identity)")
_ANOTHER = text("""
    SELECT person_id, entry_number FROM holder WHERE subscription_id = :subscription AND identity = :identity
    ORDER BY person_id DESC LIMIT 1""")
_PUT_OFF = probing.update_each(
    "next_at = :due",
    probing.for_each(
        "lanes",
        "id FROM message",
        """destination_id = :destination AND lane = x.value AND state IN ('waiting', 'sending')
            AND state || '' = 'waiting' AND next_at + 0 < :due""",
        index="ix_message_lane",
    ),
)
_HELD_THERE = text("""
    SELECT EXISTS (SELECT 1 FROM subscription s JOIN holder h ON h.subscription_id = s.id
        WHERE s.destination_id = :destination AND h.identity = :identity AND h.person_id <> :person)""")
_PLACED = text("SELECT there, vendor_id FROM placement WHERE subscription_id = :subscription AND identity = :identity")
_UNPLACE = text("DELETE FROM placement WHERE subscription_id = :subscription AND identity = :identity")
_KNOWN_BY = text("""
    SELECT d.id, d.name, d.settings FROM destination d WHERE EXISTS (
        SELECT 1 FROM subscription s JOIN cohort c ON c.id = s.cohort_id
        JOIN message m ON m.subscription_id = s.id AND m.person_id = :person
        WHERE s.destination_id = d.id AND c.project_id = :project_id)
    ORDER BY d.name""")
_OUTCOMES = text("""
    SELECT d.name AS destination, d.type, m.kind, m.state, m.reason, m.attempts, m.finished_at
    FROM message m JOIN destination d ON d.id = m.destination_id
    WHERE m.origin = 'erasure' AND m.session_id = :erasure ORDER BY m.id""")


def known(db: Connection, project_id: str, person_id: int) -> dict[str, int]:
    """Count the messages about a person, whose identity an erasure takes away."""
    return {"messages": int(db.execute(_COUNT, {"project_id": project_id, "person": person_id}).scalar_one())}


def deleted_by(db: Connection, project_id: str, person_id: int) -> list[Row[Any]]:
    """Return the destinations that would be asked to delete a person, because they know of them and that was chosen."""
    known_by = db.execute(_KNOWN_BY, {"project_id": project_id, "person": person_id})
    return [one for one in known_by if json.loads(one.settings).get(DELETE_ON_ERASURE.name)]


def forget(db: Connection, cipher: Encryption, erasure: int, person: tuple[str, str, int], now: int) -> dict[str, int]:
    """Forget a person (project, distinct id and our own id), and have those told who know of them; count what went."""
    project_id, distinct_id, person_id = person
    went = known(db, project_id, person_id)
    for number in db.execute(_SUBSCRIPTIONS, {"project_id": project_id}).scalars().all():
        found = subscriptions.by_id(db, number)
        if found is not None:
            _forget(db, found, _Person(cipher, erasure, distinct_id, person_id), now)
    return went


def outcomes(db: Connection, erasure: int) -> Sequence[Row[Any]]:
    """Return what became of an erasure in each destination that was told of it."""
    return db.execute(_OUTCOMES, {"erasure": erasure}).all()


class _Person:
    """Somebody who is erased, and how what is left to be said of them is sealed."""

    def __init__(self, cipher: Encryption, erasure: int, distinct_id: str, person_id: int) -> None:
        self._cipher, self._distinct_id = cipher, distinct_id
        self.erasure, self.id = erasure, person_id
        self.vendor_ids: dict[str, str | None] = {}  # by identity; a far end that is asked for one could make it anew

    def sealed(self, identity: str) -> str:
        said = {"identity": identity, "distinct_id": self._distinct_id, "vendor_id": self.vendor_ids.get(identity)}
        return self._cipher.encrypt(json.dumps(said))


def _forget(db: Connection, known: Subscription, person: _Person, now: int) -> None:
    destination = destinations.locked(db, known.destination_id)
    values = {"subscription": known.id, "person": person.id}
    rows = db.execute(_MESSAGES, values).all()
    held = db.execute(_HELD, values).scalar_one_or_none()
    if destination is None or (not rows and held is None):
        return
    ledger.let_go(db, known.id, [person.id])
    identities = {row.identity for row in rows if row.identity is not None}
    told = {row.identity for row in rows if row.identity is not None and row.state in _TOLD}
    # A call may have come through that we have not heard of.
    doubtful = {row.identity for row in rows if row.state == "sending" or (row.state == "waiting" and row.attempts)}
    to_go = {
        one
        for one in {*identities, *([] if held is None else [held])}
        if _is_to_go(db, known, person, one, is_doubtful=one in doubtful)
    }
    says = _events(told)
    if known.kind.family == "level":
        reached = {*told, *doubtful, *([] if held is None else [held])}
        says = _to_a_set(known, to_go, _forgettable(db, destination, known, person, reached))
    _end(db, known, rows, now)
    db.execute(_FORGET, values)
    # What is under way comes to its end first, though no lane holds anything back any more.
    under_way = {row.identity for row in rows if row.state == "sending"}
    due = now + (lease_of(destination).length if under_way else 0)
    _put_off(db, destination, under_way, due)
    if known.kind.family == "level":
        # What was said may have been in the erased one's words, where it had more than the identity.
        states = {"waiting", "sending", *(_TOLD if known.kind.carries_fields else ())}
        unsaid = {row.identity for row in rows if row.identity is not None and row.state in states}
        _have_others_say(db, known, unsaid, doubtful, (now, due))
    _tell(db, known, person, says, (now, due))


def _put_off(db: Connection, destination: Destination, identities: Iterable[str], due: int) -> None:
    """Have what waits for these identities wait for the end of the call that is under way."""
    values = {"destination": destination.id, "lanes": json.dumps([lane(one) for one in identities]), "due": due}
    _PUT_OFF[db.dialect.name].run(db, values)


def _have_others_say(
    db: Connection, known: Subscription, unsaid: Iterable[str], doubtful: set[str], times: tuple[int, int]
) -> None:
    """Have a message of somebody else who is in under the same identity say what the erased one's would have said: it
    may have been chosen for both."""
    now, due = times
    found = [(one, db.execute(_ANOTHER, {"subscription": known.id, "identity": one}).one_or_none()) for one in unsaid]
    others = [(identity, holder) for identity, holder in found if holder is not None]
    ledger.place(db, [Placed(known.id, one, "unsure", None, None) for one, _ in others if one in doubtful])
    ids = (known.destination_id, known.id)
    generation = subscriptions.next_generation(db, known.id) if others else 0
    source = Source(now, origin="resend", generation=generation)
    messages = [
        ledger.waiting(ids, (holder.person_id, holder.entry_number), "entered", identity, source, due)
        for identity, holder in others
    ]
    ledger.insert_messages(db, messages)
    counting.move(db, known.id, {"waiting": len(messages)})


def _events(told: Iterable[str]) -> list[tuple[str, str]]:
    """A stream is told of whoever it has heard of."""
    return [(identity, "erased") for identity in sorted(told)]


def _to_a_set(known: Subscription, to_go: set[str], forgotten: set[str]) -> list[tuple[str, str]]:
    """A set lets them go, then forgets them: two messages where forgetting may be refused, or take its time."""
    let_go = to_go if known.kind.deletes_people else to_go - forgotten
    return [*((one, "left") for one in sorted(let_go)), *((one, "erased") for one in sorted(forgotten))]


def _forgettable(
    db: Connection, destination: Destination, known: Subscription, person: _Person, identities: set[str]
) -> set[str]:
    """Return the identities that the far end is to forget, which are nobody else's: in this set, or in any of a vendor
    who deletes people."""
    kind = known.kind
    if not kind.erases or (kind.deletes_people and not destination.settings.get(DELETE_ON_ERASURE.name)):
        return set()
    held = _HELD_THERE if kind.deletes_people else _OTHERS
    values = {"destination": destination.id, "subscription": known.id, "person": person.id}
    return {one for one in identities if not db.execute(held, values | {"identity": one}).scalar_one()}


def _is_to_go(db: Connection, known: Subscription, person: _Person, identity: str, *, is_doubtful: bool) -> bool:
    """Tell whether the set there has, or may have, an identity that nobody holds any more; forget what is known."""
    values = {"subscription": known.id, "identity": identity}
    if db.execute(_OTHERS, values).scalar_one():
        return False
    placed = db.execute(_PLACED, values).one_or_none()
    db.execute(_UNPLACE, values)
    if placed is None:
        return is_doubtful
    person.vendor_ids[identity] = placed.vendor_id
    return placed.there in {"in", "unsure"} or is_doubtful


def _end(db: Connection, known: Subscription, rows: Iterable[Row[Any]], now: int) -> None:
    ends = {"waiting": "suppressed", "parked": "suppressed", "sending": "uncertain"}  # nobody listens for the answer
    ended = [row for row in rows if row.state in ends]
    changes = [
        ledger.Change(ends[row.state], "erased", None, row.attempts, row.first_tried_at, now, None, row.id)
        for row in ended
    ]
    ledger.change(db, changes)
    counts = Counter(ends[row.state] for row in ended)
    counts.subtract(row.state for row in ended)
    counting.move(db, known.id, counts)


def _tell(
    db: Connection, known: Subscription, person: _Person, says: Sequence[tuple[str, str]], times: tuple[int, int]
) -> None:
    now, due = times
    messages = [
        ledger.waiting(
            (known.destination_id, known.id),
            (person.id, 0),
            kind,
            identity,
            Source(now, person.erasure, origin="erasure", generation=subscriptions.next_generation(db, known.id)),
            due,
        )._replace(identity=None, sealed=person.sealed(identity))
        for identity, kind in says
    ]
    ledger.insert_messages(db, messages)
    counting.move(db, known.id, {"waiting": len(messages)})
