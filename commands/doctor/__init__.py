"""`flask doctor`: what an operator would look at first, each with the next step. It reads and changes nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from commands.doctor import backups, database, destinations, disks, exports, network, rights, settings, upgrade
from commands.doctor.check import Check, fail
from commands.exit_codes import DONE, NOT_ALL
from config.settings import Settings, settings_shown
from models.database import DatabaseUnavailable
from runtime import Runtime, current_runtime

# In the order in which an operator would mend what they find.
OF_SETTINGS: tuple[Callable[[Settings], Check], ...] = (
    settings.settings_file,
    settings.instance_folder,
    rights.of_others,
    network.public_url,
    network.rate_limits,
)
OF_ROWS: tuple[Callable[[Runtime], list[Check]], ...] = (
    exports.worker,
    exports.exports,
    exports.all_connections,
    destinations.all_destinations,
    exports.failures,
    backups.all_backups,
)


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--upgrade", "of_upgrade", is_flag=True, help="Only what an upgrade would do to the tables.")
@with_appcontext
def command(*, as_json: bool, of_upgrade: bool) -> None:
    """Check settings, database, Redis, connections, destinations and failures; ends with 4 where something fails."""
    runtime = current_runtime()
    checks = upgrade.upgrade(runtime.database) if of_upgrade else list(examine(runtime))
    failed = any(check.state == "fail" for check in checks)
    shown = [] if of_upgrade else settings_shown(runtime.settings)
    if as_json:
        report = {"ok": not failed, "checks": [asdict(check) for check in checks], "settings": shown}
        click.echo(json.dumps(report))
    else:
        _print(checks, shown)
    raise SystemExit(NOT_ALL if failed else DONE)


def _print(checks: list[Check], shown: list[dict[str, str]]) -> None:
    for check in checks:
        click.echo(f"{check.state:<5} {check.name}: {check.found}")
        if check.next_step:
            click.echo(f"      {check.next_step}")
    if shown:
        click.echo("\nSettings")
    for setting in shown:
        click.echo(f"  {setting['name']:<22} {setting['value'] or '-'}  ({setting['origin']})")


def examine(runtime: Runtime) -> Iterator[Check]:
    """Yield all checks, in the order in which an operator would mend what they find."""
    yield from (check(runtime.settings) for check in OF_SETTINGS)
    yield from disks.all_disks(runtime.settings)
    reachable = database.database(runtime.settings, runtime.database)
    yield reachable
    if found := database.replica(runtime.settings, runtime.database):
        yield found
    if reachable.state == "ok":
        yield from _stored(runtime)


def _stored(runtime: Runtime) -> Iterator[Check]:
    """Yield what the tables say, if they are there; a database that goes away meanwhile ends it."""
    try:
        tables = database.revision(runtime.database)
        yield tables
        if tables.state == "fail":
            return
        yield database.secret_key(runtime)
        for check in OF_ROWS:
            yield from check(runtime)
    except DatabaseUnavailable as error:
        yield fail("database", f"went away: {error.told}", "Run flask doctor again")
