"""How often a cohort's sessions come, learned from when they began (F5). Pure: times in, a rhythm out."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from config.clock import HOUR, MINUTE

LOOKED_AT = 16  # of a cohort's newest sessions
TOGETHER = MINUTE  # in which sessions are one beat: Mixpanel sends an add and a remove in pairs
CYCLE = 30 * MINUTE  # Mixpanel's own, until enough beats are known
RECURRING_FROM = 3  # beats
GAPS_TO_LEARN_FROM = 3
NEW_FOR = 2 * HOUR
MISSED_BEATS = 3


@dataclass(frozen=True)
class Rhythm:
    """`last_beat` is when the newest sessions began; `every` the milliseconds between two beats, None where none is
    expected. `kind` is recurring, one_time (a refresh and nothing since) or new (too early to tell)."""

    last_beat: int
    every: int | None
    kind: str

    @property
    def next_expected(self) -> int | None:
        return None if self.every is None else self.last_beat + self.every

    def is_quiet(self, now: int, last_call_at: int = 0) -> bool:
        """Whether three beats have been missed. A call since the last beat, as of a long export, is a sign of life."""
        return self.every is not None and now - max(self.last_beat, last_call_at) > MISSED_BEATS * self.every


def learn(sessions: Iterable[tuple[int, str]], now: int) -> Rhythm:
    """The rhythm of a cohort's newest sessions, (started at, action) each, in any order, at least one.

    Whoever hands over the newest `LOOKED_AT` leaves no diff out that matters: so many are more than two beats.
    """
    sessions = sorted(sessions)
    beats = _beats(start for start, _ in sessions)
    if len(beats) >= RECURRING_FROM or any(action != "members" for _, action in sessions):
        return Rhythm(beats[-1], _usual_gap(beats), "recurring")
    return Rhythm(beats[-1], None, "one_time" if now - beats[-1] > NEW_FOR else "new")


def _beats(starts: Iterable[int]) -> list[int]:
    """The first of each group of `starts`, which come in order."""
    beats: list[int] = []
    for start in starts:
        if not beats or start - beats[-1] > TOGETHER:
            beats.append(start)
    return beats


def _usual_gap(beats: list[int]) -> int:
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    return int(median(gaps)) if len(gaps) >= GAPS_TO_LEARN_FROM else CYCLE
