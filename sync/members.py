"""What a page means for the membership of those whom it names. Pure: known state in, wanted rows out (S5, S6, S9)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

# What is stored of one named person, as the database hands it over (a plain tuple: there are a thousand a page):
# distinct id; person id, None for someone never heard of; profile, None where it need not be looked at; membership:
# "" for someone never named in this cohort, None for a member whom a refresh leaves alone, else JSON of a `Past`.
Known = tuple[str, int | None, str | None, str | None]

# Entered at, left at, entry number, session number, change number.
Past = tuple[int, int | None, int, int, int]
NEVER: Past = (0, 0, 0, 0, 0)

_decode_pasts = msgspec.json.Decoder(list[Past | None]).decode


class People(NamedTuple):
    """The people whom a page names, as far as they are known, in key order; `highest_id` is the highest person id
    that is taken, where the store numbers people itself."""

    known: list[Known]
    highest_id: int


class Stay(msgspec.Struct, gc=False):
    """A membership row to write, and whether the log gets a row (`entered` True or False; None: no change, the row
    only notes that a newer session has spoken). `previous` is the person's row of the log before this one."""

    person_id: int
    entered_at: int
    left_at: int | None
    entry_number: int
    change_number: int
    entered: bool | None
    previous: int


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

    @property
    def changes(self) -> int:
        return self.entered + self.left

    def note(self, person_id: int, past: Past) -> None:
        """A diff spoke of someone whom it does not change: its word still is the last one (S9)."""
        entered_at, left_at, entry_number, _, change = past
        if past is NEVER:
            entered_at = left_at = self.now
        self.stays.append(Stay(person_id, entered_at, left_at, entry_number, change, None, 0))


def plan_entries(plan: Plan, people: Sequence[Known], ids: Sequence[int], *, is_diff: bool) -> None:
    """`members` and `add_members`: whoever is not in enters, unless a newer session has spoken of them. `ids` are the
    person ids of `people`."""
    number, stays, unchanged, counted, entered = plan.number, plan.stays, 0, 0, 0
    for person_id, past in _pasts(people, ids):
        _, left_at, entry_number, spoken, change = past
        if spoken != number:
            counted += 1
            if past is not NEVER and (left_at is None or spoken > number):
                unchanged += 1
                if is_diff and spoken < number:
                    plan.note(person_id, past)
                continue
        if left_at is not None:
            entered += 1
            log = plan.last_change + entered
            stays.append(Stay(person_id, plan.now, None, entry_number + 1, log, True, change))
    alone = sum(one[3] is None for one in people)
    plan.unchanged, plan.counted, plan.entered = unchanged + alone, counted + alone, entered


def plan_exits(plan: Plan, people: Sequence[Known], ids: Sequence[int], *, spared: Collection[int]) -> None:
    """`remove_members`: whoever is in leaves, unless a newer session has spoken of them (`spared`: by a refresh)."""
    number, stays, unchanged, counted, left = plan.number, plan.stays, 0, 0, 0
    for person_id, past in _pasts(people, ids):
        entered_at, left_at, entry_number, spoken, change = past
        first_word = spoken != number
        counted += first_word
        newest_word = spoken <= number and person_id not in spared
        if newest_word and left_at is None:
            left += 1
            log = plan.last_change + left
            stays.append(Stay(person_id, entered_at, plan.now, entry_number, log, False, change))
            continue
        unchanged += first_word
        if first_word and newest_word:
            plan.note(person_id, past)
    plan.unchanged, plan.counted, plan.left = unchanged, counted, left


def _pasts(people: Sequence[Known], ids: Sequence[int]) -> Iterator[tuple[int, Past]]:
    """The person id and the past of each, without those whom a refresh leaves alone; decoded all at once."""
    asked = [(person_id, one[3]) for one, person_id in zip(people, ids, strict=True) if one[3] is not None]
    written = "[" + ",".join([past or "null" for _, past in asked]) + "]"
    for (person_id, _), past in zip(asked, _decode_pasts(written), strict=True):
        yield person_id, NEVER if past is None else past
