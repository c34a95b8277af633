"""How long a vendor asks us to wait, in every form that vendors write it.

`Retry-After` is seconds or a date. What resets a limit is seconds left, a moment in seconds or one in milliseconds,
told apart by size: nobody asks for 31 years.
"""

from collections.abc import Mapping

from outbound.transport.retry import moment

LONGEST = 24 * 3600.0  # seconds; a daily limit ends within them
FIRST_MOMENT, FIRST_IN_MS = 1e9, 1e11  # below is a delay; from here on milliseconds
MOST_DIGITS = 20
# In this order: what says it plainly goes first.
HEADERS = (
    "Retry-After",
    "X-Ratelimit-Retry-After",
    "RateLimit-Reset",
    "X-RateLimit-Reset",
    "X-Rate-Limit-Reset",
)


def wait_of(headers: Mapping[str, str], now: int) -> float | None:
    """Return seconds that the headers of an answer ask for, at most LONGEST; None where they ask for nothing that can
    be read. `now` is in milliseconds; the answer's own Date goes before it, so that clocks may differ."""
    written = {name.lower(): value.strip() for name, value in headers.items()}
    said = moment(written.get("date", ""))
    since = now / 1000 if said is None else said
    for name in HEADERS:
        found = _seconds(written.get(name.lower(), ""), since)
        if found is not None:
            return min(max(found, 0.0), LONGEST)
    return None


def _seconds(text: str, since: float) -> float | None:
    number = _number(text)
    if number is None:
        until = moment(text)
        return None if until is None else until - since
    if number < FIRST_MOMENT:
        return number
    return (number / 1000 if number >= FIRST_IN_MS else number) - since


def _number(text: str) -> float | None:
    """Return a plain number that is not negative, whole or with a point."""
    whole, _point, rest = text.partition(".")
    digits = whole + rest
    return float(text) if whole and digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS else None
