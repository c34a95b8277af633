"""Whether a call would be larger than its type allows, known before it is made.

Bodies are made by adapters, and `Adapter.preview` returns what `send` would send. It is asked only where the body may
be too large: most calls are far below their limit, and their bodies are made once.
"""

import sys
from collections.abc import Sequence

import msgspec

from destinations.contract import Adapter, Answer, Change, DestinationType, Feed, Refusal

REASON = "too_large"
SPELT = 3  # times as long as in JSON a text is where every letter needs an escape or a second quotation mark
AROUND = 600  # bytes of a change that are its type's own words, more than any type has
UNFIT = (OverflowError, RecursionError, TypeError, ValueError)  # fields that are no JSON


def too_large(kind: DestinationType, adapter: Adapter, feed: Feed, changes: Sequence[Change]) -> Answer | None:
    """Return the answer to a call that must not be made, because its body is larger than the type's `body_bytes`; None
    where it may be made."""
    most = kind.body_bytes
    if most is None or _at_most(feed, changes) <= most:
        return None
    try:
        size = len(adapter.preview(feed, changes).encode("utf-8", "replace"))
    except UNFIT:
        return None  # `send` has a verdict for each of them
    if size <= most:
        return None
    told = f"The call would have {size:,} bytes; {kind.words} takes {most:,}. It was not made."
    return Answer(refusal=Refusal("size", REASON, told))


def _at_most(feed: Feed, changes: Sequence[Change]) -> int:
    """Return a length that no body of these changes has."""
    names = len(feed.project_id) + len(feed.cohort_id) + 2 * len(feed.cohort_name.encode("utf-8", "replace"))
    told = [(one.identity, one.distinct_id, one.vendor_id, one.key, dict(one.fields)) for one in changes]
    try:
        written = len(msgspec.json.encode(told))
    except UNFIT:
        return sys.maxsize
    return SPELT * (written + len(changes) * names) + AROUND * len(changes)
