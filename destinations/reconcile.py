"""A set at the far end compared with who should be in it, and brought to that where somebody asks for it.

What is there is read as a stream into a file of its own, so that memory stays flat. Identities of which a message is on
its way are left out. A repair is messages of origin `resend`: they are settled like all others when they are sent, so
that what has changed meanwhile is heeded. Only whom we added is removed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from destinations import bodies, counting, destinations, ledger, level, opening, subscriptions
from destinations.contract import Readable
from destinations.identity import lane
from destinations.ledger import NewMessage, Placed, Source
from destinations.settings import WrongSettings
from destinations.subscriptions import Subscription
from runtime import Runtime

STEP = 1000
SHOWN = 10

_WANTED = text("""
    SELECT identity, max(person_id) AS person_id FROM holder WHERE subscription_id = :id AND identity > :after
    GROUP BY identity ORDER BY identity LIMIT :step""")
_TEXTS = {
    "sqlite": "(SELECT value FROM json_each(:given))",
    "postgresql": "(SELECT value FROM json_array_elements_text(CAST(:given AS json)))",
}
_NUMBERS = {
    "sqlite": "(SELECT value FROM json_each(:given))",
    "postgresql": "(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:given AS json)))",
}
_HELD = {
    dialect: text(f"SELECT DISTINCT identity FROM holder WHERE subscription_id = :id AND identity IN {given}")  # noqa: S608
    for dialect, given in _TEXTS.items()
}
_BUSY = {
    dialect: text(f"""
        SELECT lane FROM message WHERE destination_id = :destination AND state IN ('waiting', 'sending')
            AND lane IN {given}""")  # noqa: S608 - our own words
    for dialect, given in _NUMBERS.items()
}
_ENTRY = text("SELECT entry_number FROM holder WHERE subscription_id = :id AND person_id = :person")


@dataclass
class Reconciliation:
    """How a set differs: `missing` there, `extra` there although nobody holds it any more (ours), `strangers` whom we
    never added. `samples` are masked. `repaired` counts the messages that were made to change it."""

    wanted: int = 0
    there: int = 0
    missing: int = 0
    extra: int = 0
    strangers: int = 0
    repaired: int = 0
    samples: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, identities: Sequence[str]) -> None:
        """Count identities, and show some of them."""
        setattr(self, what, getattr(self, what) + len(identities))
        shown = self.samples.setdefault(what, [])
        shown += [bodies.masked(identity) for identity in identities[: SHOWN - len(shown)]]


def reconcile(runtime: Runtime, known: Subscription, *, repair: bool = False) -> Reconciliation:
    """Compare, and with `repair` have the far end told of the difference. Raises WrongSettings where it cannot be read,
    opening.CannotOpen, DatabaseUnavailable, and what its adapter raises where it does not answer."""
    if not known.kind.reads_back:
        raise WrongSettings({"destination": f"What is in a destination of type {known.type} cannot be read."})
    destination = runtime.database.read(lambda db: destinations.by_id(db, known.destination_id))
    if destination is None:
        raise WrongSettings({"destination": "It has gone."})
    found = Reconciliation()
    with closing(sqlite3.connect("")) as there:  # a file without a name, which goes with the connection
        with closing(opening.adapter(runtime, destination)) as adapter:
            if not isinstance(adapter, Readable):
                raise WrongSettings({"destination": f"What is in a destination of type {known.type} cannot be read."})
            found.there = _read(there, adapter.members(known.feed))
        _missing(runtime, known, there, found, repair=repair)
        _extra(runtime, known, there, found, repair=repair)
    return found


def _read(there: sqlite3.Connection, members: Iterator[str]) -> int:
    there.execute("CREATE TABLE there (identity TEXT PRIMARY KEY) WITHOUT ROWID")
    members = iter(members)
    while piece := [(identity,) for identity in islice(members, STEP)]:
        there.executemany("INSERT OR IGNORE INTO there VALUES (?)", piece)
    return int(there.execute("SELECT count(*) FROM there").fetchone()[0])


def _missing(
    runtime: Runtime, known: Subscription, there: sqlite3.Connection, found: Reconciliation, *, repair: bool
) -> None:
    after = ""
    while rows := runtime.database.read(lambda db, after=after: _wanted(db, known, after)):  # type: ignore[misc]
        after, found.wanted = rows[-1].identity, found.wanted + len(rows)
        people = {row.identity: row.person_id for row in rows}
        here = there.execute(
            "SELECT identity FROM there WHERE identity IN (SELECT value FROM json_each(?))", [_json(list(people))]
        )
        missing = sorted(people.keys() - {identity for (identity,) in here})
        settled = runtime.database.read(lambda db, missing=missing: _settled(db, known, missing))  # type: ignore[misc]
        found.note("missing", settled)
        if repair and settled:
            again = {identity: people[identity] for identity in settled}
            found.repaired += runtime.database.write(lambda db, again=again: _add(db, known, again, runtime.clock()))  # type: ignore[misc]


def _extra(
    runtime: Runtime, known: Subscription, there: sqlite3.Connection, found: Reconciliation, *, repair: bool
) -> None:
    rows = there.execute("SELECT identity FROM there ORDER BY identity")
    while piece := [identity for (identity,) in rows.fetchmany(STEP)]:
        nobody = runtime.database.read(lambda db, piece=piece: _unheld(db, known, piece))  # type: ignore[misc]
        settled = runtime.database.read(lambda db, nobody=nobody: _settled(db, known, nobody))  # type: ignore[misc]
        placed = runtime.database.read(lambda db, settled=settled: level.placements(db, known.id, settled))  # type: ignore[misc]
        found.note("strangers", [identity for identity in settled if identity not in placed])
        ours = [identity for identity in settled if identity in placed]
        found.note("extra", ours)
        if repair and ours:
            found.repaired += runtime.database.write(lambda db, ours=ours: _remove(db, known, ours, runtime.clock()))  # type: ignore[misc]


def _wanted(db: Connection, known: Subscription, after: str) -> Sequence[Any]:
    return db.execute(_WANTED, {"id": known.id, "after": after, "step": STEP}).all()


def _unheld(db: Connection, known: Subscription, identities: list[str]) -> list[str]:
    held = set(db.execute(_HELD[db.dialect.name], {"id": known.id, "given": _json(identities)}).scalars())
    return [identity for identity in identities if identity not in held]


def _settled(db: Connection, known: Subscription, identities: list[str]) -> list[str]:
    """Return those of which nothing is on its way."""
    if not identities:
        return []
    lanes = {identity: lane(identity) for identity in identities}
    values = {"destination": known.destination_id, "given": _json(list(lanes.values()))}
    busy = set(db.execute(_BUSY[db.dialect.name], values).scalars())
    return [identity for identity in identities if lanes[identity] not in busy]


def _add(db: Connection, known: Subscription, people: dict[str, int], now: int) -> int:
    destinations.locked(db, known.destination_id)
    ledger.place(db, [Placed(known.id, identity, "out", None, None) for identity in people])
    made = []
    for identity, person in people.items():
        entry = db.execute(_ENTRY, {"id": known.id, "person": person}).scalar_one_or_none()
        if entry is not None:
            made.append(_message(db, known, (person, entry, "entered"), identity, now))
    return _write(db, known, made)


def _remove(db: Connection, known: Subscription, identities: list[str], now: int) -> int:
    destinations.locked(db, known.destination_id)
    ledger.place(db, [Placed(known.id, identity, "in", None, None) for identity in identities])
    return _write(db, known, [_message(db, known, (0, 0, "left"), identity, now) for identity in identities])


def _message(db: Connection, known: Subscription, key: tuple[int, int, str], identity: str, now: int) -> NewMessage:
    person, entry, kind = key
    source = Source(now, origin="resend", priority=1, generation=subscriptions.next_generation(db, known.id))
    return ledger.waiting((known.destination_id, known.id), (person, entry), kind, identity, source, now)


def _write(db: Connection, known: Subscription, messages: list[NewMessage]) -> int:
    ledger.insert_messages(db, messages)
    counting.move(db, known.id, {"waiting": len(messages)})
    return len(messages)


def _json(values: Sequence[Any]) -> str:
    return msgspec.json.encode(values).decode()
