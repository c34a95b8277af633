"""Values that Mixpanel cuts or refuses: long texts, deep nesting, large lists (mixpanel-facts 4.3)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from outbound.operations.types import Problem

LONGEST_TEXT = 255  # bytes; what is longer is cut without a word
SURELY_SHORT = LONGEST_TEXT // 4  # characters that fit whatever they are
DEEPEST = 3
MOST_ELEMENTS = 254  # of a list or an object of an event
MOST_PROPERTIES = 254  # of an event
MOST_OF_PROFILE = 2000
MOST_LIST_BYTES = 256 * 1024  # of a list or an object of a profile


def check_values(within: str, properties: dict[str, Any], *, profile: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with the properties of a record; `within` is where they stand in it."""
    most = MOST_OF_PROFILE if profile else MOST_PROPERTIES
    if len(properties) > most:
        words = f"It has {len(properties):,} properties; Mixpanel takes at most {most:,}."
        yield advice(within, words, "properties")
    for name, value in properties.items():
        if isinstance(value, str):
            if len(value) > SURELY_SHORT and too_long(value):
                words = f"Mixpanel cuts texts after {LONGEST_TEXT} bytes; this has {_bytes(value)}."
                yield advice(f"{within}.{name}", words, "cut")
        elif isinstance(value, list | dict):
            yield from _check_nested(f"{within}.{name}", value, 1, profile=profile)
        if len(name) > SURELY_SHORT and too_long(name):
            yield advice(f"{within}.{name[:40]}", f"Mixpanel cuts names after {LONGEST_TEXT} bytes.", "cut-name")


def too_long(value: str) -> bool:
    return _bytes(value) > LONGEST_TEXT


def advice(field: str, message: str, sort: str = "") -> Problem:
    return Problem("advice", field, message, sort=sort)


def _check_nested(field: str, value: Any, depth: int, *, profile: bool) -> Iterator[Problem]:
    if isinstance(value, list | dict):
        if depth > DEEPEST:
            yield advice(field, f"It is nested deeper than {DEEPEST} levels.", "deep")
            return
        yield from _check_size(field, value, depth, profile=profile)
        for item in value if isinstance(value, list) else value.values():
            yield from _check_nested(field, item, depth + 1, profile=profile)
    elif isinstance(value, str) and len(value) > SURELY_SHORT and too_long(value):
        words = f"Mixpanel cuts texts after {LONGEST_TEXT} bytes; one in it has {_bytes(value)}."
        yield advice(field, words, "cut")


def _check_size(field: str, value: list[Any] | dict[str, Any], depth: int, *, profile: bool) -> Iterator[Problem]:
    """Lists of events are counted, those of profiles are weighed."""
    if not profile and len(value) > MOST_ELEMENTS:
        words = f"It has {len(value)} elements; Mixpanel takes at most {MOST_ELEMENTS}."
        yield advice(field, words, "large")
    elif profile and depth == 1 and len(value) > MOST_ELEMENTS and _weight(value) > MOST_LIST_BYTES:
        yield advice(field, "It is larger than 256 KB; Mixpanel takes no more of a list or object.", "large")


def _weight(value: Any) -> int:
    try:
        return len(msgspec.json.encode(value))
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return 0  # it cannot be sent anyway, which is told elsewhere


def _bytes(value: str) -> int:
    return len(value.encode("utf-8", "surrogatepass"))
