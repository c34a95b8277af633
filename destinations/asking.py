"""Asking Mixpanel for the identity that parked people lack.

Its exports name only who enters, so that a property which somebody gets later does not come by itself. A query asks
about up to 1,000 people, and is one of the 60 of an hour that all processes share. What Mixpanel knows is kept with the
person; whoever gains an identity by it is told of, as if an export had brought it (`destinations.profiles`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from destinations import registry
from destinations.subscriptions import Subscription
from models.columns import is_storable
from models.encryption import DecryptionError
from models.people import Person
from outbound import projects, send
from outbound.operations.registry import OPERATIONS
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.transport import budget
from outbound.transport.attempts import Outcome
from runtime import Runtime

SOURCE = "destination"
AT_ONCE = 1000  # people that a query asks about: what a page of its answer holds
LONGEST = 5000  # characters of a value
# What Mixpanel calls the columns of a person.
NAMES = {"email": "$email", "phone_number": "$phone", "first_name": "$first_name", "last_name": "$last_name"}

_COUNT = text("""
    SELECT count(DISTINCT person_id) FROM message WHERE subscription_id = :id AND state = 'parked' AND id > :after""")
_PARKED = text("""
    SELECT m.id, p.distinct_id FROM message m JOIN person p ON p.id = m.person_id
    WHERE m.subscription_id = :id AND m.state = 'parked' AND m.id > :after AND p.erased_at IS NULL
    ORDER BY m.id LIMIT :limit""")
_LOOK_AGAIN = text("""
    UPDATE subscription SET profiles_version = -1
    WHERE cohort_id IN (SELECT id FROM cohort WHERE project_id = :project_id)""")


class CannotAsk(Exception):
    """Mixpanel cannot be asked; the text is for people."""


@dataclass(frozen=True)
class Question:
    """What asking would take: `people` without an identity, so many `queries`, of which `left` are left in this hour.
    `wanted` is the property that is asked for, by Mixpanel's name; `project` is whose credentials are used."""

    people: int
    queries: int
    left: int
    wanted: str
    project: str


@dataclass
class Asked:
    """What came of it: of `people` who were asked about `found` have the property now. `after` is where to go on, None
    where all were asked about; `told` says why it ended before."""

    people: int = 0
    found: int = 0
    queries: int = 0
    after: int | None = 0
    told: str = ""


@dataclass(frozen=True)
class _Call:
    """Whom a query is made for, by whom."""

    runtime: Runtime
    project: Project
    who: str
    wanted: str


@dataclass(frozen=True)
class _Answer:
    """What a query has told: the values by distinct id, or why there are none."""

    values: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""


def look(db: Connection, known: Subscription, now: int, after: int = 0) -> Question:
    """Return what asking about those whose messages are parked behind the id `after` would take. Raises CannotAsk."""
    wanted, project = _wanted(known), _project(db, known)
    people = int(db.execute(_COUNT, {"id": known.id, "after": after}).scalar_one())
    left = next(one.left for one in budget.left(db, project.mixpanel_project_id, now) if one.family == "query")
    return Question(people, -(-people // AT_ONCE), left, wanted, project.name)


def ask(runtime: Runtime, known: Subscription, who: str, after: int = 0, most: int | None = None) -> Asked:
    """Ask, with at most so many queries, until the budget is spent or Mixpanel refuses. Raises CannotAsk and
    DatabaseUnavailable."""
    wanted = _wanted(known)
    project = runtime.database.read(lambda db: _project(db, known))
    call = _Call(runtime.with_settings(send_attempts=1), project, who, wanted)
    asked = Asked(after=after)
    while asked.after is not None and (most is None or asked.queries < most):
        rows = runtime.database.read(partial(_parked, known=known, after=asked.after))
        ids = list(dict.fromkeys(row.distinct_id for row in rows))
        if ids:
            answer = _query(call, ids)
            if answer.told:
                asked.told = answer.told
                break
            asked.queries, asked.people = asked.queries + 1, asked.people + len(ids)
            asked.found += runtime.database.write(
                partial(_keep, known=known, values=answer.values, now=runtime.clock())
            )
        asked.after = rows[-1].id if len(rows) == AT_ONCE else None
    return asked


def _wanted(known: Subscription) -> str:
    """Raises CannotAsk."""
    if known.type not in registry.TYPES:
        raise CannotAsk(f"This version knows no type {known.type}.")
    rule = known.rule()
    source = rule.source
    if rule.way != "keep":
        raise CannotAsk("The connection of this cohort does not keep it as it arrives, so it is not asked for either.")
    if source == "distinct_id":
        raise CannotAsk("Everybody has a distinct id: there is nothing to ask for.")
    return NAMES.get(source, source)


def _project(db: Connection, known: Subscription) -> Project:
    """Raises CannotAsk."""
    found = projects.by_mixpanel_id(db, known.project_id)
    if found is None:
        raise CannotAsk(f"There are no credentials of the project {known.project_id} here: see flask projects add.")
    return found


def _parked(db: Connection, known: Subscription, after: int) -> Sequence[Row[Any]]:
    return db.execute(_PARKED, {"id": known.id, "after": after, "limit": AT_ONCE}).all()


def _query(call: _Call, ids: list[str]) -> _Answer:
    """Raises CannotAsk."""
    params = {"distinct_ids": ids, "output_properties": [call.wanted]}
    try:
        made = send.ready(call.runtime, call.project, OPERATIONS["engage-query"], CallInput(params))
    except DecryptionError:
        raise CannotAsk("The project's credentials were sealed under another SECRET_KEY: give them again.") from None
    stops = made.composed.stops(force=True)
    if stops:
        raise CannotAsk(stops[0].message)
    return _read(send.send(call.runtime, made, call.who, SOURCE)[1], call.wanted)


def _read(outcome: Outcome, wanted: str) -> _Answer:
    if outcome.verdict != "accepted" or outcome.answer is None:
        return _Answer(told=outcome.words)
    body = send.answer_json(outcome.answer.text)
    results = body.get("results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        return _Answer(told="Mixpanel's answer is no page of profiles. Try again later.")
    return _Answer(dict(_values(results, wanted)))


def _values(results: list[Any], wanted: str) -> Iterator[tuple[str, Any]]:
    for result in results:
        properties = result.get("$properties") if isinstance(result, dict) else None
        value = properties.get(wanted) if isinstance(properties, dict) else None
        if _is_identity(value):
            yield str(result.get("$distinct_id")), value


def _is_identity(value: Any) -> bool:
    """Tell whether a value can be kept, and be looked at by the rule of identities."""
    if isinstance(value, str):
        return bool(value.strip()) and len(value) <= LONGEST and is_storable(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _keep(db: Connection, known: Subscription, values: Mapping[str, Any], now: int) -> int:
    """Keep what Mixpanel knows of people who have nothing there yet; return of how many. They are locked in the order
    of their ids, as by pages."""
    source, kept = known.rule().source, 0
    rows = db.execute(
        select(Person)
        .where(Person.project_id == known.project_id, Person.distinct_id.in_(values), Person.erased_at.is_(None))
        .order_by(Person.distinct_id)
        .with_for_update()
    ).all()
    for row in rows:
        value = values[row.distinct_id]
        if source in NAMES:
            is_there, changed = bool((getattr(row, source) or "").strip()), {source: str(value)}
        else:
            is_there, changed = (
                row.properties.get(source) not in {None, ""},
                {"properties": row.properties | {source: value}},
            )
        if not is_there:
            db.execute(update(Person).where(Person.id == row.id).values(**changed, updated_at=now))
            kept += 1
    if kept:
        db.execute(_LOOK_AGAIN, {"project_id": known.project_id})
    return kept
