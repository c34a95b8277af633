"""Reporting back to Mixpanel: an event for each message that reached its destination.

An event has the same time and the same `$insert_id` however often it is sent, so that Mixpanel counts it once. It goes
through the same sender as every other call, into the history of calls. A report has a state of its own beside its
message's: due, reported or failed.
"""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import structlog
from sqlalchemy import Connection, Row, text

from config.clock import MINUTE
from destinations import id_lists, subscriptions
from destinations.subscriptions import Subscription
from models.encryption import DecryptionError
from outbound import projects, send
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.transport.attempts import Outcome
from runtime import Runtime

log = structlog.get_logger()

STEP = 1000  # events of a call
AGAIN = MINUTE  # after which a call that came to nothing is made again
OPERATION = "import-events"
WHO = "destinations"

_DUE = text("SELECT id FROM subscription WHERE report_event IS NOT NULL AND status = 'active' ORDER BY id")
_ROWS = text("""
    SELECT m.id, m.person_id, m.kind, m.entry_number, m.generation, m.state, m.finished_at, p.distinct_id, p.erased_at
    FROM (
        SELECT * FROM message WHERE subscription_id = :id AND report = 'due' ORDER BY id LIMIT :step) m
    JOIN person p ON p.id = m.person_id ORDER BY m.id""")
_NOTE = id_lists.for_each_database("ids", "UPDATE message SET report = :report WHERE id IN {ids}")


class Reporter:
    """Reports what is due; one call a subscription at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._not_before: dict[int, int] = {}

    def report(self) -> int:
        """Return how many reports came to an end. Raises DatabaseUnavailable."""
        database, now = self._runtime.database, self._runtime.clock()
        ended = 0
        for number in database.read(lambda db: list(db.execute(_DUE).scalars()), one_statement=True):
            if self._not_before.get(number, 0) <= now:
                found = self._of(number)
                if found is None:
                    self._not_before[number] = now + AGAIN
                ended += found or 0
        return ended

    def _of(self, number: int) -> int | None:
        """Report some messages of a subscription; None where the call came to nothing."""
        database = self._runtime.database
        known, rows = database.read(lambda db: (subscriptions.by_id(db, number), _due(db, number)))
        if known is None or not rows:
            return 0
        gone = [row.id for row in rows if row.erased_at is not None]
        rows = [row for row in rows if row.erased_at is None]
        outcome = self._send(known, rows) if rows else None
        if rows and outcome is None:
            return None
        failed = {record.index for record in outcome.failed_records} if outcome is not None else set()
        if outcome is not None and not outcome.accepted and not failed:
            return None
        bad = gone + [row.id for place, row in enumerate(rows) if place in failed]
        good = [row.id for place, row in enumerate(rows) if place not in failed]
        database.write(lambda db: _note(db, good, bad))
        return len(good) + len(bad)

    def _send(self, known: Subscription, rows: Sequence[Row[Any]]) -> Outcome | None:
        runtime = self._runtime
        project = runtime.database.read(lambda db: projects.by_mixpanel_id(db, known.project_id), one_statement=True)
        if project is None:
            log.warning("destinations.no_project_to_report_to", project=known.project_id, subscription=known.id)
            return None
        given = CallInput(body=[event(known, row) for row in rows])
        try:
            call = send.ready(runtime, project, registry.OPERATIONS[OPERATION], given)
        except DecryptionError:
            return None
        delivery = send.prepare(runtime, call, WHO, "destination")
        return send.finish(runtime, call, delivery)


def event(known: Subscription, row: Any) -> dict[str, Any]:
    """Return the event that reports a message."""
    named = f"{known.destination_id}/{known.id}/{row.person_id}/{row.entry_number}/{row.kind}/{row.generation}"
    return {
        "event": known.report_event,
        "properties": {
            "time": row.finished_at,
            "distinct_id": row.distinct_id,
            "$insert_id": str(uuid5(NAMESPACE_URL, f"cohort-relay:{named}/{known.report_event}")),
            "$source": "cohort-relay",
            "cohort_id": known.cohort_id,
            "cohort_name": known.cohort_name,
            "destination": known.destination,
            "destination_type": known.type,
            "entry_number": row.entry_number,
            "kind": row.kind,
            "delivery_id": row.id,
            "delivery_state": row.state,
        },
    }


def _due(db: Connection, number: int) -> Sequence[Row[Any]]:
    return db.execute(_ROWS, {"id": number, "step": STEP}).all()


def _note(db: Connection, good: list[int], bad: list[int]) -> None:
    for report, ids in (("reported", good), ("failed", bad)):
        if ids:
            db.execute(_NOTE[db.dialect.name], {"report": report, "ids": msgspec.json.encode(ids).decode()})
