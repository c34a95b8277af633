"""What a page means for the membership of those whom it names. Pure: known state in, wanted rows out (S5, S6, S9)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# What is stored of one named person, as the database hands it over (a plain tuple: there are a thousand a page):
# distinct id; person id, None for someone never heard of; profile, None where it need not be looked at; then of their
# membership: entered at, left at, entry number, session number, change number, all None for someone never named in
# this cohort.
StoredPerson = tuple[Any, ...]

# A membership row to write, a plain tuple for the same reason: person id, entered at, left at, entry number, change
# number; whether the log gets a row (True entered, False left, None: no change, the row only notes that a newer session
# has spoken), and the person's row of the log before this one.
Stay = tuple[int, int, int | None, int, int, bool | None, int]


class People(NamedTuple):
    """The people whom a page names, as far as they are known, in key order; `highest_id` is the highest person id
    that is taken, where the store numbers people itself. `settled` are ids of people who are not among `known`, because
    a refresh that names them changes nothing: they are in, with this profile, and not by this session's word."""

    known: list[StoredPerson]
    highest_id: int = 0
    settled: Sequence[int] = ()


@dataclass
class Plan:
    """What a page does. `stays` are in key order of the page, so that writers who share people never deadlock."""

    number: int  # of the session
    last_change: int  # of the cohort's log so far
    now: int
    stays: list[Stay] = field(default_factory=list)
    entered: int = 0
    left: int = 0
    unchanged: int = 0  # named, and no change by this session so far
    counted: int = 0  # named, and not counted by an earlier page of this session

    def leave(self, settled: int) -> None:
        """Count people of whom the page says nothing new."""
        self.unchanged += settled
        self.counted += settled


def plan_entries(plan: Plan, people: Sequence[StoredPerson], ids: Sequence[int], *, is_diff: bool) -> None:
    """Plan `members` and `add_members`: everybody who is not in enters, unless a newer session has spoken of them.
    `ids` are the person ids of `people`. A refresh leaves those who are in alone; a diff notes that its word is the
    last one (S9)."""
    number, now, stays, last = plan.number, plan.now, plan.stays, plan.last_change
    unchanged = repeated = entered = 0
    for (_, _, _, entered_at, left_at, entry_number, spoken, change), person_id in zip(people, ids, strict=True):
        if spoken is None:
            entered += 1
            stays.append((person_id, now, None, 1, last + entered, True, 0))
        elif spoken != number and (left_at is None or spoken > number):
            unchanged += 1
            if is_diff and spoken < number:
                stays.append((person_id, entered_at, left_at, entry_number, change, None, 0))
        else:
            repeated += spoken == number
            if left_at is not None:
                entered += 1
                stays.append((person_id, now, None, entry_number + 1, last + entered, True, change))
    plan.unchanged, plan.counted, plan.entered = unchanged, len(ids) - repeated, entered


def plan_exits(plan: Plan, people: Sequence[StoredPerson], ids: Sequence[int], *, spared: Collection[int]) -> None:
    """Plan `remove_members`: everybody who is in leaves, unless a newer session has spoken of them. `spared` are the
    person ids of whom a refresh has. The rows of all others note that this session's word is the last one (S9)."""
    number, now, stays, last = plan.number, plan.now, plan.stays, plan.last_change
    unchanged = repeated = left = 0
    for (_, _, _, entered_at, left_at, entry_number, spoken, change), person_id in zip(people, ids, strict=True):
        newest_word = (spoken is None or spoken <= number) and person_id not in spared
        if newest_word and spoken is not None and left_at is None:
            left += 1
            repeated += spoken == number
            stays.append((person_id, entered_at, now, entry_number, last + left, False, change))
        elif spoken == number:
            repeated += 1
        else:
            unchanged += 1
            if newest_word:
                known = (now, now, 0, 0) if spoken is None else (entered_at, left_at, entry_number, change)
                stays.append((person_id, *known, None, 0))
    plan.unchanged, plan.counted, plan.left = unchanged, len(ids) - repeated, left
