"""One look: the raw export of the event's days, searched for its `$insert_id`, within the budget of exports."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from config.clock import DAY, SECOND
from models.database import DatabaseUnavailable
from models.encryption import DecryptionError
from outbound import deliveries, projects, send
from outbound.deliveries import Delivery
from outbound.delivery_check import causes, jobs
from outbound.delivery_check.event import Sought, records
from outbound.delivery_check.jobs import DeliveryCheck, LookResult
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.result import response
from outbound.transport import budget
from outbound.transport.client import Broken, Forbidden, Unreached
from outbound.transport.retry import passes
from runtime import Runtime

log = structlog.get_logger()

# Seconds until the next look: events are usually there within a minute, and sometimes within ten.
PAUSES = (10, 15, 20, 30, 60, 120, 240, 300)
MOST_LINES = 100_000  # events of one name on three days that a look reads
SAID = 400
LOOK_WITHIN = 100.0  # seconds: less than the lease
LONGEST_LINE = 4 * 1024 * 1024  # bytes
OK = 200


def look_once(runtime: Runtime) -> bool:
    """Look for one event whose turn it is; whether there was one."""
    now = runtime.clock()
    found = runtime.database.read(lambda db: jobs.due(db, now), one_statement=True)
    if found is None:
        return False
    claimed = runtime.database.write(lambda db: jobs.claim(db, found, now))
    if claimed is not None:
        looked = _looked(runtime, claimed)
        runtime.database.write(lambda db: jobs.end(db, claimed, looked))
    return claimed is not None


def _looked(runtime: Runtime, check: DeliveryCheck) -> LookResult:
    """Return what a look finds; a fault of ours ends it, instead of being met again and again."""
    try:
        return look(runtime, check)
    except DecryptionError:
        return LookResult("stopped", causes.SEALED, counts=False)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        cause = (type(error), None, error.__traceback__)
        log.warning("landing.failed", landing=check.id, error=type(error).__name__, exc_info=cause)
        return LookResult("stopped", causes.FAULT, counts=False)


def look(runtime: Runtime, check: DeliveryCheck) -> LookResult:
    """Return what a look finds."""
    delivery = runtime.database.read(lambda db: deliveries.by_id(db, check.delivery_id), one_statement=True)
    if delivery is None:
        return LookResult("stopped", "The call is not in the history any more.", counts=False)
    project = runtime.database.read(lambda db: projects.by_name(db, delivery.project), one_statement=True)
    if project is None:
        return LookResult("stopped", causes.NO_PROJECT.format(name=delivery.project), counts=False)
    wanted = Sought(check.event, check.distinct_id, check.insert_id, check.event_at)
    try:
        seen = _exported(runtime, project, wanted)
    except budget.Spent as spent:
        return LookResult("waiting", causes.BUDGET, spent.frees_at or runtime.clock() + 10 * SECOND, counts=False)
    except (Unreached, Broken, Forbidden) as error:
        return _later(runtime, check) or LookResult("stopped", causes.unanswered(str(error)))
    if isinstance(seen, Refusal):
        return _refused(runtime, check, seen)
    return _seen(runtime, check, seen, wanted) or _unseen(runtime, check, delivery, project, wanted)


def _refused(runtime: Runtime, check: DeliveryCheck, refusal: "Refusal") -> LookResult:
    again = _later(runtime, check) if passes(refusal.status) else None
    return again or LookResult("stopped", causes.refused(refusal.status, refusal.words))


def _seen(runtime: Runtime, check: DeliveryCheck, seen: "ExportedLines", wanted: Sought) -> LookResult | None:
    if seen.copies:
        return LookResult("visible", "\n".join(_of_copies(seen, wanted)), visible_at=runtime.clock())
    if seen.is_odd:
        return _later(runtime, check) or LookResult("stopped", causes.unanswered(causes.ODD))
    return LookResult("stopped", causes.FLOODED.format(count=seen.lines)) if seen.lines >= MOST_LINES else None


def _unseen(runtime: Runtime, check: DeliveryCheck, delivery: Delivery, project: Project, wanted: Sought) -> LookResult:
    """Another look later; after the last one the likely causes."""
    sent = next((record for record in records(delivery) if _insert_id(record) == wanted.insert_id), {})
    why = causes.missing(delivery, sent, wanted, project, runtime.clock())
    return _later(runtime, check) or LookResult("missing", "\n".join(why))


def hindrance(project: Project) -> str:
    """Why no look is possible; empty where one is."""
    if project.sealed_username and project.sealed_secret:
        return ""
    return causes.NO_ACCOUNT.format(name=project.name)


@dataclass(frozen=True)
class Refusal:
    """A look that Mixpanel did not answer with events."""

    status: int
    words: str


@dataclass(frozen=True)
class ExportedLines:
    """How many lines came, and those with the insert id; `is_odd` says that a line was no event."""

    lines: int
    copies: list[dict[str, Any]]
    is_odd: bool = False


def _later(runtime: Runtime, check: DeliveryCheck) -> LookResult | None:
    """Another look after a pause; None once it was the last."""
    if check.looks + 1 >= len(PAUSES):
        return None
    return LookResult("waiting", None, runtime.clock() + PAUSES[check.looks + 1] * SECOND)


def _exported(runtime: Runtime, project: Project, wanted: Sought) -> ExportedLines | Refusal:
    """Raises budget.Spent and what the client raises."""
    given = {
        "from_date": _day(wanted.at - DAY),  # the project's days may be another time zone's
        "to_date": _day(min(wanted.at + DAY, max(runtime.clock(), wanted.at))),
        "event": [wanted.event],
        "where": f'properties["$insert_id"] == {json.dumps(wanted.insert_id)}',
    }
    call = send.ready(runtime, project, registry.OPERATIONS["raw-event-export"], CallInput(given))
    if call.composed.request is None:
        first = next((problem.message for problem in call.composed.problems if problem.level == "error"), "")
        return Refusal(400, first)
    with send.streamed(runtime, call, LOOK_WITHIN) as (status, pieces):
        if status != OK:
            return Refusal(status, call.mask(response.storable(_beginning(pieces).decode("utf-8", "replace"))))
        return _searched(_lines(pieces), wanted)


def _searched(lines: Iterable[bytes], wanted: Sought) -> ExportedLines:
    """To the end, or to the first line that is no event: an error among them, HTML, half a line."""
    many = 0
    found: list[dict[str, Any]] = []
    for line in lines:
        event = _event(line)
        if event is None:
            return ExportedLines(many, found, is_odd=True)
        many += 1
        found += [event] if _insert_id(event) == wanted.insert_id else []
        if many >= MOST_LINES:
            break
    return ExportedLines(many, found)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Line by line; one that is longer than any event comes as it is so far, and is the last."""
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        yield from filter(bytes.strip, whole)
        if len(held) > LONGEST_LINE:
            break
    if held.strip():
        yield held


def _beginning(pieces: Iterable[bytes]) -> bytes:
    found = b""
    for piece in pieces:
        found += piece
        if len(found) >= SAID:
            break
    return found[:SAID]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = response.read(line.decode("utf-8", "replace"))
    except response.NotJSON:
        return None
    is_event = isinstance(found, dict) and "event" in found and isinstance(found.get("properties"), dict)
    return found if is_event else None


def _insert_id(event: dict[str, Any]) -> Any:
    properties = event.get("properties")
    return properties.get("$insert_id") if isinstance(properties, dict) else None


def _of_copies(seen: ExportedLines, wanted: Sought) -> Iterator[str]:
    """Yield what is worth knowing about an event that is there."""
    kept = str(seen.copies[0]["properties"].get("distinct_id", ""))
    if kept != wanted.distinct_id:
        yield causes.merged(kept)
    if len(seen.copies) > 1:
        yield causes.copies(len(seen.copies))


def _day(moment: int) -> str:
    return str(datetime.fromtimestamp(max(0, moment) / 1000, UTC).date())
