"""What `flask import` was told: options and columns, looked at before anything is read or sent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from outbound.imports import conditions, files
from outbound.imports.changes import Changes, WrongChange
from outbound.imports.columns import GENERAL, SKIP, TARGETS, Columns, WrongColumns, proposed
from outbound.imports.conditions import Condition, WrongCondition
from outbound.imports.options import FURTHEST, Options, WrongOption
from outbound.readers.table import shown
from outbound.request.checks.profiles import OPERATORS

OPTIONS = (
    click.option("--column", "columns", multiple=True, metavar="COLUMN=TARGET", help="CSV: what a column is."),
    click.option("--always", multiple=True, metavar="TARGET=VALUE", help="CSV: what stands for every row."),
    click.option("--operator", type=click.Choice(OPERATORS), help="CSV of profiles: which operator; $set if none."),
    click.option("--rename", "renames", multiple=True, metavar="NAME=NEW", help="Send a property under another name."),
    click.option("--drop", "drops", multiple=True, metavar="NAME", help="Leave a property, or a column, out."),
    click.option(
        "--filter",
        "conditions",
        multiple=True,
        metavar="CONDITION",
        help="Only records for which this holds: plan=pro, plan!=pro, note~vip, note!~vip, seats>=3, time<2026-05-01.",
    ),
    click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="A property that every record gets."),
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


def reading_of(path: Path, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an import that say how its file is read and changed. Raises UsageError, UnreadableFile,
    OSError."""
    operator = given["operator"]
    _check_operator(kind, operator)
    columns: Columns | None = None
    if files.form_of(path) == "csv":
        columns = _columns(kind, files.heads(path), given)
    elif given["columns"] or given["always"] or operator:
        raise click.UsageError(f"{path.name} is JSON: --column, --always and --operator are for CSV.")
    settings = vars(columns).copy() if columns else {}
    settings.pop("kind", None)
    found = _changes(kind, columns, given) | {"filter": _filter(columns, given)}
    return settings | {name: value for name, value in found.items() if value}


def _changes(kind: str, columns: Columns | None, given: dict[str, Any]) -> dict[str, Any]:
    """Return the changes; those of a table's columns are made as its rows are read."""
    tags = _pairs(given["tags"])
    changes = Changes(tag=tags) if columns else Changes(_pairs(given["renames"]), given["drops"], tags)
    try:
        changes.check(kind, columns.properties if columns else frozenset())
    except WrongChange as error:
        raise click.UsageError(str(error)) from None
    return {"changes": changes.given}


def _filter(columns: Columns | None, given: dict[str, Any]) -> list[tuple[str, str, str]]:
    try:
        found = [Condition.written(text) for text in given["conditions"]]
        conditions.check(found, tuple(columns.mapping) if columns else ())
    except WrongCondition as error:
        raise click.UsageError(str(error)) from None
    return [(one.name, one.sign, one.value) for one in found]


def _columns(kind: str, names: list[str], given: dict[str, Any]) -> Columns:
    columns, always, renames = _pairs(given["columns"]), _pairs(given["always"]), _pairs(given["renames"])
    for name in (*columns, *renames, *given["drops"]):
        if name not in names:
            raise click.UsageError(f"There is no column {name}. The file has: {shown(names)}.")
    read = proposed(kind, names, columns | dict.fromkeys(given["drops"], SKIP), always, given["operator"] or "$set")
    own = {name: called for name, called in read.names.items() if called not in renames.values()}
    read = replace(read, names=own | renames)
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
    return read


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
