"""What a cell of a table means: a number only where it is written back the same, else text."""

import json
import math
import re
from typing import Any

LARGEST = 2**53  # beyond it not every whole number is one for Mixpanel
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_WORDS = {"true": True, "false": False}


class _Lossy(ValueError):
    """A value would not be what was written."""


def value(text: str) -> Any:
    """Return a number, true and false, a list or an object where a cell is written as one; else the text as it is:
    `007`, `1.10`, `5e92`, `1_000`, `NaN`, ids of 19 digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith(("[", "{")):
        return _nested(text)
    return number(text) if _NUMBER.fullmatch(text) else text


def number(text: str) -> Any:
    """Return the number that is written back as `text`; the text where there is none."""
    found: float | int = float(text) if "." in text else int(text) if len(text) < len(str(LARGEST)) + 2 else math.inf
    return found if abs(found) <= LARGEST and str(found) == text else text


def _nested(text: str) -> Any:
    """Return a list or an object of which nothing is lost."""
    try:
        return json.loads(
            text, parse_constant=_lossy, parse_float=_float, parse_int=_whole, object_pairs_hook=without_twins
        )
    except (ValueError, RecursionError):
        return text


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object. Raises ValueError where a name stands in it twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Lossy("a name stands twice in an object")
    return found


def _lossy(_text: str) -> Any:
    raise _Lossy("no number")


def _float(text: str) -> float:
    found = float(text)
    return found if math.isfinite(found) else _lossy(text)


def _whole(text: str) -> int:
    return int(text) if len(text) < len(str(LARGEST)) + 2 and abs(int(text)) <= LARGEST else _lossy(text)
