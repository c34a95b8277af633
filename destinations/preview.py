"""Before anything starts: ten masked bodies, who has no identity, and how long a backfill takes by the budget."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from destinations import bodies, destinations, opening
from destinations.contract import DestinationType, Feed
from destinations.destinations import Destination
from destinations.identity import BROUGHT_BY, IdentityRule, NoIdentity, profile
from destinations.identity import rule as identity_rule
from destinations.settings import WrongSettings, batch_size
from destinations.subscriptions import NewSubscription
from models.database import Database
from models.profile_choice import of_column
from models.queries import members
from runtime import Runtime

SHOWN = 10
LOOKED_AT = 200  # members among whom the ten are looked for

_COHORT = text(f"""
    SELECT id, name, member_count, {BROUGHT_BY.format("cohort.id")} AS keeps FROM cohort
    WHERE project_id = :project_id AND mixpanel_cohort_id = :cohort_id""")  # noqa: S608 - our own words
# LIMIT has nodes read the memberships before their people, who may lie elsewhere (docs/scaling.md).
_WITHOUT = """
    SELECT count(*) FROM (
        SELECT person_id FROM membership WHERE cohort_id = :cohort AND left_at IS NULL LIMIT 9223372036854775807) m
    CROSS JOIN person p WHERE p.id = m.person_id
        AND (coalesce(trim({value}), '') = '' OR {value} LIKE 'hashed:%')"""
_PROPERTY = {  # a path of SQLite's has no way to write a name with a quotation mark
    "sqlite": "(SELECT e.value FROM json_each(p.properties) e WHERE e.key = :name)",
    "postgresql": "(p.properties ->> :name)",
}


@dataclass(frozen=True)
class Preview:
    """`bodies` are masked, `people` are in now, `without` of them have no identity (`reason`). A backfill takes `calls`
    calls and `seconds` by the budget."""

    bodies: list[str]
    people: int
    without: int
    reason: str
    calls: int
    seconds: float


def preview(runtime: Runtime, draft: NewSubscription) -> Preview:
    """Return what a subscription would send. Nothing is called. Raises WrongSettings, opening.CannotOpen and
    DatabaseUnavailable."""
    destination = runtime.database.read(lambda db: destinations.by_name(db, draft.destination))
    if destination is None:
        raise WrongSettings({"destination": f"There is no destination {draft.destination[:100]}."})
    opening.check_type(destination.type)
    rule = _rule(destination.kind, draft)
    ids = {"project_id": draft.project_id, "cohort_id": draft.cohort_id}
    cohort = runtime.database.read(lambda db: db.execute(_COHORT, ids).one_or_none())
    if cohort is None:
        raise WrongSettings({"cohort": "There is no such cohort; Mixpanel has not sent it yet."})
    rule = replace(rule, way=rule.way_of(of_column(cohort.keeps)))
    without = _without(runtime.database, cohort.id, rule)
    calls = math.ceil((cohort.member_count - without) / batch_size(destination.kind, destination.settings))
    seconds = calls / float(destination.settings.get("rate") or destination.kind.budget.rate)
    shown = _bodies(runtime, destination, draft, cohort, rule)
    return Preview(shown, cohort.member_count, without, rule.missing, calls, seconds)


def _rule(kind: DestinationType, draft: NewSubscription) -> IdentityRule:
    try:
        return identity_rule(kind, draft.identity, draft.country or None)
    except ValueError as error:
        raise WrongSettings({"identity": str(error)}) from None


def _bodies(
    runtime: Runtime, destination: Destination, draft: NewSubscription, cohort: Row[Any], rule: IdentityRule
) -> list[str]:
    feed = Feed(0, draft.project_id, draft.cohort_id, cohort.name)
    rows = runtime.database.read(lambda db: members.page(db, cohort.id, 0, LOOKED_AT), one_statement=True)
    with closing(opening.adapter(runtime, destination)) as adapter:
        changes = (bodies.masked_change(None, *found, dict(draft.fields)) for found in _known(rows, rule))
        return [adapter.preview(feed, [change]) for change, _ in zip(changes, range(SHOWN), strict=False)]


def _known(rows: Any, rule: IdentityRule) -> Iterator[tuple[Any, str, Any]]:
    for row in rows:
        person = profile(row)
        try:
            yield person, rule.of(person), row
        except NoIdentity:
            continue


def _without(database: Database, cohort: int, rule: IdentityRule) -> int:
    """Count the members whose identity is missing, in one statement."""
    if rule.source == "distinct_id":
        return 0

    def read(db: Connection) -> int:
        column = rule.source in {"email", "first_name", "last_name", "phone_number"}
        value = f"p.{rule.source}" if column else _PROPERTY[db.dialect.name]
        values = {"cohort": cohort} if column else {"cohort": cohort, "name": rule.source}
        return int(db.execute(text(_WITHOUT.format(value=value)), values).scalar_one())

    return database.read(read, one_statement=True)
