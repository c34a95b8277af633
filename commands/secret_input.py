"""How commands are given secrets: by standard input, a line each. What stands among the arguments is in the process
list, where every user of the machine reads it, and in the shell's history."""

import sys
from urllib.parse import urlsplit

import click


def line(what: str) -> str:
    """Read the next line of standard input. Raises ClickException where there is none; `what` completes "No … came"."""
    typed = sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise click.ClickException(f"No {what} came on standard input.")
    return typed


def seen(_context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """Take an option that holds a secret, for those who used it before: it works, and says what it does."""
    if given:
        _warn(option, f"{option.opts[0]}-stdin")
    return given


def seen_address(_context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """Do the same for a database's address, which may hold a password; `-` reads it from standard input."""
    if given == "-":
        return line("address")
    try:
        holds_password = bool(given and urlsplit(given).password)
    except ValueError:  # the command says what is wrong with it
        holds_password = False
    if holds_password:
        _warn(option, f"{option.opts[0]} -")
    return given


def _warn(option: click.Parameter, better: str) -> None:
    click.echo(
        f"warn  {option.opts[0]} shows it to every user of this machine, in the process list."
        f" Give it on standard input: {better}",
        err=True,
    )
