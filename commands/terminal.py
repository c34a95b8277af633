"""The one way by which commands print. What came from outside (ids, names, Mixpanel's answers, file names) is shown so
that no character of it moves the cursor, rewrites a line, or turns the order of what follows."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

import click

from config.printable import visible
from runtime import current_runtime


class Shown:
    """A stream of text that shows such characters as escapes; bytes for another program go through as they are."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def shown() -> Iterator[None]:
    """Show in this way whatever is printed while this is open."""
    out, beside = cast("TextIO", Shown(sys.stdout)), cast("TextIO", Shown(sys.stderr))
    with redirect_stdout(out), redirect_stderr(beside):
        yield


def raw(stream: TextIO) -> TextIO:
    """Return the terminal itself, for our own lines that are drawn again and again."""
    return stream.stream if isinstance(stream, Shown) else stream


def warn_where_it_goes(*, as_json: bool) -> None:
    """Print a line on standard error for people, where calls do not go to Mixpanel."""
    url = current_runtime().settings.mixpanel_base_url
    if url and not as_json:
        click.echo(f"note  Not to Mixpanel: calls go to {url} (MIXPANEL_BASE_URL).", err=True)
