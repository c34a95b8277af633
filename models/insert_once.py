"""Adding a row that may be there already; SQLAlchemy has a statement of its own for each database."""

from typing import Any

from sqlalchemy import Connection, literal_column
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(db: Connection, table: Any, unique: str, values: dict[str, Any], where: Any = None) -> bool:
    """Add a row, unless another one has the same value in its `unique` column; tell whether it was added.

    `where` is the condition of the unique index, if it is a partial one.
    """
    statement = _INSERT[db.dialect.name](table).values(values)
    once = statement.on_conflict_do_nothing(index_elements=[unique], index_where=where)
    return db.execute(once.returning(literal_column("1"))).first() is not None
