"""`flask serve-pool`: the processes that answer requests; started by `flask serve`."""

import click
from flask.cli import with_appcontext

from runtime import current_runtime
from server import pool


@click.command("serve-pool", hidden=True)
@click.option("--socket", "listening", type=int, required=True, help="Descriptor of the listening socket.")
@with_appcontext
def command(*, listening: int) -> None:
    """Answer requests on a socket that `flask serve` holds open."""
    runtime = current_runtime()
    settings = runtime.settings
    runtime.database.dispose()  # connections are not for children
    pool.serve(settings, listening)
