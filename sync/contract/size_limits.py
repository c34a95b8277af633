"""Pages that hold too much. Mixpanel sends 1,000 members a page; a body of 32 MB could hold sixteen million."""

import re

MOST_MEMBERS = 50_000  # in one page
MOST_VALUES = 3_000_000  # in one page, of all its members: 1,000 with 2,000 properties each are two thirds of that
KEPT_OF_A_PAGE = 1_000  # rejected members; the others are counted
KEPT_OF_A_SESSION = 10_000

_DENSE = 500_000  # values that are decoded without a second look, to 30 MB of objects
_DEEPEST_LIST = 3  # members stand in the document or in its parameters
# A text without an end reaches to the end of the body, so that no byte is looked at twice.
_TOKENS = re.compile(rb'"(?:[^"\\]+|\\.)*+"?|[\[\]{},]', re.DOTALL)
_OPENING, _CLOSING, _COMMA = frozenset(b"[{"), frozenset(b"]}"), ord(",")


def why_not(body: bytes) -> str | None:
    """Return the cause for which a body is refused before it is decoded: `too_many_members` or `too_many_values`.
    Memory stays flat; a body of usual size costs nothing, one of megabytes a search."""
    if len(body) < 2 * _DENSE:
        return None
    values = body.count(b",")
    if values > MOST_VALUES:
        return "too_many_values"
    return "too_many_members" if values > _DENSE and _is_crowded(body) else None


def _is_crowded(body: bytes) -> bool:
    """Tell whether a list or an object as high up as members stand has more than MOST_MEMBERS entries."""
    depth, commas = 0, [0] * (_DEEPEST_LIST + 1)
    for token in _TOKENS.finditer(body):
        mark = body[token.start()]
        if mark in _OPENING:
            depth += 1
            if depth <= _DEEPEST_LIST:
                commas[depth] = 0
        elif mark in _CLOSING:
            depth = max(0, depth - 1)
        elif mark == _COMMA and depth <= _DEEPEST_LIST:
            commas[depth] += 1
            if commas[depth] >= MOST_MEMBERS:
                return True
    return False
