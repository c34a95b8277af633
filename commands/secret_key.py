"""`flask secret-key`: the key that the database was filled with."""

import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from runtime import current_runtime
from security import key_check
from security.audit import TERMINAL, note
from security.key_check import Lost

group = AppGroup("secret-key", help="The key of everything secret that is stored.")


@group.command("accept")
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(*, yes: bool) -> None:
    """Go on with the SECRET_KEY of now, where the earlier one is lost for good; first say what is lost with it."""
    runtime = current_runtime()
    if runtime.database.read(lambda db: key_check.is_right(db, *runtime.settings.secret_keys)):
        click.echo("This is the database's key already; nothing is lost and nothing was changed.")
        return
    lost = runtime.database.read(key_check.lost)
    click.echo(_told(lost))
    if not yes:
        click.confirm("Go on with the new key?", abort=True, err=True)
    runtime.database.write(lambda db: _accept(db, runtime.settings.secret_key, runtime.clock()))
    click.echo("The relay starts with the new key now.")


def _accept(db: Connection, secret_key: str, now: int) -> None:
    key_check.replace(db, secret_key, now)
    note(db, now, TERMINAL, "secret_key.accept", "SECRET_KEY")


def _told(lost: Lost) -> str:
    return (
        "With another key these are void, and have to be made anew:\n"
        f"  {lost.passwords} webhook passwords: flask connections rotate NAME, then type each into Mixpanel\n"
        f"  {lost.tokens} API tokens: flask tokens remove NAME, flask tokens add NAME\n"
        f"  {lost.projects} projects' credentials: type them again at Send, Projects\n"
        f"  {lost.destinations} destinations' secrets: flask destinations rotate NAME, or change NAME --secrets-stdin\n"
        f"  {lost.channels} alert channels' addresses and secrets: type them again at Settings, Alerts\n"
        f"  {lost.requests} kept requests that were refused cannot be looked at any more\n"
        f"  {lost.erasures} proofs of erasures stay, and cannot be found by a person's id any more\n"
        f"  {lost.authenticators} second factors with their recovery codes: flask operators reset-second-factor EMAIL\n"
        "Everybody signs in at the dashboard again, with the password that they have. Members, cohorts, history and\n"
        "the audit trail are kept."
    )
