"""`flask stand-in`: practise sending without a Mixpanel project, on a server that answers as Mixpanel does."""

import click
from flask.cli import with_appcontext
from sqlalchemy import text

from runtime import Runtime, current_runtime
from simulator.stand_in.answers import Members, Mixpanel
from simulator.stand_in.receiver import Receiver
from simulator.stand_in.server import Server

PORT = 8009

_COHORTS = text("""
    SELECT mixpanel_cohort_id AS id, name, description, member_count AS count FROM cohort ORDER BY id""")
_MEMBERS = text("""
    SELECT p.distinct_id FROM membership m JOIN person p ON p.id = m.person_id JOIN cohort c ON c.id = m.cohort_id
    WHERE c.mixpanel_cohort_id = :cohort AND m.left_at IS NULL ORDER BY m.person_id LIMIT :size OFFSET :past""")


@click.command("stand-in")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="Port to listen on.")
@click.option("--quiet", is_flag=True, help="Print no line for each call.")
@click.option("--receiver", is_flag=True, hidden=True, help="Also take what a webhook destination sends, and show it.")
@with_appcontext
def command(port: int, *, quiet: bool, receiver: bool) -> None:
    """Stand in for Mixpanel: take events and profile updates, check them as Mixpanel does, answer queries.

    What came is kept in memory until it stops. Its cohorts are those that this relay has.
    """
    runtime = current_runtime()
    url = f"http://127.0.0.1:{port}"
    server = Server(
        ("127.0.0.1", port),
        Mixpanel(lambda: _cohorts(runtime), _members_of(runtime)),
        (lambda _line: None) if quiet else click.echo,
        Receiver() if receiver else None,
    )
    if not quiet:
        click.echo(f"Standing in for Mixpanel (stop with Ctrl-C). Start the relay with MIXPANEL_BASE_URL={url}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _cohorts(runtime: Runtime) -> list[dict[str, object]]:
    found = runtime.database.read(lambda db: db.execute(_COHORTS).mappings().all())
    return [dict(row) | {"id": int(row["id"]) if row["id"].isdigit() else row["id"], "is_visible": 1} for row in found]


def _members_of(runtime: Runtime) -> Members:
    def members(cohort: str, page: int, size: int) -> list[dict[str, object]]:
        values = {"cohort": cohort, "size": size, "past": page * size}
        found = runtime.database.read(lambda db: db.execute(_MEMBERS, values).scalars().all())
        return [{"$distinct_id": item, "$properties": {}} for item in found]

    return members
