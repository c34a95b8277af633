"""The overview: one sentence that says how things are, what is under way, and what the last day brought."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

import alerts
from backups.status import BackupStatus
from blueprints import time_zone
from blueprints.dashboard import blueprint
from blueprints.dashboard.overview import attention, notes
from blueprints.dashboard.overview import day as overview_day
from blueprints.dashboard.overview.verdict import Verdict
from config.clock import SECOND
from config.words import _
from runtime import current_runtime
from sync.status import progress, text
from sync.status.cohort import CohortStatus, Unfinished
from sync.status.connection import ConnectionStatus

RUNNING = ("receiving", "settling", "sweeping")
MOST_LIVE = 12  # of the sessions that are under way; the page stays small with every cohort receiving at once
EVERY, EVERY_LIVE = 15, 2  # seconds between two looks


@dataclass(frozen=True)
class Live:
    """A session that is under way. `pace` is in members a second, `left` in milliseconds; None where too little has
    come to tell."""

    status: CohortStatus
    session: Unfinished
    pace: int | None
    left: int | None

    @property
    def says(self) -> str:
        """Of what is late."""
        return text.late(self.session, self.status.now)

    @property
    def is_late(self) -> bool:
        return progress.state(self.session, self.status.now) == "late"


@dataclass(frozen=True)
class Now:
    """What the part of the page shows that refreshes itself."""

    verdict: Verdict
    live: list[Live]
    more_live: int
    connections: list[ConnectionStatus]
    cohorts: Sequence[CohortStatus]
    notes: list[notes.Note]
    backups: BackupStatus
    every: int

    @property
    def connections_to_look_at(self) -> list[ConnectionStatus]:
        return [connection for connection in self.connections if connection.state != "in_step"]


@blueprint.get("/")
def overview() -> str:
    """The whole page; the first steps instead where nothing has been received yet."""
    runtime = current_runtime()
    moment = runtime.clock()

    def read(db: Connection) -> tuple[Now, overview_day.Day, list[overview_day.Latest], bool]:
        seen = _look(db, moment)
        told = alerts.is_anybody_told(db, runtime.settings)
        return seen, overview_day.read(db, moment, time_zone.chosen()), overview_day.latest_failures(db), told

    seen, day, failures, is_anybody_told = runtime.database.read(read)
    names = {cohort.id: cohort.name or _("Cohort %(id)s", id=cohort.mixpanel_cohort_id) for cohort in seen.cohorts}
    return render_template(
        "dashboard/overview.html",
        seen=seen,
        day=day,
        failures=failures,
        names=names,
        is_anybody_told=is_anybody_told,
    )


@blueprint.get("/overview/now")
def overview_now() -> ResponseReturnValue:
    """The sentence and the live sessions. Who has the first steps before them (`?first=1`) is shown the whole page
    anew once something has come."""
    runtime = current_runtime()
    moment = runtime.clock()
    seen = runtime.database.read(lambda db: _look(db, moment))
    came = bool(request.args.get("first") and seen.cohorts)
    return render_template("dashboard/overview/_now.html", seen=seen), {"HX-Refresh": "true"} if came else {}


def _look(db: Connection, moment: int) -> Now:
    standing = attention.read(db, moment)
    cohorts = standing.cohorts
    live = [_live(cohort, cohort.session) for cohort in cohorts if cohort.session and cohort.session.status in RUNNING]
    live.sort(key=lambda cohort: -cohort.session.last_page_at)
    return Now(
        verdict=standing.verdict,
        live=live[:MOST_LIVE],
        more_live=max(0, len(live) - MOST_LIVE),
        connections=list(standing.connections.values()),
        cohorts=cohorts,
        notes=list(notes.of_the_relay(db, current_runtime(), cohorts, moment)),
        backups=standing.backups,
        every=EVERY_LIVE if live else EVERY,
    )


def _live(status: CohortStatus, session: Unfinished) -> Live:
    return Live(status, session, pace(session, status.now), text.remaining(session, status.now))


def pace(session: Unfinished, now: int) -> int | None:
    """Members a second, from the first page to the last that is here; none of an export that has fallen silent."""
    if progress.state(session, now) != "receiving":
        return None
    took, later_pages = session.last_page_at - session.started_at, session.pages_received - 1
    if later_pages < 1 or took <= 0:
        return None
    return round(session.received * later_pages / session.pages_received * SECOND / took)
