"""Destinations with the same credentials share what a vendor allows for them: calls a second, and calls at once."""

import json

from sqlalchemy import Connection, text

from destinations import destinations
from destinations.destinations import Destination
from models.encryption import DecryptionError
from runtime import Runtime

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def key_of(runtime: Runtime, known: Destination) -> str:
    """Return the name of a destination's budget: two with the same credentials share one. A secret that we make is no
    credential of a vendor's."""
    ours = {setting.name for setting in known.kind.settings if setting.make is not None}
    try:
        live = known.live_secrets(runtime.cipher, runtime.clock())
    except DecryptionError:
        live = {}
    secrets = {name: values for name, values in live.items() if name not in ours}
    named = json.dumps([known.type, secrets] if secrets else [known.type, known.id], sort_keys=True)
    return f"destination-{runtime.cipher.digest('budget', named.encode())[:32]}"


def sharing(db: Connection, runtime: Runtime, known: Destination) -> list[int]:
    """Return the ids of the destinations with this one's credentials, itself among them. Where there are others, they
    are counted one after the other: whoever claims calls for one of them waits until this transaction ends."""
    others = [one for one in destinations.of_type(db, known.type) if one.id != known.id]
    key = key_of(runtime, known) if others else ""
    alike = [one.id for one in others if key_of(runtime, one) == key]
    if alike and db.dialect.name == "postgresql":  # on SQLite one transaction writes at a time
        db.execute(_LOCK, {"key": key})
    return [known.id, *alike]
