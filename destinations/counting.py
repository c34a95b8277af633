"""How many messages of a subscription are in each state: changed in the transaction in which the messages change."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection

from destinations.subscriptions import STATES
from models.statement import Statement

_MOVE = Statement(f"""
    UPDATE subscription_counts SET {", ".join(f"{state} = {state} + :{state}" for state in STATES)}
    WHERE subscription_id = :subscription""")  # noqa: S608 - our own words


def move(db: Connection, subscription_id: int, changes: Mapping[str, int]) -> None:
    """Add to the counts by state; what left a state is a negative number."""
    if any(changes.values()):
        _MOVE.run(db, dict.fromkeys(STATES, 0) | dict(changes) | {"subscription": subscription_id})


def moved(changes: Mapping[tuple[str, str], int]) -> Counter[str]:
    """Return what to add by state, from how many went from one state to another."""
    found: Counter[str] = Counter()
    for (before, after), number in changes.items():
        found[before] -= number
        found[after] += number
    return found
