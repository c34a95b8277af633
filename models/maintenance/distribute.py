"""The move onto Citus: the key is prepared beside the pages, then the tables are distributed with their rows."""

from sqlalchemy import Connection, text

from models import distribution
from models.pooler import POOLED

_LOADED = text("SELECT count(*) FROM pg_extension WHERE extname = 'citus'")
_THERE = text("SELECT CAST(logicalrelid AS text) FROM pg_dist_partition WHERE partmethod = 'h'")
_IS_PREPARED = text("""
    SELECT count(*) FROM pg_index WHERE indrelid = CAST('person' AS regclass) AND indisprimary AND indnkeyatts = 2""")


class CannotDistribute(Exception):
    """This database cannot distribute its tables; the text is for people."""


def distribute(connection: Connection) -> list[str]:
    """Distribute the tables that are not yet, on a connection of `Database.alter`; return their names. What an
    interrupted one has left undone, the next does. Raises CannotDistribute."""
    if connection.dialect.name != "postgresql":
        raise CannotDistribute("SQLite is one file. Move to PostgreSQL first: flask migrate-data.")
    if not connection.execute(_LOADED).scalar_one():
        raise CannotDistribute("This database has no extension citus. CREATE EXTENSION citus makes it on all nodes.")
    there = set(connection.execute(_THERE).scalars())
    is_prepared = bool(connection.execute(_IS_PREPARED).scalar_one())
    connection.commit()
    alone = connection.execution_options(isolation_level="AUTOCOMMIT")  # CONCURRENTLY stands in no transaction
    if not is_prepared:
        prepare(alone)
    missing = [table for table in distribution.DISTRIBUTED if table not in there]
    for statement in (*map(distribution.distributing, missing), *map(distribution.emptying, distribution.DISTRIBUTED)):
        alone.exec_driver_sql(statement)
    return missing


def prepare(alone: Connection) -> None:
    """Give the tables' keys the columns by which they are distributed, outside of a transaction. The index may wait for
    older transactions, for whom nobody else waits; the key is changed at once or not at all."""
    is_limited = not alone.info.get(POOLED)
    for statement in distribution.PREPARE:
        if is_limited:
            alone.exec_driver_sql("SET lock_timeout = 0" if "CONCURRENTLY" in statement else "RESET lock_timeout")
        alone.exec_driver_sql(statement)
