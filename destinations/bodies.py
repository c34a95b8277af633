"""From rows to changes as adapters see them."""

from typing import Any

from sqlalchemy import Row

from destinations.contract import Change, Kind
from destinations.identity import Profile
from destinations.lanes import Due
from destinations.subscriptions import Subscription
from models.encryption import Encryption

KEPT = 3  # characters of a masked value

_COLUMNS = "p.distinct_id, p.email, p.first_name, p.last_name, p.phone_number"
PROFILE = f"{_COLUMNS}, CAST(p.properties AS text) AS properties"  # in the order of identity.Profile
PERSON = f"{PROFILE}, p.erased_at"
# With the properties, which are most of a row, where the value `properties` is 1: few identities are one of them.
PERSON_TO_NAME = f"{_COLUMNS}, CASE WHEN :properties = 1 THEN CAST(p.properties AS text) END AS properties, p.erased_at"


def key(cipher: Encryption, subscription_id: int, row: Due) -> str:
    """Return what names a message at the far end, the same over all attempts. `row` has the columns of its key."""
    named = f"{subscription_id}/{row.person_id}/{row.entry_number}/{row.kind}/{row.generation}"
    return f"dlv_{cipher.lasting_digest('message', named.encode())[:32]}"


def masked(text: str) -> str:
    """Return the last characters of a text only, none of a short one."""
    return "…" + (text[-KEPT:] if len(text) > 2 * KEPT else "")


def masked_change(
    subscription: Subscription | None, person: Profile, identity: str, entry: Row[Any], fields: dict[str, str]
) -> Change:
    """Return a change of kind entered in which nobody can be recognised."""
    found = {name: None if value is None else masked(str(value)) for name, value in person.fields(fields).items()}
    kind: Kind = "entered"
    return Change(
        id=subscription.id if subscription else 0,
        key="dlv_preview",
        kind=kind,
        identity=masked(identity),
        distinct_id=masked(person.distinct_id),
        entry_number=entry.entry_number,
        session_id=0,
        at=entry.entered_at,
        fields=found,
    )
