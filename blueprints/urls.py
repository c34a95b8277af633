"""How ids stand in a path."""

from werkzeug.routing import BaseConverter, IntegerConverter, Map


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


def can_be_stored(value: str | int) -> bool:
    """Whether the databases can be asked for `value`: no NUL, no half of a character, no number over 63 bits."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
