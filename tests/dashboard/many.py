"""A company at size: 63 cohorts that sync every half hour, some 6,000 sessions a day, of which most change nothing."""

import random

from sqlalchemy import Connection, insert, text

from config.clock import DAY, HOUR, MINUTE, SECOND
from models.cohorts import Cohort
from models.failures import Failure
from models.sessions import SyncSession

COHORTS = 63
CYCLE = 30 * MINUTE
CHANGING = 0.35  # of the cycles


def fill(db: Connection, now: int, days: int) -> None:
    """Store so many days of sessions up to `now`, with what goes wrong: an export that has stalled, one that is late,
    one that comes just now, and refused calls."""
    chance, each = random.Random(63), 2 * days * (DAY // CYCLE)
    first = now - days * DAY
    db.execute(insert(Cohort), [_cohort(number, each, first, now) for number in range(1, COHORTS + 1)])
    for cycle in range(days * DAY // CYCLE):
        at = first + cycle * CYCLE
        starts = [(number, at + chance.randrange(20 * MINUTE)) for number in range(1, COHORTS + 1)]
        rows = [
            row
            for number, start in sorted(starts, key=lambda one: one[1])
            for row in _pair(number, cycle, start, chance)
        ]
        db.execute(insert(SyncSession), rows)
    _troubles(db, now)


def _cohort(number: int, sessions: int, first: int, now: int) -> dict[str, object]:
    return {
        "project_id": "1",
        "mixpanel_cohort_id": str(5000 + number),
        "name": f"Segment {number:02} of customers",
        "description": "",
        "member_count": 1000 * number,
        "version": sessions,
        "session_count": sessions,
        "change_count": 0,
        "newest_refresh": 0,
        "complete_refresh": 0,
        "created_at": first,
        "first_synced_at": first,
        "last_synced_at": now - 12 * MINUTE,
        "last_call_at": now - 12 * MINUTE,
    }


def _pair(cohort: int, cycle: int, at: int, chance: random.Random) -> list[dict[str, object]]:
    moved = [chance.randrange(1, 40) if chance.random() < CHANGING else 0 for _action in ("add", "remove")]
    return [
        _session(cohort, 2 * cycle + place + 1, f"s{cohort}-{cycle}", action, at + place * SECOND, moved[place])
        for place, action in enumerate(("add_members", "remove_members"))
    ]


def _session(cohort: int, number: int, session: str, action: str, at: int, moved: int) -> dict[str, object]:
    return {
        "cohort_id": cohort,
        "number": number,
        "mixpanel_session_id": session,
        "action": action,
        "connection_id": 1,
        "status": "complete",
        "unclear": False,
        "total_pages": 1,
        "pages_received": 1,
        "received": moved,
        "entered": moved if action == "add_members" else 0,
        "left_count": moved if action == "remove_members" else 0,
        "unchanged": 0,
        "rejected": 0,
        "replayed": 0,
        "first_change": 0,
        "last_change": 0,
        "started_at": at,
        "last_page_at": at + SECOND,
        "completed_at": at + SECOND,
    }


def _troubles(db: Connection, now: int) -> None:
    open_ = text("""
        UPDATE sync_session SET status = :status, completed_at = NULL, total_pages = 40, pages_received = 7,
            last_page_at = :at, started_at = :at - 6000
        WHERE id = (SELECT max(id) FROM sync_session WHERE cohort_id = :cohort)""")
    for cohort, status, silent in ((18, "stalled", 3 * HOUR), (44, "receiving", 4 * MINUTE), (45, "receiving", 0)):
        db.execute(open_, {"status": status, "at": now - silent, "cohort": cohort})
    failure = {
        "status": 400,
        "cause": "impossible_page",
        "message": "page_count must be between 1 and 10, got 0",
        "connection": "crm",
        "project_id": "1",
        "cohort_id": "5040",
        "action": "members",
        "body_bytes": 10,
        "request_id": "r",
        "traceback": None,
        "count": 3,
    }
    db.execute(insert(Failure), [failure | {"at": now - MINUTE, "last_at": now - MINUTE}])
