"""Members as the API, the dashboard and exports write them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Raw, Struct
from sqlalchemy import Connection

from blueprints.json_types import Json, Moment, Whole, moment
from models.queries import members


class MemberRow(NamedTuple):
    """A row of models.queries.members.COLUMNS; `entered_at` in milliseconds since 1970, `properties` a JSON object."""

    person_id: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: str
    entered_at: int
    entry_number: int


class Member(Struct):
    """A person who is in the cohort now. `entry_number` says how often they have entered."""

    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: Json
    entered_at: Moment
    entry_number: Whole


def page(db: Connection, cohort: int, after: int, limit: int) -> list[MemberRow]:
    """The next `limit` members behind the person id `after`; `cohort` is our own id."""
    return list(map(MemberRow._make, members.page(db, cohort, after, limit)))


def shape(row: Sequence[Any]) -> Member:
    """A row of models.queries.members.COLUMNS as the API writes it."""
    _id, distinct_id, email, first_name, last_name, phone_number, properties, entered_at, entry_number = row
    return Member(
        distinct_id, email, first_name, last_name, phone_number, Raw(properties), moment(entered_at), entry_number
    )
