"""`flask db`: the tables."""

import click
from flask.cli import AppGroup

from models.database import DatabaseUnavailable
from models.maintenance import schema
from runtime import current_runtime

group = AppGroup("db", help="The database's tables.")


@group.command("upgrade")
def upgrade() -> None:
    """Bring the tables to the newest revision, while pages arrive; safe to repeat."""
    try:
        current_runtime().database.alter(schema.upgrade)
    except DatabaseUnavailable as error:
        raise click.ClickException(
            f"The database is away, or others hold the tables (a long pg_dump?): {error.told}. Run it again; what"
            " was done so far is kept."
        ) from None
    click.echo(f"The tables are at revision {schema.newest_revision()}.")
