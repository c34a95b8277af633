"""What there is to see: the standing of every cohort and connection, as the rules take it."""

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from sqlalchemy import Connection

from alerts.rules import Sight
from sync.status import progress, remedies, text
from sync.status.cohort import SIMULATED, LastFailure, Standing, standings
from sync.status.connection import ConnectionStanding, connection_standings

Look = Callable[[Connection], Iterable[Sight]]

_LOOK = "Look in Mixpanel at Data, Destinations, the connection, then Syncs: is this sync paused or removed?"
_WHAT_TO_DO = {
    "quiet": _LOOK,
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
    cause, what_to_do = _told(one.state, f"{one.says}.", one.failure, one.rhythm.kind)
    return Sight(f"cohort {one.id}", f'Cohort "{one.name}"', one.state, cause, what_to_do, page)


def _connection(one: ConnectionStanding) -> Sight:
    """By its own state: what is with its cohorts is told of them."""
    page = f"/connections/{quote(one.name)}"
    cause, what_to_do = _told(one.own_state, f"{text.own_sentence(one)}.", one.failure)
    return Sight(f"connection {one.name}", f"Connection {one.name}", one.own_state, cause, what_to_do, page)


def _told(state: str, cause: str, failure: LastFailure | None, kind: str = "") -> tuple[str, str]:
    """What happened, and what to do about it. `kind` is that of a cohort's rhythm."""
    if state == "failing" and failure is not None:
        return f"{cause} {_why(failure)}", _mend(failure)
    if state == "stalled":
        again = progress.starts_over(kind)
        return cause, f"{again}." if kind == "one_time" else f"Nothing yet: {again}. If it does not: {_LOOK}"
    return cause, _WHAT_TO_DO.get(state, "")


def _why(failure: LastFailure) -> str:
    """What we answered: a failure's message is a plain sentence without member data."""
    return f"{remedies.title(failure.cause)}: {failure.message}"


def _mend(failure: LastFailure) -> str:
    next_step = remedies.after(failure.status, failure.cause)
    return " ".join([next_step.sentence, *(f"{step}." for step in next_step.steps)])
