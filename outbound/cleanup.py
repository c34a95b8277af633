"""What the worker tidies: old calls, budgets that no window holds, calls whose process is gone."""

from functools import partial
from pathlib import Path

from config.clock import DAY, HOUR
from models.database import Database
from outbound import deliveries, idempotency
from outbound.comparison import jobs as comparisons
from outbound.downloads import progress as downloads
from outbound.downloads.folder import Folder
from outbound.imports import jobs
from outbound.saved import runs
from outbound.transport import budget


def prune(database: Database, days: int, now: int) -> None:
    """Piece by piece, so that nobody waits for long; 0 days keeps the calls, imports and comparisons."""
    if days:
        _prune_calls(database, now - days * DAY)
    database.write(lambda db: budget.prune(db, now))
    database.write(lambda db: idempotency.prune(db, now))
    database.write(jobs.forget_plain_fingerprints)
    database.write(lambda db: deliveries.abandon(db, now))


def _prune_calls(database: Database, before: int) -> None:
    while database.write(partial(deliveries.prune, before=before)) == deliveries.PIECE:
        pass
    for import_id, path, source in database.read(lambda db: jobs.old(db, before)):
        if path and source == "upload":
            Path(path).unlink(missing_ok=True)
        database.write(partial(jobs.forget, import_id=import_id))
    database.write(lambda db: comparisons.prune(db, before))
    database.write(lambda db: runs.prune(db, before))


def tidy_downloads(database: Database, folder: Folder, hours: int, now: int) -> None:
    """Remove the files of answers that are `hours` old, and those that no row knows (any more)."""
    there = folder.quiet()  # before the rows: one that is finished meanwhile is not among them
    for delivery, name in database.read(lambda db: downloads.old(db, now - hours * HOUR)):
        folder.remove(name)
        database.write(partial(downloads.gone, delivery=delivery))
    known = database.read(downloads.files, one_statement=True)
    for name in there - known:
        folder.remove(name)
