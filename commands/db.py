"""`flask db`: the tables."""

import click
from flask.cli import AppGroup

from models import schema
from security.house import house

group = AppGroup("db", help="The database's tables.")


@group.command("upgrade")
def upgrade() -> None:
    """Bring the tables to the newest revision; safe to repeat."""
    house().database.alter(schema.upgrade)
    click.echo(f"The tables are at revision {schema.newest_revision()}.")
