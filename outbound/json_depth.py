"""How deeply JSON is nested, looked at before it is read. Readers and writers of JSON go one call deeper with each
level, and a writer that indents repeats its blanks for each. Nothing that Mixpanel takes or answers comes near."""

import re
from collections.abc import Iterable
from typing import Any

DEEPEST = 100  # levels of lists and objects
TOO_DEEP = f"This is nested too deeply: more than {DEEPEST} levels."

# A text without an end goes on to the end, so that no character is looked at twice.
_SIGN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def is_too_deep(text: str) -> bool:
    """Tell whether JSON text has more levels than `DEEPEST`."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for found in _SIGN.finditer(text):
        sign = found[0]
        depth += sign in "[{" if len(sign) == 1 else 0
        depth -= sign in "]}" if len(sign) == 1 else 0
        if depth > DEEPEST:
            return True
    return False


def holds_too_deep(value: Any) -> bool:
    """Tell whether a value that was read has more levels than `DEEPEST`."""
    level = _nested([value])
    for _ in range(DEEPEST):
        if not level:
            return False
        level = _nested(below for item in level for below in (item.values() if isinstance(item, dict) else item))
    return bool(level)


def _nested(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]
