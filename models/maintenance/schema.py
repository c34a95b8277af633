"""The schema's revision: what the database has, what the code wants, and the way there (Alembic).

Alembic is imported where it is used: it takes a third of the time that the app takes to start, and serving needs none
of it but the newest revision, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect

from models.maintenance.close_for_writes import close, is_closed
from models.pooler import POOLED

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to `revision`; a connection of `Database.alter` lets pages arrive meanwhile."""
    from alembic import command

    closed = is_closed(connection)
    command.upgrade(_config(connection), revision)
    if closed:  # a table that was made anew, or is new, has lost or never had what refuses its changes
        close(connection, set(inspect(connection).get_table_names()) - {"alembic_version"})


def downgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    command.downgrade(_config(connection), revision)


def stored_revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


@dataclass(frozen=True)
class Migration:
    """One step to newer tables. `contract` says that it takes away what an earlier release used; others only add."""

    revision: str
    sentence: str
    contract: bool


def is_known(stored: str) -> bool:
    """Whether this code has the migration that made these tables."""
    return any(one.revision == stored for one in _scripts())


def waiting(stored: str) -> list[Migration]:
    """Return the migrations from `stored`, which is known, to the newest revision, in the order in which they run."""
    steps = []
    for script in _scripts():
        if script.revision == stored:
            break
        first_line = (script.doc or "").strip().partition("\n")[0]
        steps.append(Migration(script.revision, first_line, first_line.startswith("contract:")))
    return steps[::-1]


def _scripts() -> "list[Script]":
    """Return all migrations, the newest first."""
    from alembic.script import ScriptDirectory

    return list(ScriptDirectory.from_config(_config()).walk_revisions())


def is_new_enough(stored: str | None) -> bool:
    """Whether this code can work on tables of revision `stored`: its own, or a newer one. Newer tables have more, and
    lack nothing that the release before them uses (see docs/decisions.md), so that they may be upgraded under it."""
    return stored is not None and stored >= (newest_revision() or "")


def build_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """For a migration: an index on a table that may have millions of rows. On PostgreSQL it is built CONCURRENTLY,
    while pages are written, and may take as long as it needs. That commits what the migration has done before, so that
    it comes first in `upgrade`: whatever interrupts it, the migration can be run again.

    SQLite needs no such thing, and neither does a caller with a transaction around all migrations.
    """
    from alembic import op

    context = op.get_context()
    if context.dialect.name != "postgresql" or context.opts["inside_transaction"]:
        op.create_index(name, table, columns, **options)
        return
    with context.autocommit_block():
        # It waits for older transactions, and nobody waits for it. A pooler's sessions have no limit of ours.
        is_limited = not op.get_bind().info.get(POOLED)
        if is_limited:
            op.execute("SET lock_timeout = 0")
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)  # what an interrupted build has left
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        if is_limited:
            op.execute("RESET lock_timeout")


def number_once(*tables: str) -> None:
    """For a migration: no number of these tables' rows is ever given again, also when its row has gone. PostgreSQL's
    sequences are so anyway; SQLite's tables are made anew with AUTOINCREMENT and keep everything that they have.
    """
    from alembic import op

    if op.get_bind().dialect.name != "sqlite":
        return
    if op.get_bind().exec_driver_sql("PRAGMA foreign_keys").scalar_one():
        raise RuntimeError("Making a table anew would empty those that refer to it: use Database.alter.")
    for table in tables:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
    if broken := op.get_bind().exec_driver_sql("PRAGMA foreign_key_check").all():
        raise RuntimeError(f"{len(broken)} rows refer to rows that are not there, first in {broken[0][0]}.")
