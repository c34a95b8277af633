"""The time zone that pages are written in: the operator's own choice, in their account.

`browser` is what the browser says by a cookie, which `static/times.js` sets; before it has, UTC. Times that programs
read stay UTC, and so does the exact time on hover.
"""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from flask import g, request

from config.clock import Zone

BROWSER = "browser"
COOKIE = "time_zone"


def names() -> list[str]:
    """Return every zone that can be chosen, by name."""
    return sorted(available_timezones() - {"UTC", "localtime"})


def chosen() -> Zone:
    """Return the zone of whoever is signed in; UTC for everybody else."""
    operator = g.get("operator")
    wanted = operator.time_zone if operator is not None else None
    if wanted == BROWSER:
        wanted = request.cookies.get(COOKIE)
    return Zone(*_found(wanted or ""))


def _found(name: str) -> tuple[str, tzinfo]:
    """The zone of this name; UTC where this machine knows none."""
    return (name, ZoneInfo(name)) if name in available_timezones() and name != "UTC" else ("UTC", UTC)
