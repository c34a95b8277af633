"""The one clock. Times are whole milliseconds since 1970 in UTC, everywhere: rows, cursors, arithmetic. `iso` writes
them for programs, `utc` for people; nothing else does."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """Return milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def iso(milliseconds: int | None) -> str | None:
    """``1714558530123`` as ``2024-05-01T10:15:30.123Z``; None stays None."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def utc(milliseconds: int | None, never: str = "never") -> str:
    """For people: ``1714558530123`` as ``2024-05-01 10:15:30 UTC``; None as `never`."""
    written = iso(milliseconds)
    return never if written is None else f"{written[:10]} {written[11:19]} UTC"
