"""`flask operators`: who may sign in at the dashboard."""

import json
from collections.abc import Callable

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from commands.secret_input import line
from config.clock import iso, utc
from runtime import current_runtime
from security import operators, second_factor
from security.audit import TERMINAL
from security.operators import Operator, WrongOperator
from security.roles import ROLES

group = AppGroup("operators", help="Operators: people who sign in at the dashboard.")

from_stdin = click.option(
    "--password-stdin", is_flag=True, required=True, help="Read the password from standard input: one line."
)


def _write(work: Callable[[Connection], object]) -> None:
    try:
        current_runtime().database.write(work)
    except WrongOperator as error:
        raise click.ClickException(str(error)) from None


def _find(email: str) -> Operator:
    found = current_runtime().database.read(lambda db: operators.by_email(db, email), one_statement=True)
    if found is None:
        raise click.ClickException(f"There is no operator {email}.")
    return found


@group.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="admin", show_default=True)
@from_stdin
def add(email: str, role: str, **_: bool) -> None:
    """Let EMAIL sign in, with the password that comes on standard input."""
    runtime = current_runtime()
    try:
        email, password_hash = operators.checked(email, line("password"))
    except WrongOperator as error:
        raise click.ClickException(str(error)) from None
    _write(lambda db: operators.add(db, email, password_hash, role, TERMINAL, runtime.clock()))
    click.echo(
        f"{email} is {'an' if role[0] in 'ao' else 'a'} {role}. Sign in at {runtime.settings.public_url}/sign-in"
    )


@group.command("password")
@click.argument("email")
@from_stdin
def password(email: str, **_: bool) -> None:
    """Give EMAIL another password, and sign out every browser that had the old one."""
    operator = _find(email)
    try:
        password_hash = operators.hashed(line("password"), operator.email)
    except WrongOperator as error:
        raise click.ClickException(str(error)) from None
    _write(lambda db: operators.set_password(db, operator, password_hash, TERMINAL, current_runtime().clock()))
    click.echo(f"{operator.email} has another password.")


@group.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Remove EMAIL's second factor and recovery codes, where both are lost; every browser of theirs is signed out."""
    operator = _find(email)
    _write(lambda db: second_factor.remove(db, operator, TERMINAL, current_runtime().clock()))
    click.echo(f"{operator.email} signs in with the password alone now, and can set another second factor up.")


@group.command("remove")
@click.argument("email")
def remove(email: str) -> None:
    """Remove EMAIL, who is signed out at once."""
    operator = _find(email)
    _write(lambda db: operators.remove(db, operator, TERMINAL, current_runtime().clock()))
    click.echo(f"{operator.email} is removed.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_all(*, as_json: bool) -> None:
    """Every operator, with role and last sign-in."""
    found = current_runtime().database.read(operators.listed)
    if as_json:
        click.echo(json.dumps([_shown(operator) for operator in found]))
        return
    if not found:
        click.echo("There is no operator yet. Make one: flask operators add EMAIL --password-stdin")
    for operator in found:
        click.echo(f"{operator.email}  {operator.role}  last signed in {utc(operator.last_signed_in_at)}")


def _shown(operator: Operator) -> dict[str, str | None]:
    return {
        "email": operator.email,
        "role": operator.role,
        "created_at": iso(operator.created_at),
        "last_signed_in_at": iso(operator.last_signed_in_at),
    }
