"""Who is in a cohort now, a page at a time by person id: what the API, the pages, imports and comparisons read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Row, TextClause, text

AT_ONCE = 50  # rows that a streamed page has in memory

COLUMNS = """m.person_id, p.distinct_id, p.email, p.first_name, p.last_name, p.phone_number,
    CAST(p.properties AS text) AS properties, m.entered_at, m.entry_number"""


def _page(columns: str) -> TextClause:
    """The statement for a page. The memberships come first and by themselves, then their people one by one: joined in
    the open, PostgreSQL may read all people of the database for every page. CROSS JOIN holds SQLite to that order."""
    return text(f"""
        SELECT {columns} FROM (
            SELECT person_id, entered_at, entry_number FROM membership
            WHERE cohort_id = :cohort AND person_id > :after AND left_at IS NULL
            ORDER BY person_id LIMIT :limit) m
        CROSS JOIN person p WHERE p.id = m.person_id ORDER BY m.person_id""")  # noqa: S608 - our own columns


_PAGE = _page(COLUMNS)
_IDS = _page("m.person_id, p.distinct_id")


def page(db: Connection, cohort: int, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return the next `limit` members behind the person id `after`, as COLUMNS; `cohort` is our own id."""
    return db.execute(_PAGE, {"cohort": cohort, "after": after, "limit": limit}).all()


def page_of_ids(db: Connection, cohort: int, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return the same members, of each only `person_id` and `distinct_id`."""
    return db.execute(_IDS, {"cohort": cohort, "after": after, "limit": limit}).all()


def streamed(db: Connection, cohort: int, after: int, limit: int) -> CursorResult[Any]:
    """Return the same page as `page`, AT_ONCE rows at a time from the store. The caller closes it."""
    options = {"stream_results": True, "max_row_buffer": AT_ONCE}
    return db.execute(_PAGE, {"cohort": cohort, "after": after, "limit": limit}, execution_options=options)
