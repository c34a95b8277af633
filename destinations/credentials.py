"""Destinations with the same credentials share what a vendor allows for them: calls a second, and calls at once."""

import json
from functools import lru_cache

from sqlalchemy import Connection, text

from config.clock import MINUTE
from destinations import destinations, registry
from destinations.destinations import Destination
from models.encryption import DecryptionError, Encryption
from runtime import Runtime

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


def key_of(runtime: Runtime, known: Destination) -> str:
    """Return the name of a destination's budget: two with the same credentials share one. A secret that we make is no
    credential of a vendor's."""
    minute = runtime.clock() // MINUTE
    return _key(runtime.cipher, known.type, known.id, known.sealed_secrets, minute)


@lru_cache(maxsize=1000)
def _key(cipher: Encryption, type_name: str, destination_id: int, sealed: str | None, minute: int) -> str:
    """Opening a ciphertext takes as long as some statements, and every claim asks; secrets end to the minute."""
    ours = {setting.name for setting in registry.type_of(type_name).settings if setting.make is not None}
    try:
        live = destinations.live_secrets(cipher, sealed, minute * MINUTE)
    except DecryptionError:
        live = {}
    secrets = {name: values for name, values in live.items() if name not in ours}
    named = json.dumps([type_name, secrets] if secrets else [type_name, destination_id], sort_keys=True)
    return f"destination-{cipher.digest('budget', named.encode())[:32]}"


def sharing(db: Connection, runtime: Runtime, known: Destination) -> list[int]:
    """Return the ids of the destinations with this one's credentials, itself among them. Where there are others, they
    are counted one after the other: whoever claims calls for one of them waits until this transaction ends."""
    others = [one for one in destinations.of_type(db, known.type) if one.id != known.id]
    key = key_of(runtime, known) if others else ""
    alike = [one.id for one in others if key_of(runtime, one) == key]
    if alike and db.dialect.name == "postgresql":  # on SQLite one transaction writes at a time
        db.execute(_LOCK, {"key": key})
    return [known.id, *alike]
