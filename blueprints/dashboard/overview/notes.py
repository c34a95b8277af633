"""What the overview says of the relay itself, not of cohorts: what happened, and what it means and asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from config import disk_room
from config.clock import MINUTE
from config.lengths import roughly
from config.words import _, later
from models.synchronous_standby import is_awaited
from runtime import Runtime
from security import rate_limits
from sync.status.cohort import CohortStatus

AHEAD = MINUTE  # clocks of several machines differ by less where they are kept


@dataclass(frozen=True)
class Note:
    happened: str
    says: str

    def said(self) -> "Note":
        """The same for whoever reads."""
        return Note(_(self.happened), _(self.says))


REDIS_IS_AWAY = Note(
    later("Redis does not answer."),
    later(
        "Each process counts calls for itself: no call is refused for it, and with several processes a limit lets more"
        " through than it says. Start Redis, or correct REDIS_URL; flask doctor says why it does not answer. The relay"
        " goes back to it by itself."
    ),
)
DISK_IS_FULL = Note(
    later("The disk of the database is full."),
    later(
        "The last write found no room: pages are refused with 503, and Mixpanel sends them again. Nothing is lost, and"
        " readers go on. Make room; the relay goes on by itself."
    ),
)
STANDBY_IS_AWAY = Note(
    later("The database waits for its synchronous standby."),
    later(
        "It keeps nothing new until that one answers: pages are refused with 503, and Mixpanel sends them again."
        " Nothing is lost, and readers go on. Start the standby, or take it out of synchronous_standby_names; the relay"
        " goes on by itself."
    ),
)
_FORWARD = later("This machine's clock was set forward by %(length)s.")
_BACK = later("This machine's clock was set back by %(length)s.")
_CLOCK = later(
    "Who is in which cohort stays exact, since sessions are ordered by number; ages, charts and what is called late or"
    " quiet go by the clock. See that the machine's time is kept (timedatectl)."
)


def of_the_relay(db: Connection, runtime: Runtime, cohorts: Sequence[CohortStatus], now: int) -> Iterator[Note]:
    """Yield them, the most urgent first."""
    if is_awaited(db):
        yield STANDBY_IS_AWAY.said()
    if runtime.database.is_full:
        yield DISK_IS_FULL.said()
    yield from _of_disks(runtime)
    if moved := runtime.clock_watch.moved():
        how = _FORWARD if moved > 0 else _BACK
        yield Note(_(how, length=roughly(abs(moved))), _(_CLOCK))
    elif (ahead := max((cohort.last_call_at - now for cohort in cohorts), default=0)) > AHEAD:
        what = _("The newest call is dated %(ahead)s ahead of this machine's clock.", ahead=roughly(ahead))
        yield Note(what, " ".join([_("It was set back, or another machine's clock is ahead."), _(_CLOCK)]))
    if not rate_limits.are_as_set():
        yield REDIS_IS_AWAY.said()


def _of_disks(runtime: Runtime) -> Iterator[Note]:
    for disk in disk_room.disks(runtime.settings):
        is_said = runtime.database.is_full and "database" in disk.uses
        if disk.is_filling and not is_said:
            what = _("%(disk)s is nearly full.", disk=f"{disk.name[0].upper()}{disk.name[1:]}")
            yield Note(what, f"{disk.left} {disk.without_room} {disk_room.WHAT_TO_DO}")
