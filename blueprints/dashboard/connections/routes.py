"""Connections: the list, and one with its cohorts, sessions, failures and live passwords."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard import blueprint
from blueprints.dashboard.overview import attention
from blueprints.dashboard.sessions.session import OF_EVERY, SessionRow
from blueprints.dashboard.sessions.words import state, what
from runtime import current_runtime
from security import connections, simulation_jobs
from security.connections import Listed, Password, WrongName
from security.simulation_jobs import Simulated
from sync.minimise.words import described
from sync.status.connection import ConnectionStatus

SHOWN = 8  # sessions and failures on a connection's page
AMONG = 2000  # the newest ones, among which a connection's are looked for: flat, however much is stored

_SESSIONS = text(f"""
    SELECT {OF_EVERY}, c.name
    FROM (SELECT * FROM sync_session ORDER BY id DESC LIMIT :among) s JOIN cohort c ON c.id = s.cohort_id
    WHERE s.connection_id = :id ORDER BY s.id DESC LIMIT :shown""")  # noqa: S608 - our own columns
_FAILURES = text("""
    SELECT id, status, cause, message, count, last_at
    FROM (SELECT * FROM failure ORDER BY id DESC LIMIT :among) f
    WHERE connection = :name ORDER BY id DESC LIMIT :shown""")

# Our own simulated export (simulator/job_runner.py) does not say that Mixpanel has found the way.
_FIRST = text("""
    SELECT s.id, s.total_pages, s.pages_received, s.received, c.id AS cohort_id, c.name
    FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
    WHERE s.started_at >= :since AND s.connection_id = :id AND c.mixpanel_cohort_id <> :simulated
    ORDER BY s.started_at LIMIT 1""")
_REFUSED = text("""
    SELECT id, status, message, last_at FROM failure
    WHERE at >= :since AND connection = :name ORDER BY at DESC LIMIT 1""")


@dataclass(frozen=True, kw_only=True)
class RecentSession(SessionRow):
    """A session of the connection, with its cohort's name."""

    name: str


@dataclass(frozen=True)
class RecentFailure:
    """A call of the connection that was refused, `count` times by `last_at`."""

    id: int
    status: int
    cause: str
    message: str
    count: int
    last_at: int


@dataclass(frozen=True)
class FirstSession:
    """The first session that came to the connection, with its cohort's id and name."""

    id: int
    total_pages: int | None
    pages_received: int
    received: int
    cohort_id: int
    name: str


@dataclass(frozen=True)
class Refused:
    """The newest call that was refused."""

    id: int
    status: int
    message: str
    last_at: int


@dataclass(frozen=True)
class Arrived:
    """What has come to a connection since it was made: its first session, or else a call that was refused."""

    first: FirstSession | None
    refused: Refused | None


@dataclass(frozen=True)
class Seen:
    """What the page of one connection shows."""

    connection: Listed
    status: ConnectionStatus
    passwords: list[Password]
    sessions: list[RecentSession]
    failures: list[RecentFailure]
    export: Simulated | None
    arrived: Arrived
    url: str


@blueprint.get("/connections")
def list_connections() -> str:
    runtime = current_runtime()
    now = runtime.clock()

    def read(db: Connection) -> tuple[list[Listed], Mapping[int, ConnectionStatus]]:
        return connections.listed(db), attention.read(db, now).connections

    found, statuses = runtime.database.read(read)
    return render_template("dashboard/connections/list.html", found=found, statuses=statuses)


@blueprint.get("/connections/<name>")
def show_connection(name: str) -> ResponseReturnValue:
    seen = current_runtime().database.read(lambda db: _see(db, connection_or_404(db, name)))
    return render_template(
        "dashboard/connections/one.html",
        what=what,
        state_of=state,
        kept=described(seen.connection.choice),
        **vars(seen),
    )


def connection_or_404(db: Connection, name: str) -> Listed:
    """The connection of this address. Raises NotFound."""
    try:
        return connections.one(db, name)
    except WrongName:
        abort(404)


def url_of(name: str) -> str:
    """Return the address that Mixpanel is given; it can never be changed there."""
    return f"{current_runtime().settings.public_url}{url_for('webhook.receive_named', connection=name)}"


def _see(db: Connection, connection: Listed) -> Seen:
    values = {"id": connection.id, "name": connection.name, "among": AMONG, "shown": SHOWN}
    return Seen(
        connection=connection,
        status=attention.read(db, current_runtime().clock()).connections[connection.id],
        passwords=connections.lasting(db, connection),
        sessions=rows.every(db.execute(_SESSIONS, values), RecentSession),
        failures=rows.every(db.execute(_FAILURES, values), RecentFailure),
        export=simulation_jobs.latest(db, connection.name),
        arrived=arrived(db, connection),
        url=url_of(connection.name),
    )


def arrived(db: Connection, connection: Listed) -> Arrived:
    """Look for what has come. A connection that nobody has signed in to has no session, so that none is looked for."""
    values = {"since": connection.created_at, "id": connection.id, "name": connection.name}
    first = None
    if connection.last_call_at is not None:
        simulated = {"simulated": f"simulated-{connection.name}"}
        first = rows.one_or_none(db.execute(_FIRST, values | simulated), FirstSession)
    return Arrived(first, None if first else rows.one_or_none(db.execute(_REFUSED, values), Refused))
