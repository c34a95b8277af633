"""`flask version`: which release this is. `flask --version` is Flask's own option and says Flask's."""

import json
import platform

import click

from config.version import VERSION
from models.maintenance import schema


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, as_json: bool) -> None:
    """Print the version of this code, the tables that it wants, and Python's version."""
    told = {"version": VERSION, "tables": schema.newest_revision(), "python": platform.python_version()}
    words = f"Cohort Relay {VERSION} (tables {told['tables']}, Python {told['python']})"
    click.echo(json.dumps(told) if as_json else words)
