"""`flask subscriptions change`: other terms for a subscription that runs."""

import json
from functools import partial
from typing import Any

import click
from sqlalchemy import Connection

from commands.destinations import json_option, pairs
from commands.subscriptions import find_standing, group, id_argument
from destinations import subscription_terms
from destinations.settings import WrongSettings
from destinations.subscription_terms import Terms
from runtime import current_runtime
from security.audit import TERMINAL, note


@group.command("change")
@id_argument
@click.option(
    "--field", "fields", multiple=True, metavar="NAME=PROPERTY", callback=pairs, help="All that go along now."
)
@click.option("--no-fields", is_flag=True, help="Nothing goes along any more.")
@click.option("--reentry", help="each, once or cooloff:SECONDS.")
@click.option("--report", "report_event", metavar="EVENT", help="Tell Mixpanel by this event; an empty one ends that.")
@click.option("--guard", "guard_percent", type=int, metavar="PERCENT", help="0 for none.")
@json_option
def change_terms(number: int, fields: dict[str, str], *, no_fields: bool, as_json: bool, **given: Any) -> None:
    """Change what goes along, the rule for coming again, what is reported, and the guard, from the next call on.

    What is not given stays. Nobody is told again.
    """
    if fields and no_fields:
        raise click.UsageError("Give either --field or --no-fields.")
    terms = Terms(fields if fields or no_fields else None, **given)
    if not terms.given:
        raise click.UsageError("Say what to change: --field, --no-fields, --reentry, --report or --guard.")
    try:
        after = current_runtime().database.write(lambda db: _change_terms(db, number, terms))
    except WrongSettings as error:
        raise click.ClickException(str(error)) from None
    words = f"Subscription {number} goes by it from the next call on." if after else "Nothing is different."
    click.echo(json.dumps({"id": number, "changed": after}) if as_json else words)


def _change_terms(db: Connection, number: int, terms: Terms) -> dict[str, Any]:
    noted = partial(note, db, current_runtime().clock(), TERMINAL)
    return subscription_terms.change(db, find_standing(db, number), terms, noted)
