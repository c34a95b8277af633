"""The time zone that pages are written in: the operator's own choice, in their account.

`browser` is what the browser says by a cookie, which `static/times.js` sets; before it has, UTC. Times that programs
read stay UTC, and so does the exact time on hover.
"""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import g, request

from config.clock import Zone

BROWSER = "browser"
COOKIE = "time_zone"


@cache
def known() -> frozenset[str]:
    """Return every zone that this machine knows, by name. Finding them reads some 600 files: once a process, not once
    for every time on a page."""
    return frozenset(available_timezones() - {"UTC", "localtime"})


def names() -> list[str]:
    """Return every zone that can be chosen, in the order of their names."""
    return sorted(known())


def chosen() -> Zone:
    """Return the zone of whoever is signed in; UTC for everybody else."""
    operator = g.get("operator")
    wanted = operator.time_zone if operator is not None else None
    if wanted == BROWSER:
        wanted = request.cookies.get(COOKIE)
    return Zone(*_found(wanted or ""))


def _found(name: str) -> tuple[str, tzinfo]:
    """The zone of this name; UTC where this machine knows none."""
    return (name, ZoneInfo(name)) if name in known() else ("UTC", UTC)
