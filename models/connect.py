"""A database on its engines, the same for the app and for the move to PostgreSQL."""

from sqlalchemy import Engine

from models.database import Database
from models.engines import prepare
from models.pooler import Connector
from models.replica import Replica


def sqlite(reader: Engine, writer: Engine) -> Database:
    """Return the engines: one reads, and one writes over a single connection."""
    prepare(reader, writer)
    return Database(reader, writer)


def postgresql(engine: Engine, limits: dict[str, int], *, says_pooler: bool, replica: Engine | None = None) -> Database:
    """Return one engine for everything, and that of a replica for what may lag. `limits` are the server's time limits
    by name, in seconds; `says_pooler` tells whether the address itself speaks of a pooler."""
    connector = Connector(limits, said=says_pooler)
    connector.attach(engine)
    if replica is None:
        return Database(engine, engine, connector)
    Connector(limits, said=False).attach(replica)
    return Database(engine, engine, connector, Replica(replica, engine))
