"""A password or token that was stored under an earlier key: its digest is renewed when it is used."""

from sqlalchemy import TextClause

from models.database import DatabaseUnavailable
from runtime import current_runtime
from security.key_check import guard
from security.secrets import key_id, keyed_digest


def renew(statement: TextClause, row_id: int, purpose: str, secret: str) -> None:
    """Run `statement` with `:digest`, `:key_id` and `:id`, once the database's key is that of now: before, a process
    that knows the earlier key alone would not find the secret. A database that is busy is no reason to refuse the
    call; the next one renews it."""
    runtime = current_runtime()
    key = runtime.settings.secret_key
    values = {"id": row_id, "digest": keyed_digest(key, purpose, secret), "key_id": key_id(key)}
    try:
        if not guard().has_moved_to(key):
            return
        runtime.database.write(lambda db: db.execute(statement, values))
    except DatabaseUnavailable:
        return
