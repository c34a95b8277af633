"""Which ids are ids (S1, S2): text, with a reason for every one that cannot be kept."""

import math
from collections.abc import Sequence
from typing import Any

SPELLINGS = ("mixpanel_distinct_id", "distinct_id", "$distinct_id")
LONGEST_ID = 255  # bytes of UTF-8

# mixpanel-facts.md section 4.2: ids that Mixpanel itself throws away, in any case.
ILLEGAL_IDS = frozenset(
    {
        "00000000-0000-0000-0000-000000000000",
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "<nil>",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
    }
)

_ZERO_UUID = "00000000-0000-0000-0000-000000000000"
_LONGEST_ILLEGAL_WORD = max(len(word) for word in ILLEGAL_IDS if word != _ZERO_UUID)
_BLANKS = bytes([*range(0x21), 0x7F])  # ASCII's space and what cannot be printed

# What `reason_against` may answer, and what it means.
REASONS = {
    "missing": "there is no id",
    "blank": "the id is empty or only spaces",
    "too_long": f"the id is longer than {LONGEST_ID} bytes",
    "nul": "the id holds a NUL character",
    "not_text": "the id is neither text nor a number, or holds half a character",
    "illegal": "the id is one that Mixpanel throws away",
    "not_a_member": "this is not a member object",
}


def as_text(value: Any) -> str | None:
    """Return an id as text: `42`, `42.0` and `"42"` are the same (S1); None for what is neither text nor a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_as_text(value)
    return None


def _float_as_text(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def are_plain(ids: Sequence[Any]) -> bool:
    """Tell whether all these ids can be kept beyond doubt: printable ASCII without spaces, neither too long nor as
    short as the illegal words are. Raises TypeError where one is no text."""
    together = "".join(ids)
    if not together.isascii() or _ZERO_UUID in together:
        return False
    written = together.encode()
    if len(written.translate(None, _BLANKS)) < len(written):
        return False
    lengths = list(map(len, ids))
    return not ids or (min(lengths) > _LONGEST_ILLEGAL_WORD and max(lengths) <= LONGEST_ID)


def reason_against(value: Any) -> str | None:
    """Return why `value` cannot be a distinct id: a key of REASONS, or None where it can (S2)."""
    if value is None:
        return "missing"
    text = as_text(value)
    if text is None or not _is_unicode(text):
        return "not_text"
    if not text.strip():
        return "blank"
    if "\0" in text:
        return "nul"
    if len(text) > LONGEST_ID or len(text.encode()) > LONGEST_ID:
        return "too_long"
    return "illegal" if text.strip().lower() in ILLEGAL_IDS else None


def _is_unicode(text: str) -> bool:
    """Tell whether every database takes the text: a lone surrogate is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
