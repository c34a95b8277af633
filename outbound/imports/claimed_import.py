"""An import that this worker has claimed: the claim is renewed beside the work, and given back at its end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from models.database import DatabaseUnavailable
from outbound.imports import jobs, uploads
from outbound.imports.conditions import RecordFilter
from outbound.imports.jobs import Import
from runtime import Runtime

log = structlog.get_logger()

HEARTBEAT = 1.0  # seconds
FAILED = "Our process failed. The log says how."


class ClaimedImport:
    """`halt` is set when no further batch may be sent: the import was paused, cancelled or taken over, this process was
    told to stop, or sending is in vain. `trouble` says of the last why, in words for people."""

    def __init__(self, runtime: Runtime, job: Import, worker: str) -> None:
        self.runtime, self.job, self.worker = runtime, job, worker
        self.halt = threading.Event()
        self.trouble: str | None = None
        self.record_filter = RecordFilter.of(job.settings)

    def is_ours(self, db: Connection) -> bool:
        """Tell whether it is still ours; if so nobody else can claim it before this transaction ends. Halt if not."""
        if jobs.hold(db, self.job.id, self.worker):
            return True
        self.halt.set()
        return False

    def give_up(self, why: str) -> None:
        """Halt because sending is in vain; `why` counts unless something halted it before."""
        if not self.halt.is_set():
            self.trouble = why
        self.halt.set()

    def note_error(self, error: BaseException) -> None:
        """Log an error of ours, and halt. A database that is away is no reason to wait for a person: what was under way
        is settled by the worker that goes on."""
        cause = (type(error), None, error.__traceback__)
        log.warning("import.broken_off", error=type(error).__name__, exc_info=cause)
        if not isinstance(error, DatabaseUnavailable):
            self.trouble = self.trouble or FAILED
        self.halt.set()

    @contextmanager
    def renewed(self, stop: threading.Event, on_halt: Callable[[], None]) -> Iterator[None]:
        """Renew the claim while the work goes on. Halt, and call `on_halt`, where somebody paused or cancelled the
        import, or `stop` is set; halt at the end in any case."""
        over = threading.Event()
        heartbeat = threading.Thread(target=self._renew_until, args=(over, stop, on_halt), daemon=True)
        heartbeat.start()
        try:
            yield
        finally:
            self.halt.set()
            over.set()
            heartbeat.join()

    def _renew_until(self, over: threading.Event, stop: threading.Event, on_halt: Callable[[], None]) -> None:
        last = time.monotonic()
        while not over.wait(HEARTBEAT):
            now = time.monotonic()
            worked, last = round((now - last) * 1000), now
            try:
                state = self.runtime.database.write(partial(self._renew, worked=worked))
            except DatabaseUnavailable:
                continue
            if state != "running" or stop.is_set():
                self.halt.set()
                on_halt()

    def _renew(self, db: Connection, worked: int) -> str | None:
        return jobs.renew(db, self.job.id, self.worker, self.runtime.clock(), worked)

    def give_back(self, state: str, message: str | None) -> None:
        """End the claim with this state, unless it was paused or cancelled meanwhile; the upload of a cancelled import
        is removed. Raises DatabaseUnavailable, OSError."""
        database, import_id = self.runtime.database, self.job.id
        ended_at = self.runtime.clock() if state in {"done", "failed"} else None
        job = database.read(lambda db: jobs.by_id(db, import_id))
        ending = jobs.Ending(state, message, ended_at)
        if state == "done" and job is not None:  # whoever ends it has read all of it
            ending = replace(ending, total=job.read, left_out=self.record_filter.left_out or None)
        database.write(lambda db: jobs.end(db, import_id, self.worker, ending))
        uploads.discard(database.read(lambda db: jobs.by_id(db, import_id)))
