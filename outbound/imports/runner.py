"""Working on an import: read, check, batch, and ten calls at once, each with its row before and after.

What is done is in the database alone, so that whoever goes on after a SIGKILL knows: a stretch is complete, or it is
sent again. See `outbound.imports` for why that neither loses nor doubles anything.
"""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from models.database import DatabaseUnavailable
from models.encryption import DecryptionError
from outbound.imports import jobs, source
from outbound.imports.batch_sender import BatchSender
from outbound.imports.batches import batches
from outbound.imports.claimed_import import ClaimedImport
from outbound.imports.memory_limit import MemoryLimit
from outbound.imports.preparation import CannotGoOn, Preparation, prepare
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import ReadRecord
from runtime import Runtime

AT_ONCE = 10  # calls (mixpanel-facts 3.2: 10 to 20)
MOST_HELD = 16 * 1024 * 1024  # bytes of records in memory; their bodies take as much again
SEALED = "The project's credentials cannot be read with this SECRET_KEY. Give them again, then let it go on."


def run_due(runtime: Runtime, stop: threading.Event) -> bool:
    """Work on one import that waits, if there is one; whether there was."""
    found = runtime.database.read(lambda db: jobs.due(db, runtime.clock()), one_statement=True)
    return found is not None and run(runtime, found, stop)


def run(runtime: Runtime, import_id: int, stop: threading.Event) -> bool:
    """Work on this import until it is over, paused or `stop` is set; False where somebody else does."""
    worker = secrets.token_hex(8)
    job = runtime.database.write(lambda db: jobs.claim(db, import_id, worker, runtime.clock()))
    if job is None:
        return False
    _work(ClaimedImport(runtime, job, worker), stop)
    return True


def _work(claimed: ClaimedImport, stop: threading.Event) -> None:
    """Send all of it, and give it back with its state, whatever happens. Raises DatabaseUnavailable."""
    memory = MemoryLimit(MOST_HELD, AT_ONCE + 2)
    state = "failed"
    message: str | None = "Our process failed. The log says how."
    try:
        with claimed.renewed(stop, memory.free):
            _send_all(claimed, prepare(claimed.runtime, claimed.job), memory)
            state, message = _ended(claimed)
    except (CannotGoOn, UnreadableFile) as error:
        message = str(error)
    except DecryptionError:
        message = SEALED
    except DatabaseUnavailable:
        state, message = "waiting", None
        raise
    finally:
        claimed.give_back(state, message)


def _ended(claimed: ClaimedImport) -> tuple[str, str | None]:
    """Return the state in which it is given back, and why."""
    if claimed.trouble:
        return "failed", claimed.trouble
    return ("waiting" if claimed.halt.is_set() else "done"), None  # told to stop: the next worker goes on


def _send_all(claimed: ClaimedImport, prepared: Preparation, memory: MemoryLimit) -> None:
    """Send everything that is not done yet. Raises UnreadableFile, DatabaseUnavailable."""
    done = claimed.runtime.database.read(lambda db: jobs.done(db, claimed.job.id))
    sender = BatchSender(claimed, prepared, memory)

    def note_error(future: "Future[None]") -> None:
        if (error := future.exception()) is not None:
            claimed.note_error(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done += sender.settle_left_open()
        for batch in batches(_records(claimed), prepared.checker, sorted(done)):
            memory.take(batch.size)
            if claimed.halt.is_set():
                break
            pool.submit(sender.send, batch).add_done_callback(note_error)


def _records(claimed: ClaimedImport) -> Iterator[ReadRecord]:
    """Yield the records of its source, until it is halted."""
    for record in source.reads(claimed.runtime, claimed.job, record_filter=claimed.record_filter):
        if claimed.halt.is_set():
            return
        yield record
