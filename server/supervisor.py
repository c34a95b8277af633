"""Starts processes together, stops them together, and puts new ones in their place without a pause."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from config.settings import Settings, WrongSetting, load
from server.pool import BACKLOG, FOLDER, STOP_WITHIN

FLASK = (sys.executable, "-m", "flask", "--app", "app")
LOOK_EVERY = 0.1  # seconds
READY_WITHIN = 60  # seconds in which a new server must have started

Command = Sequence[str]
Child = subprocess.Popen[bytes]


@dataclass
class Generation:
    """A web server that was started, and the folder in which its processes say that they are ready."""

    child: Child
    folder: Path
    processes: int

    def is_ready(self) -> bool:
        return len(list(self.folder.glob("ready-*"))) >= self.processes

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class WebServer:
    """The listening socket, and web servers on it, one generation after another.

    Raises OSError where the address cannot be listened on.
    """

    def __init__(self, settings: Settings) -> None:
        self._socket = listen(settings.host, settings.port)
        self._folder = settings.instance / "serve"
        self._port = settings.port
        self._numbers = itertools.count(1)
        for left_behind in self._folder.glob(f"{self._port}-*"):
            shutil.rmtree(left_behind, ignore_errors=True)

    def start(self) -> Generation:
        """A new generation, with the settings and the code of now; raises WrongSetting."""
        settings = load()
        check_processes(settings)
        folder = self._folder / f"{self._port}-{next(self._numbers)}"
        folder.mkdir(parents=True)
        environ = os.environ | {FOLDER: str(folder)}
        if settings.processes > 1:
            environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # prometheus_client's own name; see blueprints/metrics.py
        descriptor = self._socket.fileno()
        command = [*FLASK, "serve-pool", "--socket", str(descriptor)]
        child = subprocess.Popen(command, env=environ, pass_fds=[descriptor], start_new_session=True)  # noqa: S603
        return Generation(child, folder, settings.processes)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; `::` takes callers of both families. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)


def check_processes(settings: Settings) -> None:
    """Raises WrongSetting where there would be more than one process on SQLite."""
    if settings.on_sqlite and settings.processes > 1:
        raise WrongSetting(
            f"PROCESSES (from {settings.origins['PROCESSES']}) is {settings.processes}, but SQLite takes one writing"
            " process. Set DATABASE_URL to a PostgreSQL address, or PROCESSES to 1."
        )


class Supervisor:
    """Runs `commands`, and a web server where one is given, until one of them ends or we are told to stop."""

    def __init__(self, commands: Sequence[Command], web: WebServer | None = None) -> None:
        self._commands = commands
        self._web = web
        self._beside: list[Child] = []
        self._now: Generation | None = None
        self._told_to_stop = self._told_to_reload = False

    def run(self) -> int:
        """The exit code: 0 when we were told to stop."""
        self._listen_for_signals()
        self._now = self._web.start() if self._web else None
        self._beside = [_start(command) for command in self._commands]
        announced = False
        while not self._told_to_stop and self._all_live():
            if not announced and (self._now is None or self._now.is_ready()):
                announced = True
                tell_systemd("READY=1")
            if self._told_to_reload:
                self._told_to_reload = False
                self._reload(self._web)
            time.sleep(LOOK_EVERY)
        tell_systemd("STOPPING=1")
        stop(self._children)
        if self._now:
            self._now.remove()
        return 0 if self._told_to_stop else 1

    @property
    def _children(self) -> list[Child]:
        return [*self._beside, *([self._now.child] if self._now else [])]

    def _all_live(self) -> bool:
        return all(child.poll() is None for child in self._children)

    def _listen_for_signals(self) -> None:
        """SIGHUP reloads a web server, but not for a terminal that was closed: nobody could stop us any more."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        if self._web and not (sys.stdin and sys.stdin.isatty()):
            signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_reload = True

    def _reload(self, web: WebServer | None) -> None:
        """The new processes start, the old ones make way. A start that fails leaves the old ones where they are."""
        old, new = self._now, self._ready(web) if web else None
        if new is None or old is None:
            click.echo("The reload failed, and the old processes go on: the lines above say why.", err=True)
            return
        self._now = new
        old.child.send_signal(signal.SIGUSR2)
        leaving, self._beside = self._beside, [_start(command) for command in self._commands]
        stop([*leaving, old.child], tell=leaving)
        old.remove()
        click.echo("Reloaded: the new processes answer.")

    def _ready(self, web: WebServer) -> Generation | None:
        """A new web server that is ready; None where it does not become that."""
        try:
            new = web.start()
        except WrongSetting as error:
            click.echo(error.message, err=True)
            return None
        patient_until = time.monotonic() + READY_WITHIN
        while new.child.poll() is None and not self._told_to_stop and time.monotonic() < patient_until:
            if new.is_ready():
                return new
            time.sleep(LOOK_EVERY)
        stop([new.child])
        new.remove()
        return None


def _start(command: Command) -> Child:
    # A session of its own: Ctrl-C reaches us alone, and we stop our children in order.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603


def stop(children: Sequence[Child], tell: Sequence[Child] | None = None) -> None:
    """Wait for the end of all `children`, after telling those of `tell` (all of them by default); who takes too long
    is killed."""
    for child in children if tell is None else tell:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_WITHIN + 5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def tell_systemd(state: str) -> None:
    """What a unit of `Type=notify` waits for; nothing where no systemd listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)
