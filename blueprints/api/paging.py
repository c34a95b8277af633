"""Pages of a list: by the last row's primary key, never by counting rows, so that page 1,000 costs what page 1 does.

A cursor is opaque to its reader. It says which list it belongs to, so that one list's cursor is refused by another.
"""

import base64
from collections.abc import Callable, Sequence
from typing import TypeVar

from blueprints.api.replies import Problem

Row = TypeVar("Row")

AFTER_ALL = 2**63 - 1
_DIGITS = 18  # no row number is longer, and every number of 18 digits fits into 63 bits


def cursor(place: str, key: int) -> str:
    """The cursor behind the row `key` of the list `place`."""
    return base64.urlsafe_b64encode(f"{place} {key}".encode()).decode().rstrip("=")


def key_of(given: str, place: str, start: int) -> int:
    """The key that a cursor of the list `place` stands for, `start` where none is given. Raises Problem (400)."""
    if not given:
        return start
    try:
        padded = given + "=" * (-len(given) % 4)
        found, _, digits = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").rpartition(" ")
    except ValueError:
        raise _bad_cursor() from None
    if found != place or not digits.isdigit() or len(digits) > _DIGITS or cursor(place, int(digits)) != given:
        raise _bad_cursor()
    return int(digits)


def _bad_cursor() -> Problem:
    return Problem(400, "cursor must be the next of an earlier answer to this call.")


def cut(rows: Sequence[Row], limit: int, place: str, key: Callable[[Row], int]) -> tuple[Sequence[Row], str | None]:
    """The first `limit` of rows that were read with one more than that, and the cursor behind them if more follow."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor(place, key(rows[limit - 1]))
