"""When a password or token was last used: kept to the minute, not with a write a call."""

from sqlalchemy import TextClause

from config.clock import MINUTE
from models.database import DatabaseUnavailable
from runtime import current_runtime

USED_EVERY = MINUTE


def note_use(statement: TextClause, row_id: int, last_used_at: int | None) -> None:
    """Run `statement` with `:now` and `:id`; a database that is busy is no reason to refuse the call."""
    runtime = current_runtime()
    now = runtime.clock()
    if last_used_at is not None and now - last_used_at < USED_EVERY:
        return
    try:
        runtime.database.write(lambda db: db.execute(statement, {"now": now, "id": row_id}))
    except DatabaseUnavailable:
        return
