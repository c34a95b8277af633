"""How many were in a cohort at a moment: those of now without what has happened since."""

from sqlalchemy import Connection, text

from blueprints.cohorts import Cohort
from blueprints.dashboard.cohorts.history import LONGEST_SESSION

MOST_READ = 50_000  # changes of a session that was under way then, which are counted one by one

# Of sessions that began later everything counts, of those that were under way what they did afterwards.
_SINCE = text("""
    SELECT CAST(sum(since) AS BIGINT) AS since, count(CASE WHEN since IS NULL THEN 1 END) AS unknown FROM (
        SELECT CAST(coalesce(sum(entered - left_count), 0) AS BIGINT) AS since FROM sync_session
        WHERE cohort_id = :cohort AND started_at > :moment
        UNION ALL
        SELECT CASE WHEN s.last_change - s.first_change < :most THEN (
            SELECT CAST(coalesce(sum(CASE WHEN x.entered THEN 1 ELSE -1 END), 0) AS BIGINT) FROM membership_change x
            WHERE x.cohort_id = :cohort AND x.number BETWEEN s.first_change AND s.last_change
                AND x.session_id = s.id AND x.at > :moment) END
        FROM sync_session s
        WHERE s.cohort_id = :cohort AND s.started_at <= :moment AND s.started_at >= :earliest AND s.first_change > 0
            AND coalesce(s.completed_at, s.last_page_at) > :moment) parts""")


def then(db: Connection, cohort: Cohort, moment: int) -> int | None:
    """Return how many were in the cohort at `moment`, with what happened in that very millisecond; None where telling
    would be to read a large part of its log. One statement."""
    values = {"cohort": cohort.id, "moment": moment, "earliest": moment - LONGEST_SESSION, "most": MOST_READ}
    row = db.execute(_SINCE, values).one()
    return None if row.unknown else cohort.member_count - int(row.since)
