"""What `flask import` was told: options and columns, looked at before anything is read or sent."""

from pathlib import Path
from typing import Any

import click

from outbound.imports import files
from outbound.imports.columns import GENERAL, TARGETS, Columns, WrongColumns, guessed
from outbound.imports.options import FURTHEST, Options, WrongOption
from outbound.readers.table import shown
from outbound.request.checks.profiles import OPERATORS

OPTIONS = (
    click.option("--column", "columns", multiple=True, metavar="COLUMN=TARGET", help="CSV: what a column is."),
    click.option("--always", multiple=True, metavar="TARGET=VALUE", help="CSV: what stands for every row."),
    click.option("--operator", type=click.Choice(OPERATORS), help="CSV of profiles: which operator; $set if none."),
    click.option("--strict", is_flag=True, help="Refuse records that are only advised against."),
    click.option("--ignore-time", is_flag=True, help="Profiles: $ignore_time, so that Last Seen stays as it is."),
    click.option("--keep-place", is_flag=True, help="Profiles: $ip 0, so that their city stays as it is."),
    click.option("--ignore-alias", is_flag=True, help="Profiles: $ignore_alias, so that aliases are not followed."),
    click.option(
        "--time-offset",
        type=click.FloatRange(-FURTHEST, FURTHEST),
        default=0,
        metavar="HOURS",
        help="Events: how far their times are ahead of UTC, as in exports of projects from before 2023.",
    ),
)


def asked(command: Any) -> Any:
    """Add the options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def options_of(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an import that say how it is done. Raises UsageError."""
    options = Options(**{name: given[name] for name in vars(Options())})
    try:
        options.check(kind)
    except WrongOption as error:
        raise click.UsageError(str(error)) from None
    return {"options": options.given} if options.given else {}


def columns_of(path: Path, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an import that say how a CSV is read; none for the others. Raises UsageError, Unreadable,
    OSError."""
    columns, always, operator = _pairs(given["columns"]), _pairs(given["always"]), given["operator"]
    _check_operator(kind, operator)
    if files.form_of(path) != "csv":
        if columns or always or operator:
            raise click.UsageError(f"{path.name} is JSON: --column, --always and --operator are for CSV.")
        return {}
    names = files.heads(path)
    unknown = next((name for name in columns if name not in names), None)
    if unknown is not None:
        raise click.UsageError(f"There is no column {unknown}. The file has: {shown(names)}.")
    read = Columns(kind, guessed(kind, names, columns), always, operator or "$set")
    try:
        read.check()
    except WrongColumns as error:
        raise click.UsageError(str(error)) from None
    if lacking := read.lacking:
        targets = ", ".join([*TARGETS[kind], *GENERAL])
        raise click.UsageError(
            f"No column is known to be {lacking}. The file has: {shown(names)}. Say which one it is with "
            f"--column NAME={lacking}, or the same for all with --always {lacking}=VALUE. A column can be {targets}."
        )
    return {"mapping": read.mapping, "always": always, "operator": read.operator}


def _check_operator(kind: str, operator: str | None) -> None:
    if operator is None:
        return
    try:
        Columns(kind, operator=operator).check_operator(was_chosen=True)
    except WrongColumns as error:
        raise click.UsageError(str(error)) from None


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    wrong = next((item for item in given if "=" not in item), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong!r} is no NAME=VALUE.")
    found: dict[str, str] = {}
    for name, _, value in (item.partition("=") for item in given):
        if name in found:
            raise click.UsageError(f"{name} is given twice.")
        found[name] = value
    return found
