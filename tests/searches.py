"""How far searches go. A change waits for a part of them in CI, somebody at a desk for less; `.ci/searches`, for which
nobody waits, goes all the way."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ALL_THE_WAY = os.environ.get("SEARCHES") == "all"
IN_CI = ALL_THE_WAY or bool(os.environ.get("CI"))
PART = 3  # of the combinations of addresses and what they say, a change tries one in so many


def examples(most: int, of_a_change: int, at_a_desk: int) -> int:
    """How many examples to look at."""
    return most if ALL_THE_WAY else of_a_change if IN_CI else at_a_desk


def part(combinations: Sequence[T], place: int) -> Sequence[T]:
    """Every third of what is tried at each of many places, another one at the next place; all where nobody waits."""
    return combinations if ALL_THE_WAY else combinations[place % PART :: PART]
