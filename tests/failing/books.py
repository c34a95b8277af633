"""What the database says, read beside the app, and whether its books balance (S10, S11)."""

import json
from collections import Counter
from typing import Any

from sqlalchemy import NullPool, create_engine, text

# Several SELECTs must see one moment, also while the app writes.
ONE_MOMENT = {"sqlite": "BEGIN", "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"}


class Books:
    """The tables at `url`, one cohort at a time: by Mixpanel's id of it, which another project may have given too, and
    that of its project."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)

    def read(self, *statements: str, **values: Any) -> list[list[dict[str, Any]]]:
        """The rows of each statement, all of one moment."""
        with self._engine.connect() as db:
            db.exec_driver_sql(ONE_MOMENT[db.dialect.name])
            return [[dict(row) for row in db.execute(text(one), values).mappings()] for one in statements]

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        return self.read(statement, **values)[0]

    def members(self, cohort: str = "7", project: str = "1") -> set[str]:
        found = self.rows(
            """SELECT p.distinct_id FROM membership m JOIN person p ON p.id = m.person_id
            JOIN cohort c ON c.id = m.cohort_id
            WHERE m.left_at IS NULL AND c.mixpanel_cohort_id = :cohort AND c.project_id = :project""",
            cohort=cohort,
            project=project,
        )
        return {row["distinct_id"] for row in found}

    def properties(self, project: str = "1") -> dict[str, dict[str, Any]]:
        """Everybody's properties."""
        found = self.rows(
            "SELECT distinct_id, CAST(properties AS text) AS properties FROM person WHERE project_id = :project",
            project=project,
        )
        return {row["distinct_id"]: json.loads(row["properties"]) for row in found}

    def sessions(self, cohort: str = "7", project: str = "1") -> list[dict[str, Any]]:
        """The sessions of a cohort by number, as they are stored."""
        return self.rows(
            """SELECT s.* FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
            WHERE c.mixpanel_cohort_id = :cohort AND c.project_id = :project ORDER BY s.number""",
            cohort=cohort,
            project=project,
        )

    def page_count(self, session: str, project: str = "1") -> int:
        """How many pages of Mixpanel's session are kept."""
        (row,) = self.rows(
            """SELECT count(*) AS pages FROM sync_page p JOIN sync_session s ON s.id = p.session_id
            JOIN cohort c ON c.id = s.cohort_id
            WHERE s.mixpanel_session_id = :session AND c.project_id = :project""",
            session=session,
            project=project,
        )
        pages: int = row["pages"]
        return pages

    def failures(self, cause: str) -> int:
        """How many calls were refused for `cause`."""
        (row,) = self.rows("SELECT coalesce(sum(count), 0) AS calls FROM failure WHERE cause = :cause", cause=cause)
        return int(row["calls"])

    def assert_balanced(self, cohort: str = "7", project: str = "1") -> None:
        """The log replays to the members, nobody enters twice in a row, and every count agrees (S10, S11, S14)."""
        cohorts, log, memberships, sessions = self.read(
            "SELECT * FROM cohort WHERE mixpanel_cohort_id = :cohort AND project_id = :project",
            f"SELECT * FROM membership_change WHERE {_OF_COHORT} ORDER BY number",
            f"SELECT * FROM membership WHERE {_OF_COHORT}",
            f"SELECT * FROM sync_session WHERE {_OF_COHORT}",
            cohort=cohort,
            project=project,
        )
        if not cohorts:
            return
        last = replay(log)
        inside = {person for person, change in last.items() if change["entered"]}
        members = {row["person_id"]: row for row in memberships if row["left_at"] is None}
        assert inside == set(members)
        assert cohorts[0]["member_count"] == len(members)
        assert cohorts[0]["change_count"] == len(log)
        for row in memberships:
            change = last.get(row["person_id"], {"entry_number": 0, "number": 0})
            assert (row["entry_number"], row["change_number"]) == (change["entry_number"], change["number"])
        changes = Counter((row["session_id"], bool(row["entered"])) for row in log)
        for session in sessions:
            counted = (changes[session["id"], True], changes[session["id"], False])
            assert (session["entered"], session["left_count"]) == counted


_OF_COHORT = "cohort_id = (SELECT id FROM cohort WHERE mixpanel_cohort_id = :cohort AND project_id = :project)"


def replay(log: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The last change of everybody, after checking that each one follows from the one before."""
    assert [row["number"] for row in log] == list(range(1, len(log) + 1))
    last: dict[int, dict[str, Any]] = {}
    for row in log:
        before = last.get(row["person_id"])
        was_in, entry, number = (before["entered"], before["entry_number"], before["number"]) if before else (0, 0, 0)
        assert bool(row["entered"]) is not bool(was_in), f"{row} follows {before}"
        assert row["entry_number"] == entry + (1 if row["entered"] else 0), f"{row} follows {before}"
        assert row["previous"] == number, f"{row} follows {before}"
        last[row["person_id"]] = row
    return last
