"""What a command says where the database cannot be asked: one sentence instead of a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from models.database import DatabaseUnavailable
from models.schema import is_new_enough, stored_revision
from models.statement import DRIVER_ERRORS
from security.house import house


def told(command: click.Command) -> click.Command:
    """`command`, and those below it, where a database that is away or lacks our tables is one sentence and exit
    code 1."""
    for below in getattr(command, "commands", {}).values():
        told(below)
    if command.callback is not None:
        command.callback = _telling(command.callback)
    return command


def _telling(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            return callback(*arguments, **options)
        except DatabaseUnavailable as error:
            raise click.ClickException(f"The database cannot be used now: {error.told}. See: flask doctor") from error
        except (DBAPIError, *DRIVER_ERRORS) as error:
            if _has_our_tables():
                raise
            raise click.ClickException(
                "The database does not have this version's tables. Run: flask db upgrade"
            ) from error

    return called


def _has_our_tables() -> bool:
    try:
        return is_new_enough(house().database.read(stored_revision))
    except DatabaseUnavailable:
        return True
