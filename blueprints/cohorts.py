"""A cohort as pages and exports name it, found by our own id."""

from dataclasses import dataclass

from flask import abort
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.urls import can_be_stored

_COHORT = text("""
    SELECT id, project_id, mixpanel_cohort_id, name, description, member_count, change_count, created_at,
        first_synced_at, last_synced_at, guard_percent, log_gone
    FROM cohort WHERE id = :id""")


@dataclass(frozen=True)
class Cohort:
    """Its row. Times are milliseconds since 1970; `change_count` is the newest number of its log, and up to `log_gone`
    that one is past its retention."""

    id: int
    project_id: str
    mixpanel_cohort_id: str
    name: str
    description: str
    member_count: int
    change_count: int
    created_at: int
    first_synced_at: int | None
    last_synced_at: int | None
    guard_percent: int | None
    log_gone: int

    @property
    def label(self) -> str:
        """How a page names it: Mixpanel may have sent no name."""
        return self.name or f"Cohort {self.mixpanel_cohort_id}"


def find(db: Connection, cohort_id: int) -> Cohort:
    """The cohort of a page's address. Answers 404 where there is none."""
    found = rows.one_or_none(db.execute(_COHORT, {"id": cohort_id}), Cohort) if can_be_stored(cohort_id) else None
    return found or abort(404)
