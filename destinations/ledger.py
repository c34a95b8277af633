"""Rows of the ledger, many at a time: one JSON parameter on PostgreSQL, `executemany` on SQLite, as for pages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from destinations.identity import lane
from models.statement import Statement


class NewMessage(NamedTuple):
    """A message that is planned, in the order of the table's columns."""

    destination_id: int
    subscription_id: int
    person_id: int
    entry_number: int
    kind: str
    generation: int
    state: str
    reason: str | None
    identity: str | None
    lane: int | None
    priority: int
    origin: str
    session_id: int
    at: int
    position: int
    next_at: int | None
    created_at: int
    finished_at: int | None
    sealed: str | None = None


class Source(NamedTuple):
    """What a message comes from; `at` is when that happened."""

    at: int
    session_id: int = 0
    position: int = 0
    origin: str = "log"
    priority: int = 0
    generation: int = 0


class Held(NamedTuple):
    """A row of `holder`."""

    subscription_id: int
    person_id: int
    identity: str
    entry_number: int


class Placed(NamedTuple):
    """A row of `placement`; a `vendor_id` or `told_at` of None leaves what is known."""

    subscription_id: int
    identity: str
    there: str
    vendor_id: str | None
    told_at: int | None


class Change(NamedTuple):
    """What becomes of a message: its new state, why, when it is next due, how often it was tried and since when."""

    state: str
    reason: str | None
    next_at: int | None
    attempts: int
    first_tried_at: int | None
    finished_at: int | None
    report: str | None
    id: int


class Unparked(NamedTuple):
    """What becomes of a parked message."""

    state: str
    reason: str | None
    identity: str | None
    lane: int | None
    next_at: int | None
    finished_at: int | None
    id: int


class CarriedAlone(NamedTuple):
    """The one message of an attempt, and until when it is claimed."""

    attempt_id: int
    claimed_until: int
    id: int


class Ended(NamedTuple):
    """What became of an attempt."""

    ended_at: int
    status: int | None
    verdict: str
    reason: str | None
    answer: str | None
    id: int


_TYPES = {
    "destination_id": "bigint",
    "subscription_id": "bigint",
    "person_id": "bigint",
    "entry_number": "int",
    "generation": "int",
    "lane": "bigint",
    "priority": "int",
    "session_id": "bigint",
    "at": "bigint",
    "position": "bigint",
    "next_at": "bigint",
    "created_at": "bigint",
    "finished_at": "bigint",
    "told_at": "bigint",
    "id": "bigint",
    "attempts": "int",
    "first_tried_at": "bigint",
    "attempt_id": "bigint",
    "claimed_until": "bigint",
    "ended_at": "bigint",
    "status": "int",
}


def _recordset(columns: Sequence[str]) -> str:
    typed = ", ".join(f"{column} {_TYPES.get(column, 'text')}" for column in columns)
    return f"json_to_recordset(CAST(:rows AS json)) AS r({typed})"


class _Rows:
    """A statement for many rows of named columns, given as SQL for each database."""

    def __init__(self, columns: tuple[str, ...], sqlite: str, postgresql: str) -> None:
        self._columns, self._sqlite, self._postgresql = columns, Statement(sqlite), Statement(postgresql)

    def write(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        if db.dialect.name == "sqlite":
            self._sqlite.run_many(db, rows)
        else:
            objects = [dict(zip(self._columns, row, strict=True)) for row in rows]
            self._postgresql.run(db, {"rows": msgspec.json.encode(objects).decode()})


def _of_ids(sets: str) -> dict[str, Statement]:
    """An update of the messages whose ids are in the JSON list `ids`."""
    return {
        "sqlite": Statement(f"UPDATE message SET {sets} WHERE id IN (SELECT value FROM json_each(:ids))"),  # noqa: S608
        "postgresql": Statement(f"UPDATE message SET {sets} WHERE id = ANY(CAST(:ids AS bigint[]))"),  # noqa: S608
    }


def _insertion(table: str, columns: tuple[str, ...], tail: str = "") -> _Rows:
    into, named = f"INSERT INTO {table} ({', '.join(columns)})", ", ".join(columns)
    places = ", ".join("?" * len(columns))
    return _Rows(
        columns,
        f"{into} VALUES ({places}) {tail}",
        f"{into} SELECT {named} FROM {_recordset(columns)} {tail}",  # noqa: S608 - our own words
    )


def _update(table: str, columns: tuple[str, ...], more: str = "") -> _Rows:
    """The last column is the key."""
    *changed, key = columns
    own = ", ".join(f"{name} = ?" for name in changed)
    theirs = ", ".join(f"{name} = r.{name}" for name in changed)
    return _Rows(
        columns,
        f"UPDATE {table} SET {own}{more} WHERE {key} = ?",  # noqa: S608 - our own words
        f"UPDATE {table} SET {theirs}{more} FROM {_recordset(columns)} WHERE {table}.{key} = r.{key}",  # noqa: S608
    )


_MESSAGES = _insertion("message", NewMessage._fields)
_HOLDERS = _insertion(
    "holder",
    Held._fields,
    "ON CONFLICT (subscription_id, person_id) DO UPDATE SET identity = excluded.identity,"
    " entry_number = excluded.entry_number",
)
_PLACEMENTS = _insertion(
    "placement",
    Placed._fields,
    "ON CONFLICT (subscription_id, identity) DO UPDATE SET there = excluded.there,"
    " vendor_id = coalesce(excluded.vendor_id, placement.vendor_id),"
    " told_at = coalesce(excluded.told_at, placement.told_at)",
)
_CHANGES = _update("message", Change._fields, ", claimed_until = NULL")
# What becomes of most messages of a call is the same, and then one statement writes it to all of them.
_ALIKE = _of_ids(f"{', '.join(f'{name} = :{name}' for name in Change._fields[:-1])}, claimed_until = NULL")
_CARRIED = _of_ids("state = 'sending', attempt_id = :attempt, claimed_until = :until")
_CARRIED_ALONE = _update("message", CarriedAlone._fields, ", state = 'sending'")
_UNPARKED = _update("message", Unparked._fields)
_CALLS = _update("attempt", Ended._fields)
_LET_GO = {
    "sqlite": Statement("""
        DELETE FROM holder WHERE subscription_id = :subscription
            AND person_id IN (SELECT value FROM json_each(:ids))"""),
    "postgresql": Statement("""
        DELETE FROM holder WHERE subscription_id = :subscription AND person_id = ANY(CAST(:ids AS bigint[]))"""),
}


def waiting(
    ids: tuple[int, int], about: tuple[int, int], kind: str, identity: str, source: Source, due: int
) -> NewMessage:
    """Return a message that waits until `due`, made at the time of its source. `ids` are those of its destination and
    subscription, `about` are a person's id and the number of their entry."""
    return NewMessage(
        *ids,
        *about,
        kind,
        source.generation,
        "waiting",
        None,
        identity,
        lane(identity),
        source.priority,
        source.origin,
        source.session_id,
        source.at,
        source.position,
        due,
        source.at,
        None,
    )


def insert_messages(db: Connection, rows: Sequence[NewMessage]) -> None:
    """Write messages in this order, which is the order of their lanes. The destination's row must be locked."""
    _MESSAGES.write(db, rows)


def hold(db: Connection, rows: Iterable[Held]) -> None:
    """Write who is in under which identity, in key order."""
    _HOLDERS.write(db, sorted(rows))


def let_go(db: Connection, subscription_id: int, people: Iterable[int]) -> None:
    """Remove those who are not in any more."""
    ids = sorted(people)
    if ids:
        _run_over_ids(db, _LET_GO, ids, {"subscription": subscription_id})


def place(db: Connection, rows: Iterable[Placed]) -> None:
    """Write what is known of identities at the far end, in key order."""
    _PLACEMENTS.write(db, sorted(rows, key=lambda row: row[:2]))


def change(db: Connection, rows: Sequence[Change]) -> None:
    """Write what became of messages, and free them."""
    alike = defaultdict[tuple[Any, ...], list[int]](list)
    for row in rows:
        alike[row[:-1]].append(row.id)
    single = [Change._make((*fate, ids[0])) for fate, ids in alike.items() if len(ids) == 1]
    for fate, ids in alike.items():
        if len(ids) > 1:
            _run_over_ids(db, _ALIKE, ids, dict(zip(Change._fields, fate, strict=False)))
    _CHANGES.write(db, single)


def carry(db: Connection, until: int, carried: Sequence[tuple[int, Sequence[int]]]) -> None:
    """Write which messages each attempt carries, and claim them until then."""
    _CARRIED_ALONE.write(db, [CarriedAlone(attempt, until, ids[0]) for attempt, ids in carried if len(ids) == 1])
    for attempt, ids in carried:
        if len(ids) > 1:
            _run_over_ids(db, _CARRIED, ids, {"attempt": attempt, "until": until})


def _run_over_ids(db: Connection, statements: dict[str, Statement], ids: Sequence[int], values: dict[str, Any]) -> None:
    on_sqlite = db.dialect.name == "sqlite"
    given: Any = msgspec.json.encode(ids).decode() if on_sqlite else list(ids)
    statements[db.dialect.name].run(db, values | {"ids": given})


def unpark(db: Connection, rows: Sequence[Unparked]) -> None:
    """Write what becomes of parked messages."""
    _UNPARKED.write(db, rows)


def end(db: Connection, rows: Sequence[Ended]) -> None:
    """Write what became of attempts."""
    _CALLS.write(db, rows)
