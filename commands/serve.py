"""`flask serve`: the web server and the upkeep worker, started, reloaded and stopped together."""

import os
import resource
import sys

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from config.counts import counted
from models.database import DatabaseUnavailable
from runtime import current_runtime
from security import operators
from server.supervisor import FLASK, Supervisor, WebServer, check_processes


@click.command("serve")
@with_appcontext
@click.option("--without-worker", is_flag=True, help="Only the web server; run `flask work` elsewhere.")
def command(*, without_worker: bool) -> None:
    """Serve the app, with the upkeep worker beside it. SIGHUP puts new code and settings in place without a pause,
    SIGTERM finishes what is under way and stops."""
    runtime = current_runtime()
    settings = runtime.settings
    check_processes(settings)
    _allow_many_connections()
    try:
        web = WebServer(settings)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise click.ClickException(f"{where} cannot be listened on ({error.strerror}). See HOST and PORT.") from None
    processes = f" with {counted(settings.processes, 'process')}" if settings.processes > 1 else ""
    click.echo(f"Cohort Relay serves {settings.public_url}{processes} (stop with Ctrl-C)")
    click.echo(_first_operator(), nl=False)
    runtime.database.dispose()
    worker = [*FLASK, "work", "--under", str(os.getpid())]
    sys.exit(Supervisor([] if without_worker else [worker], web).run())


def _allow_many_connections() -> None:
    """Raise the limit of open files: every connection is an open file; many systems allow 1,024 unless asked for
    more."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _first_operator() -> str:
    """Return, where nobody can sign in yet, the address and the one-time code that let the first operator in."""
    runtime = current_runtime()
    try:
        if runtime.database.read(operators.there_are_any, one_statement=True):
            return ""
    except DatabaseUnavailable as error:  # the server starts all the same, and answers 503 until it is back
        return f"The database cannot be used now: {error.told}. Calls hear 503 until it can. See: flask doctor\n"
    except DBAPIError:  # without tables
        return "The database does not have this version's tables. Run: flask db upgrade\n"
    code = operators.first_code(runtime.settings.secret_key)
    return f"Nobody can sign in yet. Create the first operator: {runtime.settings.public_url}/sign-up  code {code}\n"
