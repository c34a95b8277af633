"""Times, however they are written: the one parser for tables, records, parameters and the terminal."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

FORMS = (
    "seconds, milliseconds or microseconds since 1970 (1763971200), or a time as 2026-11-24T09:30:00Z, "
    "2026-11-24 09:30:00.250 +02:00 or 2026-11-24 (UTC where it does not say)"
)
# From here on a number is in milliseconds, microseconds, nanoseconds. Seconds reach into the year 5138.
MILLISECONDS, MICROSECONDS, NANOSECONDS = 10**11, 10**14, 10**17
LATEST = 253_402_300_800_000  # milliseconds: the year 10000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"(-?[0-9]{1,19})(?:\.([0-9]{1,9}))?")
_ISO = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[Tt ] ?([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)


class NoTime(ValueError):
    """What was given is no time; the message says what would be."""

    def __init__(self) -> None:
        super().__init__(f"It is no time. A time is {FORMS}.")


def milliseconds(given: Any) -> int:
    """Return milliseconds since 1970 of a number or a text. Raises NoTime."""
    found = _of_number(given) if isinstance(given, int | float) else _of_text(given)
    if found is None or abs(found) >= LATEST:
        raise NoTime
    return found


def moment(given: Any) -> int:
    """Read a time as Mixpanel takes that of an event: whole seconds as they were given, else milliseconds. Raises
    NoTime."""
    found = milliseconds(given)
    if abs(found) < MILLISECONDS:  # the first years, whose milliseconds would be taken for seconds
        return found // 1000
    return found // 1000 if _is_seconds(given) and found % 1000 == 0 else found


def seconds(given: Any) -> int | float:
    """Read a time as Mixpanel takes that of an update: seconds, with milliseconds behind the point. Raises NoTime."""
    found = milliseconds(given)
    return found // 1000 if found % 1000 == 0 else found / 1000


def _is_seconds(given: Any) -> bool:
    """Tell whether it counts seconds."""
    if isinstance(given, int | float):
        return abs(given) < MILLISECONDS
    found = _NUMBER.fullmatch(given.strip())
    return found is not None and abs(int(found[1])) < MILLISECONDS and not _is_day(found)


def _is_day(found: re.Match[str]) -> bool:
    """Tell whether eight digits are a day, 20261124: as seconds they would be of 1970."""
    return len(found[0]) == 8 and found[0].isdigit()  # noqa: PLR2004


def _of_number(given: float) -> int | None:
    if isinstance(given, bool) or not math.isfinite(given):
        return None
    return _scaled(int(given), 0) if isinstance(given, int) or given == int(given) else _of_text(repr(given))


def _of_text(given: Any) -> int | None:
    if not isinstance(given, str):
        return None
    text = given.strip()
    found = _NUMBER.fullmatch(text)
    if found is None or _is_day(found):
        return _of_iso(text)
    fraction = int((found[2] or "0").ljust(9, "0"))
    return _scaled(int(found[1]), -fraction if text.startswith("-") else fraction)


def _scaled(whole: int, billionths: int) -> int:
    """Return a count of whatever its size says, as milliseconds."""
    size = abs(whole)
    if size < MILLISECONDS:
        return whole * 1000 + int(billionths / 1_000_000)
    return whole if size < MICROSECONDS else whole // 1000 if size < NANOSECONDS else whole // 1_000_000


def _of_iso(text: str) -> int | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups()[:6])
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=_zone(found[8]))
        whole = (at - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None
    return whole + int((found[7] or "0").ljust(9, "0")) // 1_000_000


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away)
