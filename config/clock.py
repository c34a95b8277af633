"""The one clock. Times are whole milliseconds since 1970 in UTC, everywhere: rows, cursors, arithmetic. `iso` writes
them for programs, `utc` and `Zone` for people; nothing else does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

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
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def utc(milliseconds: int | None, never: str = "never") -> str:
    """For people: ``1714558530123`` as ``2024-05-01 10:15:30 UTC``; None as `never`."""
    return utc_of(iso(milliseconds), never)


def utc_of(written: str | None, never: str = "never") -> str:
    """The same of a moment that `iso` has written."""
    return never if written is None else f"{written[:10]} {written[11:19]} UTC"


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Zone:
    """A time zone by its name (`Europe/Berlin`), in which moments are written for people and days begin."""

    name: str = "UTC"
    rules: tzinfo = UTC

    def at(self, milliseconds: int) -> datetime:
        """Return the moment as a clock there shows it."""
        return (_BEGINNING + timedelta(milliseconds=milliseconds)).astimezone(self.rules)

    def written(self, milliseconds: int | None, never: str = "never") -> str:
        """``1714558530123`` as ``2024-05-01 12:15:30 CEST``; ``UTC+05:30`` where the zone has no letters."""
        if milliseconds is None:
            return never
        there = self.at(milliseconds)
        letters = there.strftime("%Z")
        offset = there.strftime("%z")
        named = letters if letters.isalpha() else f"UTC{offset[:3]}:{offset[3:5]}"
        return f"{there:%Y-%m-%d %H:%M:%S} {named}"

    def day(self, milliseconds: int) -> date:
        """Return the date there."""
        return self.at(milliseconds).date()

    def start(self, day: date) -> int:
        """Return when a day begins there, in milliseconds since 1970."""
        return self.moment(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - `moment` gives it the zone

    def moment(self, there: datetime) -> int:
        """Return what a clock there shows as milliseconds since 1970."""
        return (there.replace(tzinfo=self.rules) - _BEGINNING) // _MILLISECOND
