"""How far a run is: a bar on a terminal, plain lines elsewhere. Both go to standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from commands.terminal import raw
from config.counts import counted
from simulator.sender import Tally

EVERY = 2.0  # seconds between two plain lines

Show = Callable[[Tally], None]


def describe(tally: Tally, seconds: float) -> str:
    pace = tally.members / seconds if seconds else 0
    return f"{counted(tally.pages, 'page')}, {pace:,.0f} members/s, {counted(tally.retries, 'retry')}"


@contextmanager
def progress(syncs: int) -> Iterator[Show]:
    """Yield a function that shows a tally; `syncs` is how many syncs the run is going to make."""
    shown = _on_terminal(syncs) if sys.stderr.isatty() else _in_lines(syncs)
    with shown as show:
        yield show


@contextmanager
def _on_terminal(syncs: int) -> Iterator[Show]:
    started = time.monotonic()
    with click.progressbar(
        length=syncs, label="Syncs", file=raw(sys.stderr), item_show_func=lambda text: text or "", show_pos=True
    ) as bar:

        def show(tally: Tally) -> None:
            bar.update(min(tally.syncs, syncs) - bar.pos, describe(tally, time.monotonic() - started))

        yield show


@contextmanager
def _in_lines(syncs: int) -> Iterator[Show]:
    started = said_at = time.monotonic()
    last = Tally()

    def show(tally: Tally) -> None:
        nonlocal said_at, last
        last = tally
        if time.monotonic() - said_at >= EVERY:
            said_at = time.monotonic()
            say()

    def say() -> None:
        click.echo(
            f"{last.syncs:,} of {counted(syncs, 'sync')}: {describe(last, time.monotonic() - started)}", err=True
        )

    yield show
    say()
