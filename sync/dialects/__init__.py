"""How people and memberships are read and written in sets, one way for each database. The statements differ because
what is fast differs; what they do is the same, and the same tests run on both."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from sync.apply.membership import People, Stay
from sync.apply.people import Change
from sync.dialects import postgresql, sqlite


class Store(Protocol):
    def read_people(
        self, db: Connection, project_id: str, cohort_id: int, digests: Mapping[str, int | None], refresh: int | None
    ) -> People:
        """What is stored of the people with these ids, in the same order; a profile only where the digest differs.
        Of whom a refresh of this session number changes nothing, a store may return the id alone."""

    def write_people(
        self, db: Connection, project_id: str, people: Sequence[Change], highest_id: int, now: int
    ) -> dict[str, int]:
        """Insert and update people; returns the ids of those that were written, by distinct id."""

    def write_stays(
        self,
        db: Connection,
        cohort_id: int,
        session_number: int,
        session_id: int,
        stays: Sequence[Stay],
        now: int,
    ) -> None:
        """Write membership rows, and append to the log those that changed."""


STORES: dict[str, Store] = {"sqlite": sqlite, "postgresql": postgresql}


def of(db: Connection) -> Store:
    return STORES[db.dialect.name]
