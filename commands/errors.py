"""What a command says where the database cannot be asked, has another key, or a file cannot be used: one sentence
instead of a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from commands.terminal import shown
from config import instance_files
from config.printable import visible
from models.database import DatabaseUnavailable
from models.maintenance.schema import is_new_enough, stored_revision
from models.statement import DRIVER_ERRORS
from runtime import current_runtime
from security.key_check import WrongKey, guard


def told(command: click.Command, *, keyed: bool) -> click.Command:
    """Return `command`, and those below it, so changed that a database that is away or lacks our tables is one sentence
    and exit code 1; so is a SECRET_KEY that is not the database's, where it is `keyed`."""
    for below in getattr(command, "commands", {}).values():
        told(below, keyed=keyed)
    if command.callback is not None:
        command.callback = _telling(_keyed(command.callback) if keyed else command.callback)
    return command


def _keyed(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    @with_appcontext
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            guard().hold()
        except WrongKey as error:
            raise click.ClickException(str(error)) from None
        except DatabaseUnavailable:  # the command says so, or does without
            pass
        return callback(*arguments, **options)

    return called


def _telling(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            with shown():
                return callback(*arguments, **options)
        except click.ClickException as error:
            if error.message == visible(error.message):
                raise
            kind = click.UsageError if isinstance(error, click.UsageError) else click.ClickException
            raise kind(visible(error.message)) from error
        except OSError as error:
            if error.filename is None:  # none of a file
                raise
            unusable = f"{error.filename} cannot be read or written: {instance_files.why(error)}."
            raise click.ClickException(visible(unusable)) from error
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
        return is_new_enough(current_runtime().database.read(stored_revision))
    except DatabaseUnavailable:
        return True
