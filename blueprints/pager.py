"""Lists that go back in time, newest first: where a page of one begins, and what its template needs to go on."""

from collections.abc import Sequence
from typing import Any

from flask import request

NEWEST = 2**62  # above every id


def before() -> int:
    """The id above the page's first row, as the address says; NEWEST where it says none that a row could have."""
    given = request.args.get("before", NEWEST, type=int)
    return given if 0 <= given <= NEWEST else NEWEST


def shown(found: Sequence[Any], size: int) -> dict[str, Any]:
    """For a template, of one row more than a page has: the `found` rows, the id from which `older` ones go on, and
    whether this is the first page. Rows have an `id`."""
    return {
        "found": found[:size],
        "older": found[size - 1].id if len(found) > size else None,
        "is_first": before() == NEWEST,
    }
