"""A database on its engines, the same for the app and for the move to PostgreSQL."""

from sqlalchemy import Engine

from models.database import Database
from models.engines import prepare
from models.pooler import Connector


def sqlite(reader: Engine, writer: Engine) -> Database:
    """Return the engines: one reads, and one writes over a single connection."""
    prepare(reader, writer)
    return Database(reader, writer)


def postgresql(engine: Engine, limits: dict[str, int], *, says_pooler: bool) -> Database:
    """Return one engine for everything. `limits` are the server's time limits by name, in seconds; `says_pooler` tells
    whether the address itself speaks of a pooler."""
    connector = Connector(limits, said=says_pooler)
    connector.attach(engine)
    return Database(engine, engine, connector)
