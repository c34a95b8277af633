"""Sending: a row before the socket opens, the call, and the row completed after it closed.

No transaction is open while a socket is. What a row or an outcome says has its credentials masked.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import Connection

from config.clock import SECOND, iso
from models.database import DatabaseUnavailable
from outbound import deliveries, idempotency
from outbound.downloads import pages
from outbound.downloads import progress as downloads
from outbound.downloads.folder import folder_of
from outbound.downloads.receiver import Receiver, Told, nobody_is_told
from outbound.downloads.targets import KeptFile, Target
from outbound.idempotency import CallName
from outbound.operations.types import CallInput, Composed, Operation
from outbound.projects import Credentials, Project
from outbound.request.compose import budget_of, compose
from outbound.request.masking import Mask, mask_of
from outbound.result import response
from outbound.transport import budget, hosts
from outbound.transport.addresses import anywhere, public_only
from outbound.transport.attempts import Outcome, Sleep, attempt
from outbound.transport.client import STREAM_WITHIN, Client
from outbound.transport.retry import longest, only_reads
from runtime import Runtime

log = structlog.get_logger()


@dataclass(frozen=True)
class PreparedCall:
    """A call that can be made: composed, with the credentials that it was composed with. Only in memory."""

    project: Project
    credentials: Credentials
    composed: Composed

    @property
    def mask(self) -> Mask:
        return mask_of(self.credentials, self.composed)


def ready(runtime: Runtime, project: Project, operation: Operation, given: CallInput) -> PreparedCall:
    """Return the call of `operation` with what was given; its problems are in `composed`. Raises
    models.encryption.DecryptionError."""
    credentials = project.credentials(runtime.cipher)
    composed = compose(operation, project, credentials, given, runtime.clock(), runtime.settings.mixpanel_base_url)
    return PreparedCall(project, credentials, composed)


def client_of(runtime: Runtime, project: Project, receiver: Receiver | None = None) -> Client:
    """Return a client that may call this project's servers, and no others; a `receiver` takes long answers."""
    allowed = hosts.allowed(project.region, runtime.settings.mixpanel_base_url)
    return Client(
        runtime.settings.send_timeout_seconds,
        allowed,
        policy=anywhere if runtime.settings.mixpanel_base_url else public_only,
        receiver=receiver,
    )


def prepare(runtime: Runtime, call: PreparedCall, who: str, source: str) -> int:
    """Write the row of the call, and return its id; `finish` has to follow."""
    during = _during(runtime, call)
    return runtime.database.write(
        lambda db: deliveries.open_row(db, call.project, call.composed, call.mask, who, source, during)
    )


class OtherContent(Exception):
    """The name of the call was given to another content before."""


def prepare_once(
    runtime: Runtime, call: PreparedCall, who: str, source: str, name: CallName | None
) -> tuple[int, bool]:
    """Return the row of the call and True, or, where a call of this name was made before, its row and False. Raises
    OtherContent."""
    if name is None:
        return prepare(runtime, call, who, source), True
    during = _during(runtime, call)

    def write(db: Connection) -> tuple[int, bool]:
        if not idempotency.claim(db, name, during[0]):
            is_same, delivery = idempotency.known(db, name)
            if not is_same:
                raise OtherContent
            return delivery, False
        delivery = deliveries.open_row(db, call.project, call.composed, call.mask, who, source, during)
        idempotency.became(db, name, delivery)
        return delivery, True

    return runtime.database.write(write)


def _during(runtime: Runtime, call: PreparedCall) -> tuple[int, int]:
    """Return when the call begins, and by when it is over at the latest; milliseconds since 1970."""
    now = runtime.clock()
    settings = runtime.settings
    seconds = longest(call.composed, settings.send_attempts, settings.send_pause_seconds, settings.send_timeout_seconds)
    return now, now + round(seconds * SECOND)


def finish(
    runtime: Runtime,
    call: PreparedCall,
    delivery: int,
    sleep: Sleep = time.sleep,
    *,
    to: Target | None = None,
    told: Told = nobody_is_told,
) -> Outcome:
    """Make the call, and complete its row. Its answer goes `to` a target, else where it is long into the folder of
    downloads; `told` hears how far it is, and may stop it. What came of it is told even where the row cannot be
    completed: a fault of ours after a call must not look as if the call had failed."""
    receiver = _receiver(runtime, call, delivery, to, told)
    outcome = without_secrets(_made(runtime, call, receiver, sleep), call.mask)

    def write(db: Connection) -> None:
        deliveries.finish(db, delivery, outcome, call.mask)
        if outcome.answer is not None and outcome.answer.received is not None:
            downloads.end(db, delivery, runtime.clock(), outcome.answer.received)

    try:
        runtime.database.write(write)
    except DatabaseUnavailable as error:
        log.warning("send.not_noted", delivery=delivery, verdict=outcome.verdict, cause=str(error))
        return replace(outcome, words=f"{outcome.words} {NOT_NOTED}")
    return outcome


NOT_NOTED = "Our own database did not answer afterwards, so the history does not say so."


def wants_every(call: PreparedCall) -> bool:
    """Tell whether all pages of an answer are one."""
    return pages.wants_every(call.composed.given)


def _made(runtime: Runtime, call: PreparedCall, receiver: Receiver, sleep: Sleep) -> Outcome:
    key, composed = call.project.mixpanel_project_id, call.composed
    if not wants_every(call):
        return attempt(runtime, client_of(runtime, call.project, receiver), key, composed, sleep)
    client = client_of(runtime, call.project)

    def ask(given: CallInput) -> Outcome:
        page = compose(
            composed.operation,
            call.project,
            call.credentials,
            given,
            runtime.clock(),
            runtime.settings.mixpanel_base_url,
        )
        return attempt(runtime, client, key, page, sleep)

    return pages.every(composed.given, ask, receiver)


def _receiver(runtime: Runtime, call: PreparedCall, delivery: int, to: Target | None, told: Told) -> Receiver:
    operation = call.composed.operation
    target = to or KeptFile(folder_of(runtime), always=operation.answer == "binary")

    def note(size: int, records: int | None) -> bool:
        try:
            asked = runtime.database.write(
                lambda db: downloads.note(db, delivery, runtime.clock(), size, records, target.name)
            )
        except DatabaseUnavailable:
            asked = False  # how far it is can wait
        return told(size, records) or asked

    return Receiver(operation, call.mask, target, note, lasting=only_reads(call.composed))


def without_secrets(outcome: Outcome, mask: Mask) -> Outcome:
    """Return the outcome with everything masked that Mixpanel may have repeated in its words; its answer stays as it
    came."""
    failed = tuple(
        replace(
            record, insert_id=_of(mask, record.insert_id), field=_of(mask, record.field), message=mask(record.message)
        )
        for record in outcome.failed_records
    )
    return replace(outcome, words=mask(outcome.words), failed_records=failed)


def _of(mask: Mask, text: str | None) -> str | None:
    return None if text is None else mask(text)


def send(runtime: Runtime, call: PreparedCall, who: str, source: str) -> tuple[int, Outcome]:
    """Prepare the call and make it; return its row's id, and what came of it."""
    delivery = prepare(runtime, call, who, source)
    return delivery, finish(runtime, call, delivery)


@contextmanager
def streamed(
    runtime: Runtime, call: PreparedCall, within: float = STREAM_WITHIN
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield the status and the body of a long answer, piece by piece and without a row, within the budget of its family
    and `within` seconds. Raises budget.Spent and what the client raises."""
    request, family = call.composed.outgoing, budget_of(call.composed)
    place = budget.take(runtime, call.project.mixpanel_project_id, family) if family else None
    try:
        with client_of(runtime, call.project).stream(request, within) as (status, pieces):
            yield status, pieces
    finally:
        if place is not None:
            budget.give_back(runtime, place)


def as_json(delivery: int, outcome: Outcome, mask: Mask) -> dict[str, Any]:
    """Return an outcome of `send` for programs: the reply of the JSON API and of `flask send --json`."""
    return {
        "delivery": delivery,
        "verdict": outcome.verdict,
        "accepted": outcome.accepted,
        "failed_records": [
            {"index": record.index, "insert_id": record.insert_id, "field": record.field, "message": record.message}
            for record in outcome.failed_records
        ],
        "words": outcome.words,
        "frees_at": iso(outcome.frees_at),
        "attempts": outcome.attempts,
        "status": outcome.status,
        "answer": answer_json(None if outcome.answer is None else mask(outcome.answer.text)),
    }


def answer_json(text: str | None) -> Any:
    """Return an answer as JSON where it is that, else as a text."""
    if text is None:
        return None
    try:
        return response.read(text)
    except response.NotJSON:
        return response.storable(text)
