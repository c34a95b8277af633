"""A person's line of time: every entry and exit in every cohort of the project, newest first, a page at a time."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.paging import AFTER_ALL, split
from blueprints.urls import key
from models.queries.trail import trail

PAGE = 100

TimelinePosition = tuple[int, int, int]  # moment, our cohort id, number within the cohort's log: what a page ended with

FROM_NOW: TimelinePosition = (AFTER_ALL, AFTER_ALL, AFTER_ALL)

# Those of this page are counted, so that each cohort's trail ends where the page must be full. `e` is the entry that an
# exit ends.
_TRAIL = text(
    trail(
        ("number", "entered", "entry_number", "session_id", "at"),
        """
    SELECT t.cohort_id, c.name, c.mixpanel_cohort_id, t.number, t.entered, t.entry_number, t.at, t.session_id,
        s.action, s.mixpanel_session_id, e.at AS entered_at
    FROM (SELECT * FROM trail WHERE counted > 0 ORDER BY at DESC, cohort_id DESC, number DESC LIMIT :page + 1) AS t
    JOIN cohort c ON c.id = t.cohort_id
    LEFT JOIN sync_session s ON s.id = t.session_id
    LEFT JOIN membership_change e ON e.cohort_id = t.cohort_id AND e.number = t.previous AND NOT t.entered AND e.entered
    ORDER BY t.at DESC, t.cohort_id DESC, t.number DESC""",
        count="(x.at, x.cohort_id, x.number) < (:at, :cohort, :number)",
        goes_on="t.counted <= :page",
    )
)


@dataclass(frozen=True)
class Turn:
    """One entry or exit in a cohort; None is all of a session that is gone. `entered_at` is when the stay began that an
    exit ends, where that is known. Times are milliseconds since 1970."""

    cohort_id: int
    name: str
    mixpanel_cohort_id: str
    number: int
    entered: bool
    entry_number: int
    at: int
    session_id: int
    action: str | None
    mixpanel_session_id: str | None
    entered_at: int | None

    @property
    def stayed(self) -> int | None:
        """Milliseconds of the stay that an exit ends; None where its beginning is not known."""
        return None if self.entered_at is None else self.at - self.entered_at


def read(
    db: Connection, project_id: str, person_id: int, before: TimelinePosition | None
) -> tuple[list[Turn], str | None]:
    """The newest changes before a place, at most PAGE, and the `before` of the next page if there is one."""
    at, cohort, number = before or FROM_NOW
    values = {"project_id": project_id, "person": person_id, "at": at, "cohort": cohort, "number": number, "page": PAGE}
    shown, last = split(rows.every(db.execute(_TRAIL, values), Turn), PAGE)
    older = f"{last.at}-{last.cohort_id}-{last.number}" if last else None
    return list(shown), older


def place(given: str) -> TimelinePosition | None:
    """The place that `?before=` stands for; None where it is none, which is the newest page."""
    keys = [key(part, -1) for part in given.split("-")]
    if len(keys) != len(FROM_NOW) or min(keys) < 0:
        return None
    at, cohort, number = keys
    return at, cohort, number
