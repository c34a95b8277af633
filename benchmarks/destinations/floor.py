"""The floor: reads the same changes, posts the same bodies with the same library, writes the same rows by raw SQL.

    plan    a thousand changes become messages, in one transaction
    before  the attempt, and which messages it carries, before each call
    after   what came of it

One call after another. Nothing is looked at on the way: no lanes, no lock, no budget, no settings.
"""

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from time import perf_counter, time
from typing import Any

import psycopg
import requests
from psycopg.rows import tuple_row

PLANNED = 1000
KEY = b"a floor's secret of 32 bytes ...."
Row = tuple[Any, ...]
Tell = Callable[[Sequence[Row]], None]

CHANGES = """
    SELECT x.number, x.person_id, p.distinct_id, x.entered, x.entry_number, x.session_id, x.at, p.email,
        CAST(p.properties AS text)
    FROM membership_change x JOIN person p ON p.id = x.person_id
    WHERE x.cohort_id = {0} AND x.number > {0} ORDER BY x.number LIMIT {0}"""
MESSAGE = """
    INSERT INTO message (destination_id, subscription_id, person_id, entry_number, kind, generation, state, identity,
        lane, priority, origin, session_id, at, position, next_at, created_at)
    VALUES ({0}, {0}, {0}, {0}, {0}, 0, 'waiting', {0}, {0}, 0, 'log', {0}, {0}, {0}, {0}, {0}) RETURNING id"""
ATTEMPT = """
    INSERT INTO attempt (destination_id, subscription_id, messages, message_ids, started_at)
    VALUES ({0}, {0}, {0}, {0}, {0}) RETURNING id"""
HOLDER = """
    INSERT INTO holder (subscription_id, person_id, identity, entry_number) VALUES ({0}, {0}, {0}, {0})
    ON CONFLICT (subscription_id, person_id) DO UPDATE SET identity = excluded.identity,
        entry_number = excluded.entry_number"""
PLACEMENT = """
    INSERT INTO placement (subscription_id, identity, there, told_at) VALUES ({0}, {0}, 'in', {0})
    ON CONFLICT (subscription_id, identity) DO UPDATE SET there = excluded.there, told_at = excluded.told_at"""
MOVED = "UPDATE subscription SET position = {0} WHERE id = {0}"
COUNTED = "UPDATE subscription_counts SET waiting = waiting + {0}, applied = applied + {0} WHERE subscription_id = {0}"
ENDED = "UPDATE attempt SET ended_at = {0}, status = 200, verdict = 'applied' WHERE id = {0}"
SENDING = {
    "sqlite": "UPDATE message SET state = 'sending', attempt_id = ?, claimed_until = ? WHERE id = ?",
    "postgresql": """
        UPDATE message SET state = 'sending', attempt_id = %s, claimed_until = %s WHERE id = ANY(%s)""",
}
APPLIED = {
    "sqlite": "UPDATE message SET state = 'applied', attempts = 1, first_tried_at = ?, finished_at = ? WHERE id = ?",
    "postgresql": """
        UPDATE message SET state = 'applied', attempts = 1, first_tried_at = %s, finished_at = %s
        WHERE id = ANY(%s)""",
}


class Floor:
    """On the tables of a relay; `ids` are those of destination, subscription and cohort. Of a set it writes as well who
    holds which identity, and what is there."""

    def __init__(self, url: str, ids: tuple[int, int, int], *, of_a_set: bool) -> None:
        self._destination, self._subscription, self._cohort = ids
        self._of_a_set = of_a_set
        self._dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
        if self._dialect == "sqlite":
            self._db: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=16000"):
                self._db.execute(f"PRAGMA {pragma}")
        else:
            self._db = psycopg.connect(url, row_factory=tuple_row)
            self._db.autocommit = True
        self._place = "?" if self._dialect == "sqlite" else "%s"

    def run(self, batch: int, position: int, tell: Tell) -> float:
        """Tell of all changes behind a position; return the seconds."""
        started = perf_counter()
        with closing(self._db):
            while rows := self._plan(position):
                position = rows[-1][0]
                for start in range(0, len(rows), batch):
                    self._call(rows[start : start + batch], tell)
        return perf_counter() - started

    def _plan(self, position: int) -> list[Row]:
        """Write messages; return their changes, with the ids of the messages at the end."""
        now = round(time() * 1000)
        self._run("BEGIN")
        rows = self._run(CHANGES, self._cohort, position, PLANNED).fetchall()
        values = [self._message(row, now) for row in rows]
        ids = list(self._returned(MESSAGE, values))
        if rows:
            self._run(MOVED, rows[-1][0], self._subscription)
            self._run(COUNTED, len(rows), 0, self._subscription)
        if self._of_a_set:
            self._each(HOLDER, [(self._subscription, row[1], row[2], row[4]) for row in rows])
        self._run("COMMIT")
        return [(*row, key) for row, key in zip(rows, ids, strict=True)]

    def _message(self, row: Row, now: int) -> Row:
        number, person, distinct_id, entered, entry, session, at, *_ = row
        lane = int.from_bytes(hashlib.blake2b(distinct_id.encode(), digest_size=8).digest(), signed=True)
        kind = "entered" if entered else "left"
        ours = (self._destination, self._subscription)
        return (*ours, person, entry, kind, distinct_id, lane, session, at, number, now, now)

    def _returned(self, statement: str, values: Sequence[Row]) -> Iterator[int]:
        written = statement.format(self._place)
        if self._dialect == "sqlite":
            yield from (self._db.execute(written, value).fetchone()[0] for value in values)
            return
        with self._db.cursor() as cursor:
            cursor.executemany(written, values, returning=True)
            for _ in values:
                yield cursor.fetchone()[0]
                cursor.nextset()

    def _call(self, rows: Sequence[Row], tell: Tell) -> None:
        now, ids = round(time() * 1000), [row[-1] for row in rows]
        self._run("BEGIN")
        packed = json.dumps(ids).encode()
        values = (self._destination, self._subscription, len(ids), packed, now)
        (attempt,) = self._run(ATTEMPT, *values).fetchone()
        self._all(SENDING, (attempt, now + 60_000), ids)
        self._run("COMMIT")
        tell(rows)
        self._run("BEGIN")
        self._all(APPLIED, (now, now), ids)
        if self._of_a_set:
            self._each(PLACEMENT, [(self._subscription, row[2], now) for row in rows])
        self._run(ENDED, now, attempt)
        self._run(COUNTED, -len(ids), len(ids), self._subscription)
        self._run("COMMIT")

    def _all(self, statements: dict[str, str], values: Row, ids: list[int]) -> None:
        if self._dialect == "sqlite":
            self._db.executemany(statements["sqlite"], [(*values, key) for key in ids])
        else:
            self._db.execute(statements["postgresql"], (*values, ids))

    def _each(self, statement: str, values: list[Row]) -> None:
        with closing(self._db.cursor()) as cursor:
            cursor.executemany(statement.format(self._place), values)

    def _run(self, statement: str, *values: Any) -> Any:
        return self._db.execute(statement.format(self._place), values)


def webhook(url: str, batch: int) -> Tell:
    """Post signed events, one by one or in a list."""
    session = requests.Session()
    session.trust_env = False

    def event(row: Row) -> dict[str, Any]:
        number, _person, distinct_id, entered, entry, session_id, at, *_ = row
        data = {"project_id": "1", "cohort_id": "bench", "cohort_name": "Bench", "distinct_id": distinct_id}
        data |= {"entry_number": entry, "session_id": session_id, "fields": {}}
        kind = "entered" if entered else "left"
        told = {"type": f"cohort.member.{kind}", "timestamp": f"{_iso(at)}", "data": data}
        return told if batch == 1 else {"id": f"dlv_{number}"} | told

    def tell(rows: Sequence[Row]) -> None:
        events = [event(row) for row in rows]
        told = events[0] if batch == 1 else {"type": "cohort.members.changed", "data": {"changes": events}}
        written = json.dumps(told, separators=(",", ":")).encode()
        signed = hmac.digest(KEY, b"dlv_1.1700000000." + written, "sha256")
        headers = {"Content-Type": "application/json", "webhook-id": "dlv_1", "webhook-timestamp": "1700000000"}
        headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
        session.post(url, data=written, headers=headers, timeout=30).raise_for_status()

    return tell


def _iso(at: int) -> str:
    """Any time will do: the far end of the floor measures nothing."""
    return f"2026-01-01T00:00:{at % 60_000 // 1000:02}.{at % 1000:03}Z"


def listed(url: str) -> Tell:
    """Post ids, a thousand at once."""
    session = requests.Session()
    session.trust_env = False

    def tell(rows: Sequence[Row]) -> None:
        written = json.dumps({"ids": [row[2] for row in rows]}, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        session.post(url, data=written, headers=headers, timeout=30).raise_for_status()

    return tell
