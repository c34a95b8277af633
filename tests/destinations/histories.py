"""What happens to people of a cohort, what should come of it, and the orders in which it may be told."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from destinations.contract import Change, Kind
from tests.destinations.far_end import change

NAMES = ["ada", "Ada", "ada ", "bob", "zoë", "é" * 120, "'; --", "%_\\"]


@dataclass
class History:
    """`changes` in the log's order, `truth` who is in at the end with the entry number of their stay."""

    changes: list[Change] = field(default_factory=list)
    truth: dict[str, int] = field(default_factory=dict)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """People who come and go. Some stays are told by a backfill as well, which has no position in the log; of some
    identities two people are the owners, one after the other."""
    history, stays = History(), {}
    moves = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.integers(0, 3)), max_size=25))
    for name, is_told_twice, other in moves:
        number = len(history.changes) + 1
        if name in history.truth:
            who, entry = stays[name]
            history.changes.append(told(number, name, "left", who, entry))
            del history.truth[name]
            continue
        is_shared = NAMES.index(name) % 2 == 0
        who = "somebody else" if is_shared and not other else name
        entry = stays[name][1] + 1 if name in stays and stays[name][0] == who else 1 + number
        stays[name], history.truth[name] = (who, entry), entry
        history.changes.append(told(number, name, "entered", who, entry))
        if is_told_twice and not is_shared:
            history.changes.append(told(number + 1, name, "entered", who, entry, position=0))
    return history


def told(number: int, name: str, kind: Kind, who: str, entry: int, position: int | None = None) -> Change:
    return change(
        number,
        name,
        kind,
        distinct_id=who,
        entry_number=entry,
        position=number if position is None else position,
        fields={"plan": f"plan of {entry}", "odd": "a\0b"},
    )


@st.composite
def calls(draw: st.DrawFn, changes: list[Change]) -> list[list[Change]]:
    """Every change at least once, some twice, in any order, in batches that name nobody twice."""
    repeated = draw(st.lists(st.sampled_from(changes), max_size=8)) if changes else []
    shuffled = draw(st.permutations(changes + repeated))
    found: list[list[Change]] = []
    for one in shuffled:
        named = {other.identity for other in found[-1]} if found else set()
        if not found or one.identity in named or draw(st.booleans()):
            found.append([])
        found[-1].append(one)
    return found
