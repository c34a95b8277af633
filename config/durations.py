"""Lengths of time and ages in words, the same in every room, on pages, in the terminal and in alerts.

Lengths are milliseconds. `static/times.js` writes ages as `age` does, so that a page that is looked at stays fresh;
tests/browser/test_scripts.py holds the two together.
"""

from config.clock import DAY, HOUR, MINUTE, SECOND

UNITS = ((365 * DAY, "y"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1, "ms"))
JUST_NOW = 5 * SECOND


def duration(milliseconds: float) -> str:
    """Write a length in its two largest units: `1 min 12 s`, `1 h`, `400 ms`; `0 s` for none."""
    return _written(parts(milliseconds))


def roughly(milliseconds: float) -> str:
    """Write a length in its largest unit: `1 min`, `400 ms`; `0 s` for none."""
    return _written(parts(milliseconds, 1))


def age(milliseconds: float) -> str:
    """Write how long ago something was: `4 min ago`, `just now`; of what is to come `in 4 min`."""
    if abs(milliseconds) < JUST_NOW:
        return "just now"
    return f"{roughly(milliseconds)} ago" if milliseconds > 0 else f"in {roughly(-milliseconds)}"


def parts(milliseconds: float, most: int = 2) -> list[tuple[int, str]]:
    """Return the largest unit that it fills with its count, and the unit below where that has a count too."""
    rest = max(0, round(milliseconds))
    first = next((at for at, (length, _name) in enumerate(UNITS) if rest >= length), len(UNITS))
    found: list[tuple[int, str]] = []
    for length, name in UNITS[first : first + most]:
        count, rest = divmod(rest, length)
        if count and not (found and name == "ms"):
            found.append((count, name))
    return found


def _written(parts: list[tuple[int, str]]) -> str:
    return " ".join(f"{count} {unit}" for count, unit in parts or [(0, "s")])
