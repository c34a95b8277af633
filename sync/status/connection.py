"""How a connection stands: what its own calls say, and the worst of its cohorts. The words are in
`sync.status.text`."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from config.clock import DAY
from models.queries.failures import LAST_TAKEN
from sync.status import text as status_text
from sync.status.cohort import (
    SIMULATED,
    TONES,
    CohortStatus,
    LastFailure,
    cohort_statuses,
    is_failing,
    is_paused,
    last_failure,
)

WORST_FIRST = ("failing", "held", "stalled", "quiet", "late")  # of a cohort, what its connection is not well for
REMEMBERED = 30 * DAY  # for which a refusal counts against a connection
REMEMBERED_UNKNOWN = 3 * DAY  # the same of a cohort that was never received; its sync may be gone for good
# Refusals that name no cohort are the connection's, and so are those that name a cohort which was never received: the
# pause after its very first call must show somewhere. They end with its first call that succeeds, or after a while.
# A cohort belongs to the connection that brought its newest session; a connection that brings none any more was last
# called when one of its passwords was last used, which is known to the minute and so may follow a refusal.
_CONNECTIONS = text(f"""
    WITH called AS ({LAST_TAKEN}),
    used AS (SELECT connection_id, max(last_used_at) AS at FROM connection_password GROUP BY connection_id),
    known AS (
        SELECT k.id, k.name, k.enabled, k.created_at, coalesce(called.at, used.at) AS last_call_at,
            coalesce(called.at, used.at - 60000, 0) AS since
        FROM connection k LEFT JOIN called ON called.connection_id = k.id LEFT JOIN used ON used.connection_id = k.id),
    refused AS (
        SELECT w.id, sum(f.count) AS refusals,
            coalesce(max(CASE WHEN f.status IN (400, 401, 403, 404) THEN f.id END), max(f.id)) AS failure_id
        FROM known w JOIN failure f ON f.connection = w.name
        WHERE f.at > :after AND f.cause <> 'switched_off' AND (
            (f.cohort_id IS NULL AND f.last_at > w.since)
            OR (f.cohort_id IS NOT NULL AND f.status IN (400, 401, 403, 404) AND f.last_at > :lately AND NOT EXISTS (
                SELECT 1 FROM cohort c WHERE c.mixpanel_cohort_id = f.cohort_id
                    AND c.project_id = coalesce(f.project_id, 'unknown'))))
        GROUP BY w.id)
    SELECT w.id, w.name, w.enabled, w.created_at, w.last_call_at, r.refusals, x.id AS failure_id,
        x.status AS failure_status, x.cause, x.message, x.last_at AS failed_at
    FROM known w LEFT JOIN refused r ON r.id = w.id LEFT JOIN failure x ON x.id = r.failure_id
    ORDER BY w.id""")  # noqa: S608 - our own words


@dataclass(frozen=True)
class ConnectionStatus:
    """How one connection stands at `now`. `refusals` counts those that name no cohort, since its last call that
    succeeded; those that name a cohort are the cohort's."""

    now: int
    id: int
    name: str
    enabled: bool
    created_at: int
    last_call_at: int | None
    refusals: int
    failure: LastFailure | None
    cohorts: tuple[CohortStatus, ...]

    @property
    def state(self) -> str:
        """Return a key of `TONES`: the worst of its own state and its cohorts', and `in_step` only where all of them
        are well."""
        if self.own_state not in {"in_step", "quiet"}:
            return self.own_state
        return next((state for state in WORST_FIRST if state == self.own_state or state in self.troubles), "in_step")

    @property
    def troubles(self) -> Counter[str]:
        """Count its cohorts in each state that is not well."""
        followed = (cohort.state for cohort in self.cohorts if not cohort.mixpanel_cohort_id.startswith(SIMULATED))
        return Counter(state for state in followed if state in WORST_FIRST)

    @property
    def own_state(self) -> str:
        """Return never_called, in_step, quiet, failing or off: its state without what its cohorts' states say."""
        if not self.enabled:
            return "off"
        if is_failing(self.refusals, self.failure):
            return "failing"
        if self.last_call_at is None or self.is_only_simulated:
            return "never_called"
        recurring = [cohort for cohort in self.cohorts if cohort.rhythm.kind == "recurring"]
        silent = [cohort for cohort in recurring if cohort.rhythm.is_quiet(self.now, cohort.last_call_at)]
        return "quiet" if recurring and len(silent) == len(recurring) else "in_step"

    @property
    def is_only_simulated(self) -> bool:
        """Whether nothing but our own simulated exports has come, so that Mixpanel has still to find the way."""
        return bool(self.cohorts) and all(cohort.mixpanel_cohort_id.startswith(SIMULATED) for cohort in self.cohorts)

    @property
    def needs_you(self) -> bool:
        return self.own_state == "failing" and is_paused(self.failure)

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def headline(self) -> str:
        return status_text.connection_headline(self)

    @property
    def says(self) -> str:
        return status_text.connection_sentence(self)


def connection_statuses(
    db: Connection, now: int, cohorts: list[CohortStatus] | None = None
) -> dict[int, ConnectionStatus]:
    """Return the status of all connections by id, in the order in which they were made. `cohorts` saves a statement
    where the caller has them already."""
    cohorts = cohort_statuses(db, now) if cohorts is None else cohorts
    rows = db.execute(_CONNECTIONS, {"after": now - REMEMBERED, "lately": now - REMEMBERED_UNKNOWN})
    return {row.id: _connection(row, now, cohorts) for row in rows}


def _connection(row: Row[Any], now: int, cohorts: list[CohortStatus]) -> ConnectionStatus:
    return ConnectionStatus(
        now=now,
        id=row.id,
        name=row.name,
        enabled=bool(row.enabled),
        created_at=row.created_at,
        last_call_at=row.last_call_at,
        refusals=int(row.refusals or 0),
        failure=last_failure(row),
        cohorts=tuple(cohort for cohort in cohorts if cohort.connection_id == row.id),
    )
