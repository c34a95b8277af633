"""Lists a page at a time: where a page begins, what it shows, and how the next one is asked for.

By the last row's key, never by counting rows, so that page 1,000 costs what page 1 does. Pages for people say the key
as it is (`?before=`); the API's cursors are opaque, and say which list they belong to, so that another refuses them.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from blueprints import urls

Row = TypeVar("Row")

AFTER_ALL = 2**63 - 1  # above every key


class WrongCursor(Exception):
    """A cursor that no earlier answer about this list has given."""


def split(rows: Sequence[Row], size: int) -> tuple[Sequence[Row], Row | None]:
    """Take the `size` rows of a page from rows that were read with one more than that; return them, and the last of
    them if more follow."""
    return rows[:size], rows[size - 1] if len(rows) > size else None


def before() -> int:
    """Read the id above the page's first row from the address; AFTER_ALL where it says none."""
    return urls.key_of_query("before", AFTER_ALL)


def shown(rows: Sequence[Any], size: int) -> dict[str, Any]:
    """For a template, of rows newest first that have an `id`, read with one more than `size`: the rows `found`, the id
    from which `older` ones go on, and whether this is the first page."""
    found, last = split(rows, size)
    return {"found": found, "older": None if last is None else last.id, "is_first": before() == AFTER_ALL}


def cursor(of: str, key: int) -> str:
    """Write the cursor behind the row `key` of the list `of`."""
    return base64.urlsafe_b64encode(f"{of} {key}".encode()).decode().rstrip("=")


def key_of(given: str, of: str, start: int) -> int:
    """Read the key that a cursor of the list `of` stands for, `start` where none is given. Raises WrongCursor."""
    if not given:
        return start
    try:
        padded = given + "=" * (-len(given) % 4)
        found, _, digits = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").rpartition(" ")
    except ValueError:
        raise WrongCursor from None
    key = urls.key(digits, -1)
    if found != of or key < 0 or cursor(of, key) != given:
        raise WrongCursor
    return key


def cut(rows: Sequence[Row], limit: int, of: str, key: Callable[[Row], int]) -> tuple[Sequence[Row], str | None]:
    """Like `split`, with the cursor behind the page's last row if more follow."""
    found, last = split(rows, limit)
    return found, None if last is None else cursor(of, key(last))
