"""What stands in an address: ids in a path, numbers and keys in a query. A wrong one is as if it were not there."""

from flask import request
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from models.columns import is_storable

MOST_DIGITS = 18  # every number of 18 digits fits into 63 bits, and no key of ours is longer


class DistinctId(BaseConverter):
    """A person's id as the rest of a path: it may hold anything, slashes at either end and line breaks included
    (werkzeug's own `path` refuses a slash at the beginning)."""

    regex = r"(?s:.+)"
    part_isolating = False
    weight = 200


class RowId(IntegerConverter):
    """A number of ours: one that no database can hold is at no address."""

    def __init__(self, map: Map) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, max=2**63 - 1)


def integer(given: str, otherwise: int) -> int:
    """Read a whole number of either sign; `otherwise` where it is none, or has more than MOST_DIGITS digits."""
    return -key(given[1:], -otherwise) if given.startswith("-") else key(given, otherwise)


def key(given: str, otherwise: int = 0) -> int:
    """Read a row's key, which has no sign; `otherwise` where it is none, or has more than MOST_DIGITS digits."""
    return int(given) if given.isascii() and given.isdigit() and len(given) <= MOST_DIGITS else otherwise


def key_of_query(name: str, otherwise: int = 0) -> int:
    """Read the parameter `name` of this request's query as `key` does."""
    return key(request.args.get(name, ""), otherwise)


def can_be_stored(value: str | int) -> bool:
    """Whether the databases can be asked for `value`: no NUL, no half of a character, no number over 63 bits."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return is_storable(value)


def storable(value: str) -> str:
    """`value` where the databases can be asked for it, else nothing."""
    return value if can_be_stored(value) else ""
