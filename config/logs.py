"""How logs are written: one event a line, with a request id, and never with member data or secrets."""

import contextlib
import contextvars
import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TextIO

import msgspec
import structlog

from config import tracebacks
from config.clock import iso, now
from config.printable import visible

LONGEST = 4000  # characters of a value
request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)

# What may describe a member or open a door. A key of one of these names is masked wherever it is logged.
SENSITIVE = frozenset(
    {
        "authorization",
        "password",
        "token",
        "secret",
        "email",
        "first_name",
        "last_name",
        "phone_number",
        "phone",
        "distinct_id",
        "mixpanel_distinct_id",
        "properties",
        "customproperties",
        "members",
        "body",
    }
)


def redact(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Mask every sensitive key, so that a careless log line cannot leak (pitfall P29)."""
    for key in event:
        if key.lower().lstrip("$") in SENSITIVE:
            event[key] = "[masked]"
    return event


def add_request_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    current = request_id.get()
    if current is not None:
        event["request_id"] = current
    return event


class _Reports:
    """Who is told of errors beside the log, if anybody is."""

    tell: Callable[[BaseException], object] | None = None


def report_errors_to(tell: Callable[[BaseException], object] | None) -> None:
    """Have every error that is logged with its lines of code handed to `tell` as well; None ends it."""
    _Reports.tell = tell


def add_lines_of_code(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Instead of an error the lines of code that it came from; what it says stays out."""
    given = event.pop("exc_info", None)
    error = tracebacks.error_of(given) if given and _Reports.tell else None
    if error is not None and _Reports.tell:
        with contextlib.suppress(Exception):  # whatever is wrong with the far end, the line is written
            _Reports.tell(error)
    found = tracebacks.of_event(given) if given else None
    return event if found is None else event | {"traceback": found}


def bound(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Cut every text to the length of a line, and write characters that a terminal obeys as escapes."""
    for key, value in event.items():
        if isinstance(value, str):
            shown = visible(value if key == "traceback" else value[:LONGEST])
            event[key] = shown if len(value) <= LONGEST or key == "traceback" else f"{shown}…"
    return event


def _as_block(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """For people the lines of code stand below the event, one under the other."""
    if "traceback" in event:
        event["exception"] = event.pop("traceback")
    return event


class Lines:
    """Writes line after line to `file`. A log on a full disk must not fail the call that it tells of."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._file.write(line + "\n")
            self._file.flush()

    debug = info = warning = warn = error = critical = exception = fatal = log = msg


def _lines(lines: Lines, *_names: object) -> Lines:
    return lines


def _json(event: dict[str, Any], **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def add_time(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Add the time of the call, written as the API writes it."""
    event["timestamp"] = iso(now())
    return event


class _Request:
    """The logger of request lines, bound once: a lazy one is put together anew for every line."""

    bound: Any = None


def requests() -> Any:
    """Return the logger of the configuration that is in force now."""
    if _Request.bound is None:
        _Request.bound = structlog.get_logger().bind()
    return _Request.bound


def configure(level: str, form: str) -> None:
    """Send structlog's events and the standard library's records to standard error, one event a line."""
    renderer: Any = structlog.dev.ConsoleRenderer() if form == "text" else structlog.processors.JSONRenderer(_json)
    shared: list[Any] = [
        structlog.processors.add_log_level,
        add_time,
        add_request_id,
        add_lines_of_code,
        redact,
        bound,
        *([_as_block] if form == "text" else []),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=partial(_lines, Lines(sys.stderr)),
        cache_logger_on_first_use=False,
    )
    _Request.bound = None
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    handler.setFormatter(formatter)
    logging.basicConfig(level=max(logging.getLevelName(level.upper()), logging.WARNING), handlers=[handler], force=True)
