"""Which table lies where once one PostgreSQL is not enough: the decision, and the statements of the move to Citus.

People and what cohorts have of them are distributed over nodes, each row by the hash of one column. Everything else
stays on the node that all statements go through: it is small, and joined with one another. `docs/scaling.md` has the
reasons and the statements that change. A key of a distributed table must contain the column.
"""

from collections.abc import Iterator

from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint

from models.database import db

# By table: the column whose hash says where a row lies. Tables with the same one lie together.
DISTRIBUTED = {"membership": "cohort_id", "membership_change": "cohort_id", "person": "distinct_id"}

# What is large with them and stays all the same. A table that is in neither has few rows, or rows that are soon gone.
STAYS = {
    "attempt": "a row a call; put in order across the subscriptions of a destination",
    "cohort": "the lock of its pages, found by Mixpanel's id and written with sync_session by each of them",
    "holder": "joined with the messages of its subscription",
    "message": "lanes are in order across the subscriptions of a destination, and claimed by FOR UPDATE SKIP LOCKED",
    "placement": "joined with the messages of its subscription",
    "sync_page": "read with its session by each page; 2.6 KB a page, gone after RETAIN_PAGES_DAYS",
    "sync_session": "a row an export; listed across cohorts, and joined with cohort nearly everywhere",
}

# The one key that lacks the column. With it a page of new people would write into one index more, of which one server
# has no use, so it is made at the move: beside the pages, and the relay runs on before, meanwhile and after. The index
# of an interrupted build goes first.
PREPARE = (
    "DROP INDEX CONCURRENTLY IF EXISTS uq_person_id_distinct_id",
    "CREATE UNIQUE INDEX CONCURRENTLY uq_person_id_distinct_id ON person (id, distinct_id)",
    (
        "ALTER TABLE person DROP CONSTRAINT pk_person,"
        " ADD CONSTRAINT pk_person PRIMARY KEY USING INDEX uq_person_id_distinct_id"
    ),
)


def move() -> Iterator[str]:
    """Yield the statements that distribute all tables, once they are prepared."""
    yield from map(distributing, DISTRIBUTED)
    yield from map(emptying, DISTRIBUTED)


def distributing(table: str) -> str:
    """Return the statement that distributes a table and takes its rows along."""
    column = DISTRIBUTED[table]
    beside = next(other for other, its in DISTRIBUTED.items() if its == column)
    place = "none" if beside == table else beside
    return f"SELECT create_distributed_table('{table}', '{column}', colocate_with => '{place}')"


def emptying(table: str) -> str:
    """Return the statement that lets go of the rows that were copied, and that nobody reads any more."""
    return f"SELECT truncate_local_data_after_distributing_table('{table}')"


def keys_without_column(table: Table) -> list[str]:
    """Return the names of a distributed table's keys that lack its column."""
    keys = [one for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)]
    unique = [one for one in table.indexes if one.unique]
    return [str(one.name) for one in (*keys, *unique) if DISTRIBUTED[table.name] not in one.columns]


def lacking() -> list[str]:
    """Return the keys of all distributed tables that must be prepared."""
    return [name for table in DISTRIBUTED for name in keys_without_column(db.metadata.tables[table])]
