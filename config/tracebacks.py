"""Where an error came from: lines of code and kinds of errors, never what they say, which may hold what was sent."""

import sys
from collections.abc import Iterator
from traceback import extract_tb, format_list
from types import TracebackType
from typing import Any

MOST_FRAMES = 30  # of one error; of a deeper one the first and the last half
MOST_ERRORS = 8  # of a chain
LONGEST = 20_000  # characters


def lines_of(error: BaseException) -> str:
    """Return the lines of code of an error and of those that led to it, the first one first; a few thousand
    characters."""
    told = [_told(cause, how) for cause, how in _chain(error)]
    return "\n".join(reversed(told))[-LONGEST:]


def of_event(given: Any) -> str | None:
    """Return the lines of what a log call gives as `exc_info`: an error, the three things of `sys.exc_info`, or
    True."""
    if isinstance(given, BaseException):
        return lines_of(given)
    kind, error, trace = given if isinstance(given, tuple) else sys.exc_info()
    if error is not None:
        return lines_of(error)
    return None if kind is None else f"{_frames(trace)}{_name(kind)}"


def error_of(given: Any) -> BaseException | None:
    """Return the error itself of what a log call gives as `exc_info`."""
    if isinstance(given, BaseException):
        return given
    error: BaseException | None = (given if isinstance(given, tuple) else sys.exc_info())[1]
    return error


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield the error and those behind it, with the words that lead from one to the next."""
    seen: set[int] = set()
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    while waiting and len(seen) < MOST_ERRORS:
        cause, how = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause, how
        if isinstance(cause, BaseExceptionGroup):
            waiting += [(inner, "one of the group below") for inner in reversed(cause.exceptions[:MOST_ERRORS])]
        if cause.__cause__ is not None:
            waiting.append((cause.__cause__, "the cause of the error below"))
        elif cause.__context__ is not None and not cause.__suppress_context__:
            waiting.append((cause.__context__, "while it was handled, the error below came"))


def _told(error: BaseException, how: str) -> str:
    return f"{_frames(error.__traceback__)}{_name(type(error))}{f' ({how})' if how else ''}"


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> str:
    half = MOST_FRAMES // 2
    first, last = extract_tb(trace, half), extract_tb(trace, -MOST_FRAMES)
    if len(last) < MOST_FRAMES:
        return "".join(format_list(last))
    return "".join([*format_list(first), "  …\n", *format_list(last[half:])])
