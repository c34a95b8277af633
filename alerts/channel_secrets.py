"""The key that signs what a channel's webhook gets: made anew by us, with the earlier one beside it for a while."""

import json
import secrets
from typing import Any

from sqlalchemy import Connection, update

from alerts.stored_channels import StoredChannel, WrongChannel
from config.clock import DAY
from models.alerts import AlertChannel as Table
from models.encryption import DecryptionError, Encryption

OVERLAP = DAY  # milliseconds for which the earlier key signs too


def rotate(db: Connection, cipher: Encryption, known: StoredChannel, now: int) -> str:
    """Return the new key of the signature, to be shown once; the earlier one signs too for `OVERLAP`. Raises
    WrongChannel where the channel signs nothing, or its address cannot be read with this SECRET_KEY."""
    if known.kind != "webhook":
        raise WrongChannel("kind", "Only a webhook has a key that signs.")
    try:
        kept: dict[str, Any] = json.loads(cipher.decrypt(known.sealed))
    except DecryptionError:
        raise WrongChannel("url", "Its address was sealed under another SECRET_KEY: give it again.") from None
    made, before = secrets.token_urlsafe(32), kept.get("secret")
    kept |= {"secret": made, "earlier": before, "earlier_until": now + OVERLAP if before else 0}
    values = {"sealed": cipher.encrypt(json.dumps(kept)), "updated_at": now}
    db.execute(update(Table).where(Table.id == known.id).values(values))
    return made
