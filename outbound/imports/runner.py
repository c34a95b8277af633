"""Working on an import: read, check, batch, and ten calls at once, each with its row before and after.

What is done is in the database alone, so that whoever goes on after a SIGKILL knows: a stretch is complete, or it is
sent again. See `outbound.imports` for why that neither loses nor doubles anything.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from models.database import DatabaseUnavailable
from models.encryption import DecryptionError
from outbound import deliveries, projects, send
from outbound.imports import failures, jobs, source, uploads
from outbound.imports.batches import Batch, RecordChecker, batches
from outbound.imports.jobs import Import
from outbound.imports.kinds import KINDS
from outbound.imports.memory_limit import MemoryLimit
from outbound.imports.options import Options
from outbound.operations.types import CallInput, Composed
from outbound.projects import Project
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import ReadRecord
from outbound.request.compose import compose
from outbound.request.masking import Mask, mask_of
from outbound.result.verdict import is_of_call
from outbound.transport.attempts import Outcome, Trail, attempt
from outbound.transport.client import Client
from runtime import Runtime

log = structlog.get_logger()

AT_ONCE = 10  # calls (mixpanel-facts 3.2: 10 to 20)
MOST_HELD = 16 * 1024 * 1024  # bytes of records in memory; their bodies take as much again
HEARTBEAT = 1.0  # seconds
SAMPLE = {
    "events": [{"event": "e", "properties": {"time": 1_700_000_000, "distinct_id": "u", "$insert_id": "i"}}],
    "people": [{"$distinct_id": "u", "$set": {"a": 1}}],
    "groups": [{"$group_key": "k", "$group_id": "g", "$set": {"a": 1}}],
}
SEALED = "The project's credentials cannot be read with this SECRET_KEY. Give them again, then let it go on."
AGAIN = "Our process stopped while this batch was under way; it was sent again."


class Stopped(Exception):
    """The import cannot go on; says why, for people."""


def run_due(runtime: Runtime, stop: threading.Event) -> bool:
    """Work on one import that waits, if there is one; whether there was."""
    found = runtime.database.read(lambda db: jobs.due(db, runtime.clock()), one_statement=True)
    return found is not None and run(runtime, found, stop)


def run(runtime: Runtime, import_id: int, stop: threading.Event) -> bool:
    """Work on this import until it is over, paused or `stop` is set; False where somebody else does."""
    by = secrets.token_hex(8)
    job = runtime.database.write(lambda db: jobs.claim(db, import_id, by, runtime.clock()))
    if job is None:
        return False
    _Run(runtime, job, by, stop).run()
    return True


class _Run:
    def __init__(self, runtime: Runtime, job: Import, by: str, stop: threading.Event) -> None:
        self.runtime, self.job, self.by, self.stop = runtime, job, by, stop
        self.halt = threading.Event()  # paused, cancelled, taken over, told to stop, or in vain
        self.over = threading.Event()
        self.trouble: str | None = None
        self.held = MemoryLimit(MOST_HELD, AT_ONCE + 2)

    def run(self) -> None:
        beating = threading.Thread(target=self._beat, daemon=True)
        beating.start()
        state = "failed"
        message: str | None = "Our process failed. The log says how."
        try:
            self._prepare()
            self._work()
            state, message = ("failed", self.trouble) if self.trouble else ("done", None)
            if self.halt.is_set() and not self.trouble:
                state, message = "waiting", None  # told to stop: the next worker goes on
        except Stopped as stopped:
            message = str(stopped)
        except UnreadableFile as unreadable:
            message = str(unreadable)
        except DecryptionError:
            message = SEALED
        except DatabaseUnavailable:
            state, message = "waiting", None
            raise
        finally:
            self.halt.set()
            self.over.set()
            beating.join()
            self._end(state, message)

    def _end(self, state: str, message: str | None) -> None:
        now = self.runtime.clock() if state in {"done", "failed"} else None
        total = self.runtime.database.read(lambda db: jobs.by_id(db, self.job.id))
        read = total.read if state == "done" and total is not None else None
        self.runtime.database.write(lambda db: jobs.end(db, self.job.id, self.by, state, message, now, read))
        uploads.discard(self.runtime.database.read(lambda db: jobs.by_id(db, self.job.id)))

    def _prepare(self) -> None:
        """The project, the request that all batches share, and what an earlier process left behind."""
        runtime, job = self.runtime, self.job
        project = runtime.database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
        if project is None:
            raise Stopped(f"There is no project {job.project} any more.")
        self.project: Project = project
        self.credentials = project.credentials(runtime.cipher)
        self.mask: Mask = mask_of(self.credentials)
        self.kind = KINDS[job.kind]
        self.client: Client = send.client_of(runtime, project)
        given = CallInput(body=SAMPLE[job.kind])
        composed = compose(
            self.kind.operation, project, self.credentials, given, runtime.clock(), runtime.settings.mixpanel_base_url
        )
        if composed.request is None:
            raise Stopped(next(one.message for one in composed.problems if one.level == "error"))
        self.shape = replace(composed, request=replace(composed.request, gzip=self.kind.operation.gzip))
        options = Options.of(job.settings)
        self.sorter = RecordChecker(self.kind, self.credentials, project.integration, job.created_at, options)
        self.left_open = runtime.database.read(lambda db: jobs.left_open(db, job.id))

    def _work(self) -> None:
        done = self.runtime.database.read(lambda db: jobs.done(db, self.job.id))
        found = self._reads()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._settle_left_open(done)
            for batch in batches(found, self.sorter, sorted(done)):
                self.held.take(batch.size)
                if self.halt.is_set():
                    break
                pool.submit(self._send, batch).add_done_callback(self._note_trouble)

    def _reads(self) -> Iterator[ReadRecord]:
        for read in source.reads(self.runtime, self.job):
            if self.halt.is_set():
                return
            yield read

    def _settle_left_open(self, done: list[tuple[int, int]]) -> None:
        """Batches whose process died before it heard the answer. What is safe is sent again; what would count twice is
        uncertain, and its records are kept to be looked at. `done` gets the stretches that are settled so."""
        for delivery, first, last in self.left_open:
            if self.kind.record == "imported-event":
                self.runtime.database.write(lambda db, one=delivery: jobs.give_up(db, one, AGAIN))  # type: ignore[misc]
                continue
            inside = list(_within(source.reads(self.runtime, self.job), first, last))
            found = next(batches(inside, self.sorter, []), Batch())
            if found.is_repeatable:
                self.runtime.database.write(lambda db, one=delivery: jobs.give_up(db, one, AGAIN))  # type: ignore[misc]
                continue
            outcome = _unheard()
            self._complete(delivery, found, outcome)
            done.append((first, last))

    # --- one batch, in a thread of the pool

    def _send(self, batch: Batch) -> None:
        try:
            if not self.halt.is_set():
                self._deliver(batch)
        finally:
            self.held.give_back(batch.size)

    def _deliver(self, batch: Batch) -> None:
        job, now = self.job, self.runtime.clock()
        places = (batch.first, batch.last)

        def open_batch(db: Connection) -> int | None:
            if not jobs.hold(db, job.id, self.by):
                return None
            many = len(batch.records)
            return deliveries.open_batch(db, job.project, job.operation, job.who, many, places, job.id, now)

        delivery = self.runtime.database.write(open_batch)
        if delivery is None:
            self.halt.set()
            return
        if not batch.records:
            self._complete(delivery, batch, None)
            return
        key = self.project.mixpanel_project_id
        heard = attempt(self.runtime, self.client, key, self._composed(batch), self.halt.wait)
        outcome = send.without_secrets(heard, self.mask)
        if _is_in_vain(outcome):
            if not self.halt.is_set():
                self.trouble = outcome.words
            self.halt.set()
            outcome = replace(outcome, verdict="failed")
            self.runtime.database.write(lambda db: self._finish(db, delivery, outcome))
            return
        self._complete(delivery, batch, outcome)

    def _composed(self, batch: Batch) -> Composed:
        request = replace(self.shape.outgoing, body=batch.body)
        return replace(self.shape, request=request, records=tuple(batch.records), encoded=tuple(batch.encoded))

    def _complete(self, delivery: int, batch: Batch, outcome: Outcome | None) -> None:
        """The batch's row, the import's counts and the records that failed, all in one transaction. Nothing where
        another worker has the import now: it has looked at what we left open, and sees to it."""
        failed = failures.of(batch, outcome)
        uncertain = sum(one.verdict == "uncertain" for one in failed)
        accepted = len(batch.records) + len(batch.refused) - len(failed)

        def write(db: Connection) -> None:
            kept = outcome or _nothing_to_send()
            if not self._finish(db, delivery, replace(kept, failed_records=kept.failed_records[:20])):
                return
            jobs.count(
                db,
                self.job.id,
                read=len(batch.records) + len(batch.refused),
                accepted=accepted,
                refused=len(failed) - uncertain,
                uncertain=uncertain,
            )
            jobs.advise(db, self.job.id, batch.advised)
            failures.add(db, self.job.id, [replace(one, record=self.mask(one.record)) for one in failed])

        self.runtime.database.write(write)

    def _finish(self, db: Connection, delivery: int, outcome: Outcome) -> bool:
        """Complete the row of a batch; False where the import is another worker's now."""
        if not jobs.hold(db, self.job.id, self.by):
            self.halt.set()
            return False
        deliveries.finish(db, delivery, outcome, self.mask)
        return True

    def _note_trouble(self, future: "Future[None]") -> None:
        error = future.exception()
        if error is not None:
            cause = (type(error), None, error.__traceback__)
            log.warning("import.broken_off", error=type(error).__name__, exc_info=cause)
            self.trouble = self.trouble or "The database does not answer, or our process failed. The log says how."
            self.halt.set()

    # --- beside them

    def _beat(self) -> None:
        """Renew the claim, and see whether somebody paused or cancelled it."""
        last = time.monotonic()
        while not self.over.wait(HEARTBEAT):
            now = time.monotonic()
            worked, last = round((now - last) * 1000), now
            try:
                state = self.runtime.database.write(
                    lambda db, ms=worked: jobs.renew(db, self.job.id, self.by, self.runtime.clock(), ms)  # type: ignore[misc]
                )
            except DatabaseUnavailable:
                continue
            if state != "running" or self.stop.is_set():
                self.halt.set()
                self.held.free()


def _is_in_vain(outcome: Outcome) -> bool:
    """Whether the next batch would fare no better; this one is then sent again when somebody lets it go on."""
    return outcome.verdict == "failed" or (outcome.verdict == "rejected" and is_of_call(outcome.status))


def _within(found: Iterator[ReadRecord], first: int, last: int) -> Iterator[ReadRecord]:
    for read in found:
        if read.place > last:
            return
        if read.place >= first:
            yield read


def _unheard() -> Outcome:
    return Outcome("uncertain", deliveries.LEFT_ALONE, 0, (), Trail(), 0)


def _nothing_to_send() -> Outcome:
    return Outcome("rejected", "Our checks refused every record of this stretch; nothing was sent.", 0, (), Trail(), 0)
