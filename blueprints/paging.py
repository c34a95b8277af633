"""Lists that go back in time, newest first: where a page of one begins, and what its template needs to go on."""

from collections.abc import Sequence
from typing import Any

from flask import request

NEWEST = 2**62  # above every id


def number(name: str, otherwise: int) -> int:
    """A number in the address that an id or a place could have; `otherwise` where it says none."""
    given = request.args.get(name, otherwise, type=int)
    return given if 0 <= given <= NEWEST else otherwise


def before() -> int:
    """The id above the page's first row, as the address says; NEWEST where it says none that a row could have."""
    return number("before", NEWEST)


def shown(found: Sequence[Any], size: int) -> dict[str, Any]:
    """For a template, of one row more than a page has: the `found` rows, the id from which `older` ones go on, and
    whether this is the first page. Rows have an `id`."""
    return {
        "found": found[:size],
        "older": found[size - 1].id if len(found) > size else None,
        "is_first": before() == NEWEST,
    }
