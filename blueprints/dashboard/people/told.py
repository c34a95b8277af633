"""What was told of a person to whom: the messages of their entries and exits, beside the line of time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard.people.timeline import Turn

MOST = 1000  # messages that are looked at

TurnKey = tuple[int, int, str]  # our cohort id, entry number, kind

# By each subscription's own index of its people.
_TOLD = text("""
    SELECT m.id, m.kind, m.entry_number, m.state, m.reason, m.attempts, m.attempt_id, m.finished_at, m.next_at, m.at,
        s.id AS subscription_id, s.cohort_id, d.name AS destination
    FROM subscription s JOIN message m ON m.subscription_id = s.id AND m.person_id = :person
    JOIN destination d ON d.id = s.destination_id
    ORDER BY m.id DESC LIMIT :most""")


@dataclass(frozen=True)
class Told:
    """One message about the person; times are milliseconds since 1970, None while it is not over."""

    id: int
    kind: str
    entry_number: int
    state: str
    reason: str | None
    attempts: int
    attempt_id: int | None
    finished_at: int | None
    next_at: int | None
    at: int
    subscription_id: int
    cohort_id: int
    destination: str


@dataclass(frozen=True)
class Messages:
    """Messages by the turn that they tell of; `others` tell of none: that somebody was erased."""

    by_turn: dict[TurnKey, list[Told]]
    others: list[Told]

    def of(self, turn: Turn) -> Sequence[Told]:
        """Return what was told of an entry or exit, to whom."""
        return self.by_turn.get((turn.cohort_id, turn.entry_number, "entered" if turn.entered else "left"), ())


def read(db: Connection, person_id: int) -> Messages:
    """Return the newest messages about a person, at most MOST."""
    found = rows.every(db.execute(_TOLD, {"person": person_id, "most": MOST}), Told)
    by_turn: defaultdict[TurnKey, list[Told]] = defaultdict(list)
    for told in reversed(found):
        by_turn[told.cohort_id, told.entry_number, told.kind].append(told)
    return Messages(dict(by_turn), [told for told in found if told.kind == "erased"])
