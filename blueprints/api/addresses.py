"""How ids stand in a path."""

from werkzeug.routing import BaseConverter


class DistinctId(BaseConverter):
    """A person's id as the rest of a path: it may hold anything, slashes at either end and line breaks included
    (werkzeug's own `path` refuses a slash at the beginning)."""

    regex = r"(?s:.+)"
    part_isolating = False
    weight = 200


def can_be_stored(value: str | int) -> bool:
    """Whether the databases can be asked for `value`: no NUL, no half of a character, no number over 63 bits."""
    if isinstance(value, int):
        return value < 2**63
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
