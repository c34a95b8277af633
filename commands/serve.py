"""`flask serve`: the web server and the upkeep worker, started and stopped together."""

import os
import signal
import subprocess
import sys
from threading import Event
from types import FrameType

import click
from flask.cli import with_appcontext
from granian.constants import Interfaces
from granian.server.mp import MPServer
from sqlalchemy.exc import DBAPIError

from models.database import DatabaseUnavailable
from security import operators
from security.house import house

STOP_WITHIN = 15  # seconds until what does not stop is killed
LAST_CALLS = 0.5  # seconds in which calls on open connections still hear 503 instead of a cut line


class Server(MPServer):
    """Granian, telling its workers that they are about to stop before it closes their connections."""

    def shutdown(self, exit_code: int = 0) -> None:
        for worker in self.wrks:
            if worker.is_alive():
                os.kill(worker.inner.pid, signal.SIGUSR1)
        Event().wait(LAST_CALLS)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


@click.command("serve")
@with_appcontext
@click.option("--without-worker", is_flag=True, help="Only the web server; run `flask work` elsewhere.")
def command(*, without_worker: bool) -> None:
    """Serve the app, with the upkeep worker beside it."""
    if without_worker:
        _serve_web()
        return
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    sys.exit(supervise([[*flask, "serve", "--without-worker"], [*flask, "work"]]))


def _serve_web() -> None:
    settings = house().settings
    click.echo(f"Cohort Relay serves {settings.public_url} (stop with Ctrl-C)")
    click.echo(_first_operator(), nl=False)
    Server(
        "commands.web:application",
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=1,  # one process a database file: SQLite has one writer
        blocking_threads=settings.threads,
        workers_kill_timeout=STOP_WITHIN,
        log_enabled=False,
    ).serve()


def _first_operator() -> str:
    """Where nobody can sign in yet: the address and the one-time code that let the first operator in."""
    here = house()
    try:
        if here.database.read(operators.there_are_any, one_statement=True):
            return ""
    except (DatabaseUnavailable, DBAPIError):  # away, or without tables: the server starts all the same, and says so
        return ""
    code = operators.first_code(here.settings.secret_key)
    return f"Nobody can sign in yet. Make the first operator: {here.settings.public_url}/sign-up  code {code}\n"


def supervise(commands: list[list[str]]) -> int:
    """Run `commands` until one ends or we are told to stop, then stop all; the exit code is 0 when told to."""
    told = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    # A session of their own: Ctrl-C reaches us alone, and we stop them in order.
    children = [subprocess.Popen(command, start_new_session=True) for command in commands]  # noqa: S603
    while not told.wait(0.2):
        if any(child.poll() is not None for child in children):
            break
    _stop(children)
    return 0 if told.is_set() else 1


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_WITHIN + 5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
