"""Sending the batches of an import, each in a thread of the pool, with its row before and after."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from outbound import deliveries, send
from outbound.imports import failures, jobs, source
from outbound.imports.batches import Batch, batches
from outbound.imports.claimed_import import ClaimedImport
from outbound.imports.memory_limit import MemoryLimit
from outbound.imports.preparation import Preparation
from outbound.readers.objects import ReadRecord
from outbound.result.verdict import is_of_call
from outbound.transport.attempts import Outcome, Trail, attempt

AGAIN = "Our process stopped while this batch was under way; it was sent again."
KEPT_RECORDS = 20  # failed records that the row of a batch repeats; the import has all of them
UNHEARD = Outcome("uncertain", deliveries.LEFT_ALONE, 0, (), Trail(), 0)
NOTHING_TO_SEND = Outcome(
    "rejected", "Our checks refused every record of this stretch; nothing was sent.", 0, (), Trail(), 0
)


class BatchSender:
    """Sends batches of one import; its methods may be called by many threads at once."""

    def __init__(self, claimed: ClaimedImport, prepared: Preparation, memory: MemoryLimit) -> None:
        self.claimed, self.prepared, self.memory = claimed, prepared, memory
        self.runtime, self.job = claimed.runtime, claimed.job

    def send(self, batch: Batch) -> None:
        """Send a batch for which there is room in memory, and give that back."""
        try:
            if not self.claimed.halt.is_set():
                self._deliver(batch)
        finally:
            self.memory.give_back(batch.size)

    def settle_left_open(self) -> list[tuple[int, int]]:
        """Settle the batches whose process died before it heard the answer. What is safe is sent again; what would
        count twice is uncertain, and its records are kept to be looked at. Return the places that are done so, first
        and last of each batch."""
        return [
            (first, last) for delivery, first, last in self.prepared.left_open if self._settle(delivery, first, last)
        ]

    def _settle(self, delivery: int, first: int, last: int) -> bool:
        """Settle one of them; whether it is done, and not to be sent again."""
        checker = self.prepared.checker
        if checker.kind.record != "imported-event":
            records = list(_within(source.reads(self.runtime, self.job), first, last))
            batch = next(batches(records, checker, []), Batch())
            if not batch.is_repeatable:
                self._complete(delivery, batch, UNHEARD)
                return True
        self.runtime.database.write(partial(jobs.give_up, delivery=delivery, words=AGAIN))
        return False

    def _deliver(self, batch: Batch) -> None:
        delivery = self.runtime.database.write(partial(self._open, batch=batch))
        if delivery is None:
            return
        if not batch.records:
            self._complete(delivery, batch, None)
            return
        outcome = self._outcome(batch)
        if not _is_in_vain(outcome):
            self._complete(delivery, batch, outcome)
            return
        self.claimed.give_up(outcome.words)
        failed = replace(outcome, verdict="failed")
        self.runtime.database.write(lambda db: self._finish(db, delivery, failed))

    def _open(self, db: Connection, batch: Batch) -> int | None:
        """Write the row of a batch before it is sent; None where the import is another worker's now."""
        if not self.claimed.is_ours(db):
            return None
        job, many = self.job, len(batch.records)
        opened = deliveries.ImportBatch(job.id, job.project, job.operation, job.who, many, batch.first, batch.last)
        return deliveries.open_batch(db, opened, self.runtime.clock())

    def _outcome(self, batch: Batch) -> Outcome:
        """Send it, and return what came of it, without credentials."""
        prepared = self.prepared
        project_id, request = prepared.project.mixpanel_project_id, prepared.request_of(batch)
        outcome = attempt(self.runtime, prepared.client, project_id, request, self.claimed.halt.wait)
        return send.without_secrets(outcome, prepared.mask)

    def _complete(self, delivery: int, batch: Batch, outcome: Outcome | None) -> None:
        """Write the batch's row, the import's counts and the records that failed, all in one transaction. Write nothing
        where another worker has the import now: it has looked at what we left open, and sees to it."""
        failed = failures.of(batch, outcome)
        uncertain = sum(failure.verdict == "uncertain" for failure in failed)
        read = len(batch.records) + len(batch.refused)
        kept = outcome or NOTHING_TO_SEND
        kept = replace(kept, failed_records=kept.failed_records[:KEPT_RECORDS])
        mask, import_id = self.prepared.mask, self.job.id

        def write(db: Connection) -> None:
            if not self._finish(db, delivery, kept):
                return
            counts = {"read": read, "accepted": read - len(failed), "uncertain": uncertain}
            jobs.count(db, import_id, **counts, refused=len(failed) - uncertain)
            jobs.advise(db, import_id, batch.advised)
            failures.add(db, import_id, [replace(failure, record=mask(failure.record)) for failure in failed])

        self.runtime.database.write(write)

    def _finish(self, db: Connection, delivery: int, outcome: Outcome) -> bool:
        """Complete the row of a batch; False where the import is another worker's now."""
        is_ours = self.claimed.is_ours(db)
        if is_ours:
            deliveries.finish(db, delivery, outcome, self.prepared.mask)
        return is_ours


def _is_in_vain(outcome: Outcome) -> bool:
    """Tell whether the next batch would fare no better; this one is then sent again when somebody lets it go on."""
    return outcome.verdict == "failed" or (outcome.verdict == "rejected" and is_of_call(outcome.status))


def _within(records: Iterator[ReadRecord], first: int, last: int) -> Iterator[ReadRecord]:
    for record in records:
        if record.place > last:
            return
        if record.place >= first:
            yield record
