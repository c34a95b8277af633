"""Which changes of an identity still count, whatever order calls come in and however often. Pure, no database.

The far end keeps a mark for each identity: the furthest position in the log that was applied to it, whose stay that was
about, and whether the row is ours. A change of the log counts where its position is beyond the mark. What is not from
the log has no position: an entry of it is out of date where the log has meanwhile ended that stay of that person, or
begun a later one.
"""

from typing import Literal

from msgspec import Struct

from destinations.contract import Change

Effect = Literal["put", "remove", "forget", "none"]


class Mark(Struct, frozen=True):
    """What was last applied to an identity from the log: `position` 0 where nothing was. `ours` says that its row is
    there because we put it there."""

    position: int = 0
    kind: str = ""
    distinct_id: str = ""
    entry_number: int = 0
    ours: bool = False


class Step(Struct, frozen=True):
    """What a change does to the row, and the mark that it leaves."""

    effect: Effect
    mark: Mark
    reason: str = ""


def step(change: Change, mark: Mark, *, is_there: bool) -> Step:
    """Return what a change does. `is_there` says whether the identity has a row, whoever put it there."""
    if change.kind == "erased":
        return Step("forget", Mark())
    if change.position and change.position == mark.position:
        return Step("none", mark)  # a repeat
    if _is_overtaken(change, mark):
        return Step("none", mark, "overtaken")
    if change.kind == "entered":
        return Step("put", _moved(change, mark, ours=mark.ours or not is_there))
    after = _moved(change, mark, ours=False)
    return Step("remove", after) if mark.ours else Step("none", after, "not_ours")


def _is_overtaken(change: Change, mark: Mark) -> bool:
    if change.position:
        return change.position < mark.position
    if change.kind != "entered" or change.distinct_id != mark.distinct_id:
        return False
    is_over = mark.kind == "left" and change.entry_number == mark.entry_number
    return is_over or change.entry_number < mark.entry_number


def _moved(change: Change, mark: Mark, *, ours: bool) -> Mark:
    if not change.position:
        return Mark(mark.position, mark.kind, mark.distinct_id, mark.entry_number, ours)
    return Mark(change.position, change.kind, change.distinct_id, change.entry_number, ours)
