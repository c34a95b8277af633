"""Lists a page at a time: where a page begins, what it shows, and how the next one is asked for.

By the last row's key, never by counting rows, so that page 1,000 costs what page 1 does. Pages for people say the key
as it is (`?before=`), how many rows were before it (`seen`), and where the pages began that led there (`back`): so that
each list tells where its reader is, and "Previous" leads to the very page that they came from. The API's cursors are
opaque, and say which list they belong to, so that another refuses them.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request, url_for

from blueprints import urls
from config.words import _, number

Row = TypeVar("Row")

AFTER_ALL = 2**63 - 1  # above every key
MOST_BACK = 40  # pages that an address leads back through, one by one; behind them it is the first
LONGEST_PLACE = 80  # characters of one of them
IN_KEYS = set("0123456789-_")


class WrongCursor(Exception):
    """A cursor that no earlier answer about this list has given."""


def split(rows: Sequence[Row], size: int) -> tuple[Sequence[Row], Row | None]:
    """Take the `size` rows of a page from rows that were read with one more than that; return them, and the last of
    them if more follow."""
    return rows[:size], rows[size - 1] if len(rows) > size else None


def before() -> int:
    """Read the id above the page's first row from the address; AFTER_ALL where it says none."""
    return urls.key_of_query("before", AFTER_ALL)


@dataclass(frozen=True)
class Pager:
    """Where a page of a list is: its rows are `start` to `end` of `total`, which is None where counting would cost more
    than the page; the addresses of other pages, None where there is none."""

    start: int
    end: int
    total: int | None
    first: str | None
    previous: str | None
    next: str | None

    @property
    def is_all(self) -> bool:
        """Whether the list has this page only."""
        return not (self.first or self.next)

    @property
    def says(self) -> str:
        """`51 to 100 of 1,477`; empty where there is nothing to tell."""
        if not self.end:
            return ""
        place = {"start": number(self.start), "end": number(self.end)}
        if self.total is None or self.total < self.end:
            return _("%(start)s to %(end)s", **place)
        return _("%(start)s to %(end)s of %(total)s", total=number(self.total), **place)


def pager(
    count: int,
    following: str | int | None,
    total: int | None = None,
    key: str = "before",
    kept: Mapping[str, Any] | None = None,
    endpoint: str | None = None,
) -> Pager:
    """Of a page of a list with `count` rows (0 where they are not worth telling): `following` is where the next one
    begins, in its parameter `key`, None at the end. `kept` are the list's filters, and `endpoint` is the page that has
    the list, where this request's is another."""
    here, before, trail = request.args.get(key, ""), seen(), _trail()
    with_this = [*trail, (before, here)] if here else []

    def address(to: str | int | None, rows: int, behind: list[tuple[int, str]]) -> str:
        written = ",".join(f"{rows}:{at}" for rows, at in behind[-MOST_BACK:])
        place: dict[str, Any] = {key: to or None, "seen": rows or None, "back": written or None}
        return url_for(endpoint or request.endpoint or "", **{**(request.view_args or {}), **place, **(kept or {})})

    last_seen, last = trail[-1] if trail else (0, "")
    return Pager(
        start=before + 1,
        end=before + count if count else 0,
        total=total,
        first=address(None, 0, []) if here else None,
        previous=address(last, last_seen, trail[:-1]) if here else None,
        next=None if following is None else address(following, before + count, with_this),
    )


def seen() -> int:
    """Read from the address how many rows the pages before this one had."""
    return urls.key_of_query("seen")


def _trail() -> list[tuple[int, str]]:
    """Read from the address where the pages between the first one and this one began: the rows before, and the key."""
    found = []
    for part in request.args.get("back", "").split(",")[-MOST_BACK:]:
        rows, _, key = part.partition(":")
        if rows.isascii() and rows.isdigit() and len(part) <= LONGEST_PLACE and key and set(key) <= IN_KEYS:
            found.append((int(rows), key))
    return found


def shown(
    rows: Sequence[Any], size: int, kept: Mapping[str, Any] | None = None, endpoint: str | None = None
) -> dict[str, Any]:
    """For a template, of rows newest first that have an `id`, read with one more than `size`: the rows `found`, and the
    `pages` around them. `kept` and `endpoint` as for `pager`."""
    found, last = split(rows, size)
    return {"found": found, "pages": pager(len(found), None if last is None else last.id, kept=kept, endpoint=endpoint)}


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
