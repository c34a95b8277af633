"""Messages and attempts as people read them: by state, by person, and call by call."""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations.subscriptions import Subscription

AFTER_ALL = 2**63 - 1

_COLUMNS = """m.id, m.kind, p.distinct_id, m.entry_number, m.state, m.reason, m.attempts, m.origin, m.at, m.next_at,
    m.first_tried_at, m.attempt_id, m.report, m.created_at, m.finished_at"""
# The messages first and by themselves, then their people one by one, as `models.queries.members` does.
_LIST = """
    SELECT {columns} FROM (
        SELECT * FROM message
        WHERE subscription_id = :subscription AND id < :before {filters} ORDER BY id DESC LIMIT :limit) m
    CROSS JOIN person p WHERE p.id = m.person_id ORDER BY m.id DESC"""
_PERSON = text("SELECT id FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id")
_OF_PERSON = text(f"""
    SELECT {_COLUMNS}, m.subscription_id, d.name AS destination, d.type
    FROM subscription s JOIN message m ON m.subscription_id = s.id AND m.person_id = :person
    JOIN destination d ON d.id = s.destination_id JOIN person p ON p.id = m.person_id
    WHERE m.id < :before ORDER BY m.id DESC LIMIT :limit""")  # noqa: S608 - our own columns
_ATTEMPTS = text("""
    SELECT id, messages, status, verdict, reason, answer, started_at, ended_at, ended_at - started_at AS duration_ms
    FROM attempt WHERE subscription_id = :subscription AND id < :before ORDER BY id DESC LIMIT :limit""")
_ATTEMPT = text("""
    SELECT id, messages, message_ids, status, verdict, reason, answer, started_at, ended_at,
        ended_at - started_at AS duration_ms
    FROM attempt WHERE subscription_id = :subscription AND id = :id""")
_REASONS = text("""
    SELECT reason, count(*) AS messages FROM message WHERE subscription_id = :subscription AND state = :state
    GROUP BY reason ORDER BY messages DESC, reason LIMIT 100""")


def listed(
    db: Connection,
    subscription: Subscription,
    *,
    state: str = "",
    distinct_id: str = "",
    before: int = AFTER_ALL,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return messages, the newest first, from before an id on: of a state, of a person, or all."""
    values: dict[str, Any] = {"subscription": subscription.id, "before": before, "limit": limit}
    filters = ""
    if state:
        filters, values["state"] = "AND state = :state", state
    if distinct_id:
        person = person_of(db, subscription.project_id, distinct_id)
        filters, values["person"] = f"{filters} AND person_id = :person", person if person is not None else -1
    return db.execute(text(_LIST.format(columns=_COLUMNS, filters=filters)), values).all()


def person_of(db: Connection, project_id: str, distinct_id: str) -> int | None:
    """Return our own id of a person, None for nobody we know."""
    found: int | None = db.execute(_PERSON, {"project_id": project_id, "distinct_id": distinct_id}).scalar_one_or_none()
    return found


def of_person(db: Connection, person_id: int, before: int = AFTER_ALL, limit: int = 100) -> Sequence[Row[Any]]:
    """Return what was told of a person to whom, the newest first."""
    return db.execute(_OF_PERSON, {"person": person_id, "before": before, "limit": limit}).all()


def reasons(db: Connection, subscription: Subscription, state: str) -> Sequence[Row[Any]]:
    """Return how many messages are in a state for each `reason`, the most frequent first."""
    return db.execute(_REASONS, {"subscription": subscription.id, "state": state}).all()


def attempts(
    db: Connection, subscription: Subscription, before: int = AFTER_ALL, limit: int = 100
) -> Sequence[Row[Any]]:
    """Return the calls, the newest first, from before an id on."""
    return db.execute(_ATTEMPTS, {"subscription": subscription.id, "before": before, "limit": limit}).all()


def attempt(db: Connection, subscription: Subscription, attempt_id: int) -> Row[Any] | None:
    """Return one call, with the packed ids of its messages."""
    return db.execute(_ATTEMPT, {"subscription": subscription.id, "id": attempt_id}).one_or_none()


def packed(ids: Iterable[int]) -> bytes:
    """Return ids in a few bytes each."""
    ordered = sorted(ids)
    steps = array("q", [after - before for before, after in zip([0, *ordered], ordered, strict=False)])
    return zlib.compress(steps.tobytes(), 1)


def unpacked(blob: bytes) -> list[int]:
    """Return the ids that `packed` made small."""
    steps = array("q")
    steps.frombytes(zlib.decompress(blob))
    found, last = [], 0
    for step in steps:
        last += step
        found.append(last)
    return found
