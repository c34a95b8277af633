"""The way to what a call to Mixpanel needs."""

import click
from flask import current_app

from outbound.desk import Desk


def desk() -> Desk:
    found: Desk = current_app.extensions["desk"]
    return found


def warn_where_it_goes(*, as_json: bool) -> None:
    """A line on standard error for people, where calls do not go to Mixpanel."""
    if desk().base_url and not as_json:
        click.echo(f"note  Not to Mixpanel: calls go to {desk().base_url} (MIXPANEL_BASE_URL).", err=True)
