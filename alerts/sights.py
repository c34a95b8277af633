"""What there is to see: the standing of every cohort and connection, as the rules take it."""

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from sqlalchemy import Connection

from alerts.rules import Sight
from sync import nextsteps
from sync.standing import SIMULATED, ConnectionStanding, LastFailure, Standing, connection_standings, standings

Look = Callable[[Connection], Iterable[Sight]]

_LOOK = "Look in Mixpanel at Data, Destinations, the connection, then Syncs: is this sync paused or removed?"
_WHAT_TO_DO = {
    "quiet": _LOOK,
    "stalled": f"Nothing yet: Mixpanel starts over at its next cycle. If it does not: {_LOOK[0].lower()}{_LOOK[1:]}",
    "held": "See why it is held and who would leave, then decide.",
}


def look_around(now: int) -> Look:
    """A function that reads how every subject stands at `now`."""

    def look(db: Connection) -> Iterator[Sight]:
        cohorts = [one for one in standings(db, now) if not one.mixpanel_cohort_id.startswith(SIMULATED)]
        yield from map(_cohort, cohorts)
        yield from map(_connection, connection_standings(db, now, cohorts).values())

    return look


def _cohort(one: Standing) -> Sight:
    page = f"/cohorts/{one.id}/held" if one.state == "held" else f"/cohorts/{one.id}"
    return _sight(f"cohort {one.id}", f'Cohort "{one.name}"', page, one)


def _connection(one: ConnectionStanding) -> Sight:
    return _sight(f"connection {one.name}", f"Connection {one.name}", f"/connections/{quote(one.name)}", one)


def _sight(subject: str, name: str, page: str, one: Standing | ConnectionStanding) -> Sight:
    cause, what_to_do = f"{one.says}.", _WHAT_TO_DO.get(one.state, "")
    if one.state == "failing" and one.failure is not None:
        cause, what_to_do = f"{cause} {_why(one.failure)}", _mend(one.failure)
    return Sight(subject, name, one.state, cause, what_to_do, page)


def _why(failure: LastFailure) -> str:
    """What we answered: a failure's message is a plain sentence without member data."""
    return f"{nextsteps.title(failure.cause)}: {failure.message}"


def _mend(failure: LastFailure) -> str:
    next_step = nextsteps.after(failure.status, failure.cause)
    return " ".join([next_step.sentence, *(f"{step}." for step in next_step.steps)])
