"""What the simulator signs in with, made in the database that the command runs on."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from runtime import House
from security import connections, tokens

_FORGET = text("DELETE FROM api_token WHERE name = :name")


def password_of(house: House, name: str) -> str:
    """A password of connection `name`, which is made if there is none; the others stay live."""
    key, now = house.settings.secret_key, house.clock()

    def write(db: Connection) -> str:
        known = {one.name for one in connections.listed(db)}
        return connections.rotate(db, key, name, now) if name in known else connections.add(db, key, name, now)

    return house.database.write(write)


@contextmanager
def passing_token(house: House) -> Iterator[str]:
    """A read token that is gone when the run ends."""
    name, key, now = f"simulate-{secrets.token_hex(4)}", house.settings.secret_key, house.clock()
    token = house.database.write(lambda db: tokens.add(db, key, name, "read", now))
    try:
        yield token
    finally:
        house.database.write(lambda db: db.execute(_FORGET, {"name": name}).rowcount)
