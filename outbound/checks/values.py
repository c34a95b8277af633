"""Values that Mixpanel cuts or refuses: long texts, deep nesting, large lists (mixpanel-facts 4.3)."""

from collections.abc import Iterator
from typing import Any

from outbound.shape import Problem

LONGEST_TEXT = 255  # bytes; what is longer is cut without a word
SURELY_SHORT = LONGEST_TEXT // 4  # characters that fit whatever they are
DEEPEST = 3
MOST_ELEMENTS = 254
MOST_PROPERTIES = 254


def check_values(within: str, properties: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with the properties of a record; `within` is where they stand in it."""
    if len(properties) > MOST_PROPERTIES:
        yield advice(within, f"It has {len(properties)} properties; Mixpanel takes at most {MOST_PROPERTIES}.")
    for name, value in properties.items():
        if isinstance(value, str):
            if len(value) > SURELY_SHORT and too_long(value):
                yield advice(
                    f"{within}.{name}", f"Mixpanel cuts texts after {LONGEST_TEXT} bytes; this has {_bytes(value)}."
                )
        elif isinstance(value, list | dict):
            yield from _check_nested(f"{within}.{name}", value, 1)
        if len(name) > SURELY_SHORT and too_long(name):
            yield advice(f"{within}.{name[:40]}", f"Mixpanel cuts names after {LONGEST_TEXT} bytes.")


def too_long(value: str) -> bool:
    return _bytes(value) > LONGEST_TEXT


def advice(field: str, message: str) -> Problem:
    return Problem("advice", field, message)


def _check_nested(field: str, value: Any, depth: int) -> Iterator[Problem]:
    if isinstance(value, list | dict):
        if depth > DEEPEST:
            yield advice(field, f"It is nested deeper than {DEEPEST} levels.")
            return
        if len(value) > MOST_ELEMENTS:
            yield advice(field, f"It has {len(value)} elements; Mixpanel takes at most {MOST_ELEMENTS}.")
        for one in value if isinstance(value, list) else value.values():
            yield from _check_nested(field, one, depth + 1)
    elif isinstance(value, str) and len(value) > SURELY_SHORT and too_long(value):
        yield advice(field, f"Mixpanel cuts texts after {LONGEST_TEXT} bytes; one in it has {_bytes(value)}.")


def _bytes(value: str) -> int:
    return len(value.encode("utf-8", "surrogatepass"))
