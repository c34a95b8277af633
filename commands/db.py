"""`flask db`: the tables."""

import click
from flask.cli import AppGroup

from models import distribution
from models.database import DatabaseUnavailable
from models.maintenance import distribute, schema
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


@group.command("distribute")
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements instead, for whoever runs them by hand.")
def distribute_tables(*, as_sql: bool) -> None:
    """Distribute people and memberships over the nodes of Citus; safe to repeat. Pages wait for it."""
    if as_sql:
        click.echo("".join(f"{statement};\n" for statement in (*distribution.PREPARE, *distribution.move())), nl=False)
        return
    try:
        moved = current_runtime().database.alter(distribute.distribute)
    except distribute.CannotDistribute as error:
        raise click.ClickException(f"{error} Nothing was changed.") from None
    except DatabaseUnavailable as error:
        raise click.ClickException(f"The database is away, or others hold the tables: {error.told}.") from None
    click.echo(f"Distributed: {', '.join(moved)}." if moved else "All are distributed already.")
