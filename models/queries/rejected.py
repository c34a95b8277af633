"""The rejected members of a session (S2), read at the store a few at a time: a page may have thousands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

_LISTED = """
    SELECT p.page, {nth} AS nth, {reason} AS reason, {value} AS value
    FROM sync_page p CROSS JOIN {members}
    WHERE p.session_id = :session_id AND p.rejected > 0 AND p.page >= :page AND (p.page > :page OR {nth} > :nth)
    ORDER BY p.page, nth LIMIT :limit OFFSET :offset"""

_LISTED_BY = {
    "sqlite": text(
        _LISTED.format(
            members="json_each(p.rejected_members) r",
            nth="r.key",
            reason="json_extract(r.value, '$.reason')",
            value="json_extract(r.value, '$.value')",
        )
    ),
    "postgresql": text(
        _LISTED.format(
            members="LATERAL jsonb_array_elements(p.rejected_members) WITH ORDINALITY AS r(member, place)",
            nth="(r.place - 1)",
            reason="r.member ->> 'reason'",
            value="r.member ->> 'value'",
        )
    ),
}

# The first `:first` rejected members of a row `p` of sync_page, as JSON text.
FIRST = {
    "sqlite": """(SELECT json_group_array(json(r.value)) FROM (
        SELECT value FROM json_each(p.rejected_members) ORDER BY key LIMIT :first) r)""",
    "postgresql": """(SELECT CAST(json_agg(r.value) AS text) FROM (
        SELECT value FROM jsonb_array_elements(p.rejected_members) LIMIT :first) r)""",
}

BEFORE_ALL = (-(2**62), -1)


def listed(
    db: Connection, session_id: int, limit: int, behind: tuple[int, int] = BEFORE_ALL, offset: int = 0
) -> Sequence[Row[Any]]:
    """Return `page`, `nth`, `reason` and `value` of the next `limit`, by page and place, behind the `nth` of a page."""
    page, nth = behind
    values = {"session_id": session_id, "page": page, "nth": nth, "limit": limit, "offset": offset}
    return db.execute(_LISTED_BY[db.dialect.name], values).all()
