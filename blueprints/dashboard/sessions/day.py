"""The last day of sessions by half hours: how many came, how many have stalled, how many calls were refused."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, text

from blueprints import time_zone
from blueprints.dashboard.sessions.filters import HALF_HOUR, STATUSES
from blueprints.dashboard.sessions.words import RUNNING
from config.clock import DAY, iso
from config.words import _, counted, number
from models.sessions import IS_UNFINISHED

PARTS = DAY // HALF_HOUR
HEIGHT = 48  # pixels of the highest bar
STALLED = ("stalled", "held")

_SESSIONS = text("""
    SELECT (started_at - :since) / :unit AS place, status, count(*) AS sessions
    FROM sync_session WHERE started_at >= :since GROUP BY 1, 2""")
_REFUSED = text("""
    SELECT (at - :since) / :unit AS place, CAST(sum(count) AS BIGINT) AS refused
    FROM failure WHERE at >= :since GROUP BY 1""")
_OPEN = text(f"SELECT status, count(*) AS sessions FROM sync_session WHERE {IS_UNFINISHED} GROUP BY 1")  # noqa: S608


@dataclass(frozen=True)
class Part:
    """Half an hour from `start` on; `received` are its sessions without those that have stalled or are held."""

    start: int
    received: int
    stalled: int
    refused: int
    highest: int

    @property
    def when(self) -> str:
        """As the filter `when` says it."""
        return (iso(self.start) or "")[:16]

    @property
    def hours(self) -> str:
        """`02:30 to 03:00`, in the reader's zone."""
        zone = time_zone.chosen()
        since, until = (zone.written(moment)[11:16] for moment in (self.start, self.start + HALF_HOUR))
        return _("%(since)s to %(until)s", since=since, until=until)

    @property
    def words(self) -> str:
        """`02:30 to 03:00: 118 sessions, 2 stalled, 1 call refused`."""
        parts = [counted(self.received + self.stalled, "session")]
        parts += [_("%(count)s stalled or held", count=number(self.stalled))] * bool(self.stalled)
        parts += [_("%(count)s refused", count=number(self.refused))] * bool(self.refused)
        return f"{self.hours}: {', '.join(parts)}"

    @property
    def bars(self) -> list[tuple[str, int, int]]:
        """Its bars from the ground up: the tone, where the bar begins from above, and how high it is, in pixels. What
        there is at all can be seen, however little."""
        found, top = [], HEIGHT
        for tone, count in (("working", self.received), ("waiting", self.stalled), ("needs-you", self.refused)):
            if count:
                high = max(2, round(count * HEIGHT / self.highest))
                top -= high
                found.append((tone, max(0, top), high))
        return found


@dataclass(frozen=True)
class SessionDay:
    """The half hours of the last day, the oldest first, and how many sessions there are of each of STATUSES: of those
    that are not over all, of the others those of the last day."""

    parts: list[Part]
    counts: Counter[str]

    @property
    def words(self) -> str:
        stalled, refused = (sum(getattr(part, name) for part in self.parts) for name in ("stalled", "refused"))
        came = sum(part.received for part in self.parts) + stalled
        return _(
            "%(sessions)s, %(stalled)s of them stalled or held, and %(refused)s refused calls",
            sessions=counted(came, "session"), stalled=number(stalled), refused=number(refused),
        )  # fmt: skip


def read(db: Connection, now: int) -> SessionDay:
    """Read the last day; three statements."""
    since = (now // HALF_HOUR - PARTS + 1) * HALF_HOUR
    values = {"since": since, "unit": HALF_HOUR}
    counts: Counter[str] = Counter()
    received, stalled = Counter[int](), Counter[int]()
    for place, status, sessions in db.execute(_SESSIONS, values):
        (stalled if status in STALLED else received)[min(place, PARTS - 1)] += sessions
        counts[status] += sessions
    refused = {row.place: row.refused for row in db.execute(_REFUSED, values)}
    counts |= Counter({row.status: row.sessions for row in db.execute(_OPEN)})
    counts["running"] = sum(counts[status] for status in RUNNING)
    highest = max((received[at] + stalled[at] + refused.get(at, 0) for at in range(PARTS)), default=0) or 1
    parts = [
        Part(since + at * HALF_HOUR, received[at], stalled[at], refused.get(at, 0), highest) for at in range(PARTS)
    ]
    return SessionDay(parts, Counter({status: counts[status] for status in STATUSES}))
