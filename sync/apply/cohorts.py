"""The cohort's row: the lock under which all its pages are applied, its label and its counts."""

from dataclasses import dataclass

from sqlalchemy import Connection

from models.statement import Row, Statement
from sync.contract.page import Page

_COLUMNS = """id, project_id, mixpanel_cohort_id, name, description, member_count, version, session_count, change_count,
    newest_refresh, complete_refresh, first_synced_at, last_synced_at, last_call_at, guard_percent"""

_FIND = f"SELECT {_COLUMNS} FROM cohort WHERE project_id = :project_id AND mixpanel_cohort_id = :cohort_id"  # noqa: S608
# NO KEY: a session row that refers to the cohort may be inserted by others meanwhile.
_LOCK = {"sqlite": Statement(_FIND), "postgresql": Statement(_FIND + " FOR NO KEY UPDATE")}
_LOCK_BY_ID = {
    dialect: Statement(f"SELECT {_COLUMNS} FROM cohort WHERE id = :id {tail}")  # noqa: S608
    for dialect, tail in (("sqlite", ""), ("postgresql", "FOR NO KEY UPDATE"))
}

# An erasure locks all cohorts of its project. One that is not there yet it cannot lock; so whoever makes one shares a
# lock on the project that an erasure holds alone, and the erasure looks at the cohorts once it has that.
_PROJECT = "pg_advisory_xact_lock{shared}(hashtextextended(:project_id, 0))"
_SHARE_PROJECT = Statement(f"SELECT {_PROJECT.format(shared='_shared')}")
_HOLD_PROJECT = Statement(f"SELECT {_PROJECT.format(shared='')}")
_LOCK_ALL = Statement("SELECT id FROM cohort WHERE project_id = :project_id ORDER BY id FOR NO KEY UPDATE")

# Two first pages may race on PostgreSQL: the later one then finds and locks the earlier one's row.
_CREATE = Statement(f"""
    INSERT INTO cohort (project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
        change_count, newest_refresh, complete_refresh, created_at, last_call_at)
    VALUES (:project_id, :cohort_id, '', '', 0, 0, 0, 0, 0, 0, :now, :now)
    ON CONFLICT (project_id, mixpanel_cohort_id) DO UPDATE SET last_call_at = excluded.last_call_at
    RETURNING {_COLUMNS}""")  # noqa: S608

_SAVE = Statement("""
    UPDATE cohort SET name = :name, description = :description, member_count = :member_count, version = :version,
        session_count = :session_count, change_count = :change_count, newest_refresh = :newest_refresh,
        complete_refresh = :complete_refresh, first_synced_at = :first_synced_at, last_synced_at = :last_synced_at,
        last_call_at = :last_call_at
    WHERE id = :id""")

_FORMER_LABEL = Statement("""
    INSERT INTO cohort_label (cohort_id, session_number, name, description, until)
    VALUES (:cohort_id, :session_number, :name, :description, :until)
    ON CONFLICT (cohort_id, session_number) DO NOTHING""")


@dataclass
class CohortState:
    """A locked cohort row; change it, then `save` it."""

    id: int
    project_id: str
    mixpanel_cohort_id: str
    name: str
    description: str
    member_count: int
    version: int
    session_count: int
    change_count: int
    newest_refresh: int
    complete_refresh: int
    first_synced_at: int | None
    last_synced_at: int | None
    last_call_at: int
    guard_percent: int | None  # never saved here: see `sync.sweep.guard`

    def count_changes(self, entered: int, left: int) -> None:
        """Count entries and exits that are appended to the end of the log."""
        self.change_count += entered + left
        self.member_count += entered - left
        self.version += 1 if entered or left else 0

    def synced(self, now: int) -> None:
        """Note that a session of this cohort is complete."""
        self.first_synced_at = self.first_synced_at or now
        self.last_synced_at = now


def lock(db: Connection, page: Page, now: int) -> CohortState:
    """Lock the cohort of `page` until the transaction ends, and return it; make it if it is new (S6)."""
    values = {"project_id": page.project_id, "cohort_id": page.cohort_id}
    row = _LOCK[db.dialect.name].first(db, values)
    return CohortState(*(row or _created(db, values, now)))


def _created(db: Connection, values: dict[str, str], now: int) -> Row:
    if db.dialect.name == "postgresql":  # SQLite has one writer
        _SHARE_PROJECT.all(db, values)
    return _CREATE.one(db, values | {"now": now})


def lock_project(db: Connection, project_id: str) -> None:
    """Lock all cohorts of a project until the transaction ends, in the order of their ids. None of its pages is under
    way then. Pages lock one cohort before anything else, so this never deadlocks with them."""
    if db.dialect.name == "postgresql":
        _HOLD_PROJECT.all(db, {"project_id": project_id})
        _LOCK_ALL.all(db, {"project_id": project_id})


def lock_by_id(db: Connection, cohort_id: int) -> CohortState:
    return CohortState(*_LOCK_BY_ID[db.dialect.name].one(db, {"id": cohort_id}))


def relabel(db: Connection, cohort: CohortState, page: Page, session_number: int, now: int) -> None:
    """Show the label of the newest session, and keep the one that it replaces with its date (S12). A session whose own
    pages differ in it has replaced one label."""
    name = cohort.name if page.name is None else page.name
    description = cohort.description if page.description is None else page.description
    if session_number != cohort.session_count or (name, description) == (cohort.name, cohort.description):
        return
    if cohort.version:
        former = {"name": cohort.name, "description": cohort.description, "until": now}
        _FORMER_LABEL.run(db, former | {"cohort_id": cohort.id, "session_number": session_number})
    cohort.name, cohort.description = name, description
    cohort.version += 1


def save(db: Connection, cohort: CohortState) -> None:
    _SAVE.run(db, vars(cohort))
