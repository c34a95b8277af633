"""`flask send … --output FILE`: an answer as a whole in a file, or on standard output, with its progress beside it."""

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from commands.terminal import warn_where_it_goes
from config.counts import counted
from outbound import send
from outbound.downloads.errors import Cancelled
from outbound.downloads.targets import BROKEN, OutputFile, StreamTarget, Target, size_of
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import current_runtime
from security.audit import TERMINAL

EVERY = 0.5  # seconds between two lines of progress


class Progress:
    """Bytes and records so far, on one line of a terminal; Ctrl-C stops the call, and keeps what came."""

    def __init__(self) -> None:
        self.stopped = False
        self._shown_at, self._shows = 0.0, sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._shows and self._shown_at:
            click.echo(err=True)

    def __call__(self, size: int, records: int | None) -> bool:
        now = time.monotonic()
        if self._shows and now - self._shown_at >= EVERY:
            self._shown_at = now
            many = "" if records is None else f", {counted(records, 'record')}"
            click.echo(f"\r{size_of(size)}{many} so far; Ctrl-C stops it ", nl=False, err=True)
        return self.stopped

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopped = True
        signal.signal(signal.SIGINT, self._before)  # a second one ends us


def send_to(call: PreparedCall, output: str, *, as_json: bool) -> bool:
    """Make the call; whether all of its answer is there. Raises click.ClickException."""
    warn_where_it_goes(as_json=as_json or output == "-")
    runtime, target = current_runtime(), _target(output)
    delivery = send.prepare(runtime, call, TERMINAL, "terminal")
    with Progress() as progress:
        outcome = send.finish(runtime, call, delivery, to=target, told=progress)
    written = outcome.answer is not None and outcome.answer.received is not None
    whole = outcome.verdict == "accepted" and written
    place = _settled(target, whole=whole, written=written)
    if isinstance(target, StreamTarget) and target.begun and not whole:
        sys.stdout.buffer.write(BROKEN)
    _tell(call, delivery, outcome, place, as_json=as_json)
    return whole


def _target(output: str) -> Target:
    if output == "-":
        return StreamTarget(_print)
    try:
        return OutputFile(Path(output))
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None


def _print(piece: bytes) -> None:
    try:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except OSError:
        raise Cancelled("nobody reads it any more") from None


def _settled(target: Target, *, whole: bool, written: bool) -> str | None:
    """Return the file that there is now, if any. Raises click.ClickException."""
    if not isinstance(target, OutputFile):
        return None
    if not written:
        target.drop()
        return None
    try:
        return str(target.settle(whole=whole))
    except OSError as error:
        raise click.ClickException(f"{target.path} cannot be written: {error.strerror}") from None


def _tell(call: PreparedCall, delivery: int, outcome: Outcome, place: str | None, *, as_json: bool) -> None:
    """Tell how it went, on standard error: standard output may be the answer's."""
    if as_json:
        found = send.as_json(delivery, outcome, call.mask) | {"answer": None, "file": place}
        click.echo(json.dumps(found, ensure_ascii=False), err=True)
        return
    where = f" in {place}" if place else ""
    click.echo(f"{outcome.verdict}: {outcome.words}{where} ({outcome.took} ms, delivery {delivery})", err=True)
