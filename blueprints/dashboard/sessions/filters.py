"""What the list of sessions can be asked for, as it stands in the address; a wrong value is as if it were not there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from blueprints import urls
from blueprints.dashboard.sessions.words import RUNNING, STATES
from blueprints.paging import AFTER_ALL
from blueprints.urls import storable
from config.clock import DAY, HOUR, MINUTE
from config.words import later
from models.sessions import UNFINISHED
from sync import erasure

KINDS = {
    "refresh": (later("Refreshes"), ("members",)),
    "diff": (later("Diffs"), ("add_members", "remove_members")),
    "added": (later("Diffs that add"), ("add_members",)),
    "removed": (later("Diffs that remove"), ("remove_members",)),
    "erased": (later("Erasures"), (erasure.ACTION,)),
}
# Late is not asked for: it is said of what is being received.
STATUSES = {"running": later("Under way")} | {
    status: word for status, (_tone, word) in STATES.items() if status != "late"
}
CHANGES = {"some": later("Changed something"), "none": later("Without change, one by one")}
STRETCHES = {
    "1h": (later("Last hour"), HOUR),
    "24h": (later("Last 24 hours"), DAY),
    "7d": (later("Last 7 days"), 7 * DAY),
}
HALF_HOUR = 30 * MINUTE
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SessionFilters:
    """The filters in the address; empty where there is none. `when` is one of STRETCHES, or the beginning of a half
    hour as `2026-11-27T02:30`; `before` is an id."""

    statuses: tuple[str, ...] = ()
    kind: str = ""
    connection: str = ""
    cohort: str = ""
    when: str = ""
    change: str = ""
    before: int = AFTER_ALL

    @classmethod
    def of(cls, given: MultiDict[str, str]) -> "SessionFilters":
        kind, when, change = given.get("kind", ""), given.get("when", ""), given.get("change", "")
        return cls(
            tuple(name for name in STATUSES if name in given.getlist("status")),
            kind if kind in KINDS else "",
            storable(given.get("connection", "")),
            storable(given.get("cohort", "").strip()),
            when if when in STRETCHES or _beginning(when) is not None else "",
            change if change in CHANGES else "",
            urls.key(given.get("before", ""), AFTER_ALL),
        )

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the filters that are set, as parameters of an address."""
        found = {
            "status": list(self.statuses),
            "kind": self.kind,
            "connection": self.connection,
            "cohort": self.cohort,
            "when": self.when,
            "change": self.change,
        }
        return {name: value for name, value in found.items() if value}

    def toggled(self, status: str) -> dict[str, Any]:
        """Return the same with one state more, or one less."""
        others = [name for name in self.statuses if name != status]
        return self.chosen | {"status": others if status in self.statuses else [*others, status]}

    @property
    def is_first(self) -> bool:
        return self.before == AFTER_ALL

    @property
    def is_unfinished(self) -> bool:
        """Whether only sessions are asked for that are not over: those are few, and found by an index of their own."""
        return bool(self.statuses) and set(self.statuses) <= {"running", *RUNNING, *UNFINISHED}

    @property
    def folds(self) -> bool:
        """Whether cycles without change are among what is asked for, and shown as lines."""
        return not self.change and (not self.statuses or "complete" in self.statuses)

    def stretch(self, now: int) -> tuple[int | None, int | None]:
        """Return from when on and until when, in milliseconds since 1970; None for no bound."""
        if self.when in STRETCHES:
            return now - STRETCHES[self.when][1], None
        start = _beginning(self.when)
        return (None, None) if start is None else (start, start + HALF_HOUR)


def _beginning(given: str) -> int | None:
    """Read the beginning of a half hour, UTC; None where it is none."""
    try:
        moment = datetime.strptime(given, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    start = (moment - _BEGINNING) // timedelta(milliseconds=1)
    return start if start >= 0 and start % HALF_HOUR == 0 else None
