"""When a password or token was last used: kept to the minute, not with a write a call."""

from sqlalchemy import Connection, TextClause

from config.clock import MINUTE
from models.database import DatabaseUnavailable
from models.synchronous_standby import commit_locally
from runtime import current_runtime

USED_EVERY = MINUTE


def note_use(statement: TextClause, row_id: int, last_used_at: int | None) -> None:
    """Run `statement` with `:now` and `:id`. The call is not refused where the database is busy, and waits for no
    standby."""
    runtime = current_runtime()
    now = runtime.clock()
    if last_used_at is not None and now - last_used_at < USED_EVERY:
        return

    def note(db: Connection) -> None:
        commit_locally(db)
        db.execute(statement, {"now": now, "id": row_id})

    try:
        runtime.database.write(note)
    except DatabaseUnavailable:
        return
