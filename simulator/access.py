"""What the simulator signs in with, made in the database that the command runs on."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from runtime import Runtime
from security import connections, tokens

_FORGET = text("DELETE FROM api_token WHERE name = :name")


def password_of(runtime: Runtime, name: str) -> str:
    """Return a password of connection `name`, which is made if there is none; the others stay live."""
    key, now = runtime.settings.secret_key, runtime.clock()

    def write(db: Connection) -> str:
        known = {connection.name for connection in connections.listed(db)}
        return connections.rotate(db, key, name, now) if name in known else connections.add(db, key, name, now)

    return runtime.database.write(write)


@contextmanager
def passing_token(runtime: Runtime) -> Iterator[str]:
    """Lend a read token, which is gone when the run ends."""
    name, key, now = f"simulate-{secrets.token_hex(4)}", runtime.settings.secret_key, runtime.clock()
    token = runtime.database.write(lambda db: tokens.add(db, key, name, "read", now))
    try:
        yield token
    finally:
        runtime.database.write(lambda db: db.execute(_FORGET, {"name": name}).rowcount)
