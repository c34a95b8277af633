"""What we keep about people: a page for a privacy officer, made from the settings and the tables, to read and print."""

from dataclasses import dataclass

from flask import render_template
from sqlalchemy import Connection, select, text

import models
from blueprints.dashboard import blueprint
from destinations import destinations, subscriptions
from destinations.destinations import Destination
from destinations.subscriptions import Subscription
from erasure import personal_data
from runtime import current_runtime
from security import connections
from security.connections import Listed
from sync.minimise.words import described

LOOKED_AT = 200  # of the newest profiles, for the names of their properties
MOST_NAMES = 100
MOST_GOING = 500  # cohorts that go somewhere

_NOW = text("SELECT count(*) AS cohorts, coalesce(sum(member_count), 0) AS members FROM cohort")


@dataclass(frozen=True)
class Going:
    """A destination, and the cohorts that go there."""

    destination: Destination
    cohorts: list[Subscription]


@dataclass(frozen=True)
class Kept:
    """What the page shows beside the facts: `names` are of properties in the newest profiles."""

    cohorts: int
    members: int
    connections: list[Listed]
    going: list[Going]
    names: list[str]


@blueprint.get("/settings/people")
def show_kept_about_people() -> str:
    """Show it all on one page."""
    runtime = current_runtime()
    found = runtime.database.read(_read)
    return render_template(
        "dashboard/settings/people.html",
        found=found,
        described=described,
        members=personal_data.MEMBERS,
        operators=personal_data.OPERATORS,
        settings=runtime.settings,
        now=runtime.clock(),
        looked_at=LOOKED_AT,
    )


def _read(db: Connection) -> Kept:
    now = db.execute(_NOW).one()
    subscribed = subscriptions.listed(db, limit=MOST_GOING)
    going = [
        Going(one, [known for known in subscribed if known.destination_id == one.id]) for one in destinations.listed(db)
    ]
    return Kept(now.cohorts, now.members, connections.listed(db), going, _names(db))


def _names(db: Connection) -> list[str]:
    """Return the names of properties, of the newest profiles: however many people there are, it takes the same time."""
    newest = select(models.Person.properties).order_by(models.Person.id.desc()).limit(LOOKED_AT)
    found: set[str] = set()
    for properties in db.execute(newest).scalars():
        found.update(properties)
    return sorted(found)[:MOST_NAMES]
