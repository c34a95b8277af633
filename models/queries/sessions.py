"""Which of a cohort's sessions is unfinished: the one answer of the pages, the API and the comparisons.

An unfinished refresh is always the newest one: a newer refresh supersedes it. A diff counts while no refresh that came
after it is complete, because such a refresh has had the last word on everybody. Each look-up is a probe of an index,
whatever the number of sessions.
"""

from models.sessions import IS_UNFINISHED


def unfinished(column: str) -> str:
    """Return SQL for this column of the unfinished session of a row `c` of cohort; null where none is."""
    return f"""coalesce(
        (SELECT s.{column} FROM sync_session s WHERE s.cohort_id = c.id AND s.number = c.newest_refresh
            AND s.{IS_UNFINISHED}),
        (SELECT CASE WHEN s.{IS_UNFINISHED} THEN s.{column} END FROM sync_session s
            WHERE s.cohort_id = c.id AND s.number > c.complete_refresh AND s.action <> 'members'
            ORDER BY s.number DESC LIMIT 1))"""  # noqa: S608 - our own columns
