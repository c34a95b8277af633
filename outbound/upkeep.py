"""What the worker tidies: old calls, budgets that no window holds, calls whose process is gone."""

from functools import partial
from pathlib import Path

from models.database import Database
from outbound import budget, deliveries
from outbound.bulk import rows
from outbound.comparison import rows as comparisons

DAY = 24 * 3600 * 1000


def prune(database: Database, days: int, now: int) -> None:
    """Piece by piece, so that nobody waits for long; 0 days keeps the calls, imports and comparisons."""
    if days:
        _prune_calls(database, now - days * DAY)
    database.write(lambda db: budget.prune(db, now))
    database.write(lambda db: deliveries.abandon(db, now))


def _prune_calls(database: Database, before: int) -> None:
    while database.write(partial(deliveries.prune, before=before)) == deliveries.PIECE:
        pass
    for import_id, path, source in database.read(lambda db: rows.old(db, before)):
        if path and source == "upload":
            Path(path).unlink(missing_ok=True)
        database.write(partial(rows.forget, import_id=import_id))
    database.write(lambda db: comparisons.prune(db, before))
