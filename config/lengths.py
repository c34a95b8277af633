"""Lengths of time and ages for whoever reads them: as `config/durations.py` writes them, in the reader's language."""

from config import durations
from config.words import _, later

UNITS = {
    "y": later("%(count)s y"),
    "d": later("%(count)s d"),
    "h": later("%(count)s h"),
    "min": later("%(count)s min"),
    "s": later("%(count)s s"),
    "ms": later("%(count)s ms"),
}


def duration(milliseconds: float) -> str:
    """Write a length in its two largest units: `1 min 12 s`, `1 h`, `400 ms`; `0 s` for none."""
    return _written(durations.parts(milliseconds))


def roughly(milliseconds: float) -> str:
    """Write a length in its largest unit: `1 min`, `400 ms`; `0 s` for none."""
    return _written(durations.parts(milliseconds, 1))


def age(milliseconds: float) -> str:
    """Write how long ago something was: `4 min ago`, `just now`; of what is to come `in 4 min`."""
    if abs(milliseconds) < durations.JUST_NOW:
        return _("just now")
    if milliseconds > 0:
        return _("%(length)s ago", length=roughly(milliseconds))
    return _("in %(length)s", length=roughly(-milliseconds))


def _written(parts: list[tuple[int, str]]) -> str:
    return " ".join(_(UNITS[unit], count=count) for count, unit in parts or [(0, "s")])
