"""A company's worth of stored data for the dashboard's pages: one cohort of a million members, 199 smaller ones, 2,000
sessions (one of 10,000 pages), 10,000 failures. Written in sets; every count is true (S10, S14)."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
import xxhash

from benchmarks import stored
from benchmarks.pages import PROJECT, distinct_ids
from config.clock import DAY, MINUTE
from models.cohorts import Cohort, Membership, MembershipChange
from models.failures import Failure
from models.sessions import SyncPage, SyncSession
from sync import id_sets

SESSIONS = 10  # of each cohort: a refresh that brings everybody in ten parts, all but the last of them diffs
LEAVERS = 100  # of each cohort, who left in its last session
PAGES = 10_000  # of the one session that has more pages than a strip has cells
CAUSES = (
    (400, "impossible_page", "page_count must be between 1 and total_pages (10), got 0."),
    (401, "wrong_credentials", "The username or password is not one of this connection's live ones."),
    (503, "switched_off", "This connection is switched off; nothing was stored. Send again later."),
    (429, "too_many_calls", "Too many calls from this connection; nothing was stored. Send again."),
    (500, "fault", "Something went wrong on our side; nothing was stored. Send again."),
)


@dataclass(frozen=True)
class Company:
    """How much there is."""

    people: int = 1_000_000
    cohorts: int = 200
    small: int = 5_000  # members of every cohort but the first, which has everybody
    failures: int = 10_000


class Writer:
    """The raw driver of either database, taking `?` for values."""

    def __init__(self, url: str) -> None:
        self.on_sqlite = url.startswith("sqlite")
        path = url.removeprefix("sqlite:///")
        self.db: Any = sqlite3.connect(path) if self.on_sqlite else psycopg.connect(url)

    def run(self, sql: str, values: tuple[Any, ...] = ()) -> None:
        self.db.execute(sql if self.on_sqlite else sql.replace("%", "%%").replace("?", "%s"), values)

    def insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        """Rows of one model's table, as dictionaries of its columns' names."""
        names = list(rows[0])
        marks = ", ".join(["?"] * len(names))
        sql = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})"
        with closing(self.db.cursor()) as cursor:
            cursor.executemany(
                sql if self.on_sqlite else sql.replace("?", "%s"), [tuple(row[name] for name in names) for row in rows]
            )

    def close(self) -> None:
        self.db.commit()
        self.db.close()


def fill(url: str, now: int, company: Company = Company()) -> None:
    """Fill the tables at `url`, which hold only a connection `crm` with id 1; ends 4 minutes before `now`."""
    stored.fill(url, distinct_ids(company.people, seed=1))
    writer = Writer(url)
    for number in range(1, company.cohorts + 1):
        size = company.people if number == 1 else min(company.small, company.people)
        _cohort(writer, number, size, random.Random(number).randrange(company.people - size + 1), now)
    _long_session(writer, now)
    _failures(writer, company, now)
    writer.close()
    if not writer.on_sqlite:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("VACUUM ANALYZE")


def _cohort(writer: Writer, number: int, size: int, offset: int, now: int) -> None:
    """Cohort `number` with the people `offset + 1` to `offset + size`, who came in ten sessions over ten days."""
    part = size // SESSIONS
    at = [now - (SESSIONS - place) * DAY + (DAY - 4 * MINUTE) for place in range(1, SESSIONS + 1)]
    left = min(LEAVERS, part)
    writer.insert(
        Cohort,
        [
            {
                "id": number,
                "project_id": PROJECT,
                "mixpanel_cohort_id": str(3000 + number),
                "name": f"Segment {number:03d}" if number > 1 else "Everybody",
                "description": "made for measuring",
                "member_count": size - left,
                "version": SESSIONS,
                "session_count": SESSIONS,
                "change_count": size + left,
                "newest_refresh": 1,
                "complete_refresh": 1,
                "created_at": at[0],
                "first_synced_at": at[0],
                "last_synced_at": at[-1],
                "last_call_at": at[-1],
            }
        ],
    )
    first = (number - 1) * SESSIONS + 1
    writer.insert(SyncSession, [_session(number, first, place, part, left, size, at) for place in range(SESSIONS)])
    named = [range(offset + place * part + 1, offset + (place + 1) * part + 1) for place in range(SESSIONS)]
    writer.insert(SyncPage, [_page(first + place, 1, part, at[place], named[place]) for place in range(SESSIONS)])
    _memberships(writer, number, first, size, offset, part, left, at)


def _session(cohort: int, first: int, place: int, part: int, left: int, size: int, at: list[int]) -> dict[str, Any]:
    last = place == SESSIONS - 1
    return {
        "id": first + place,
        "cohort_id": cohort,
        "number": place + 1,
        "mixpanel_session_id": f"session-{cohort}-{place}",
        "action": "members" if place == 0 else "add_members",
        "connection_id": 1,
        "status": "complete",
        "unclear": False,
        "total_pages": 1,
        "pages_received": 1,
        "received": part + (left if last else 0),
        "entered": part,
        "left_count": left if last else 0,
        "unchanged": 0,
        "rejected": 0,
        "replayed": 0,
        "first_change": place * part + 1,
        "last_change": size + left if last else (place + 1) * part,
        "started_at": at[place] - 2 * MINUTE,
        "last_page_at": at[place],
        "completed_at": at[place],
    }


def _page(session: int, page: int, entered: int, at: int, named: range) -> dict[str, Any]:
    received = len(named)
    return {
        "session_id": session,
        "page": page,
        "body_digest": xxhash.xxh3_128_digest(f"{session} {page}".encode()),
        "received": received,
        "entered": entered,
        "left_count": 0,
        "unchanged": received - entered,
        "rejected": 0,
        "replays": 0,
        "applied": True,
        "seen": id_sets.encode(named),
        "received_at": at,
    }


def _memberships(
    writer: Writer, cohort: int, first: int, size: int, offset: int, part: int, left: int, at: list[int]
) -> None:
    """Everybody enters in the order of their person ids; the first `left` of them leave at the end."""
    days = f"{at[0]} + ((id - {offset} - 1) / {part}) * {DAY}"
    among = f"FROM person WHERE id > {offset} AND id <= {offset + size}"
    yes, no = ("1", "0") if writer.on_sqlite else ("true", "false")
    writer.run(f"""
        INSERT INTO {Membership.__tablename__}
            (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
        SELECT {cohort}, id, {days}, CASE WHEN id - {offset} <= {left} THEN {at[-1]} END, 1,
            CASE WHEN id - {offset} <= {left} THEN {SESSIONS} ELSE (id - {offset} - 1) / {part} + 1 END,
            CASE WHEN id - {offset} <= {left} THEN {size} + id - {offset} ELSE id - {offset} END {among}""")
    log = f"""INSERT INTO {MembershipChange.__tablename__}
        (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)"""
    writer.run(f"""{log} SELECT {cohort}, id - {offset}, id, {yes}, 1, {first} + (id - {offset} - 1) / {part}, {days}, 0
        {among}""")
    writer.run(f"""{log} SELECT {cohort}, {size} + id - {offset}, id, {no}, 1, {first + SESSIONS - 1}, {at[-1]},
        id - {offset} FROM person WHERE id > {offset} AND id <= {offset + left}""")


def _long_session(writer: Writer, now: int) -> None:
    """The first cohort's newest export: of 10,000 pages all have come but three, and it is still receiving."""
    missing = {31, 36, PAGES}
    here = [page for page in range(1, PAGES + 1) if page not in missing]
    row = _session(1, 0, 0, 0, 0, 0, [now]) | {
        "id": 1_000_000,
        "number": SESSIONS + 1,
        "mixpanel_session_id": "long",
        "status": "receiving",
        "total_pages": PAGES,
        "pages_received": len(here),
        "received": len(here) * 1000,
        "entered": 0,
        "unchanged": len(here) * 1000,
        "first_change": 0,
        "last_change": 0,
        "completed_at": None,
    }
    writer.insert(SyncSession, [row])
    writer.insert(SyncPage, [_page(1_000_000, page, 0, now, range(page * 90, page * 90 + 1000)) for page in here])
    newest = (SESSIONS + 1, SESSIONS + 1)
    writer.run("UPDATE cohort SET session_count = ?, newest_refresh = ? WHERE id = 1", newest)


def _failures(writer: Writer, company: Company, now: int) -> None:
    """One every ten minutes or so, of five causes, at 40 cohorts."""
    dice = random.Random(5)
    rows = []
    for number in range(company.failures):
        status, cause, message = CAUSES[number % len(CAUSES)]
        at = now - (company.failures - number) * 10 * MINUTE - 3 * DAY
        rows.append(
            {
                "at": at,
                "last_at": at + MINUTE // 2,
                "count": dice.randrange(1, 6),
                "connection": "crm",
                "project_id": PROJECT,
                "cohort_id": str(3001 + dice.randrange(40)),
                "action": "members",
                "status": status,
                "cause": cause,
                "message": message,
                "request_id": f"{number:032x}",
                "body_bytes": 214_000,
            }
        )
    writer.insert(Failure, rows)
