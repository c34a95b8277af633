"""Calls under a name that their sender chose, so that the same call again is looked up instead of being made again.

Kept are digests alone, under a key, because what was sent names people whose ids can be guessed: of the name, of what
was sent; and which row of the history it became.
"""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, text

from config.clock import DAY
from models.encryption import Digests

KEPT_FOR = DAY

_CLAIM = text("""
    INSERT INTO named_call (digest, body_digest, delivery_id, at) VALUES (:digest, :body_digest, 0, :now)
    ON CONFLICT (digest) DO NOTHING""")
# A row of an earlier key, or of before there was one, in its last day: it gets the new digests where the content is the
# same, else one that no content has.
_REKEY = text("""
    UPDATE named_call SET digest = :digest,
        body_digest = CASE WHEN body_digest = :earlier_body THEN :body_digest ELSE '' END
    WHERE digest = :earlier AND NOT EXISTS (SELECT 1 FROM named_call WHERE digest = :digest)""")
_BECAME = text("UPDATE named_call SET delivery_id = :delivery WHERE digest = :digest")
_KNOWN = text("SELECT body_digest, delivery_id FROM named_call WHERE digest = :digest")
_FORGET = text("DELETE FROM named_call WHERE digest = :digest")
_PRUNE = text("DELETE FROM named_call WHERE at < :before")
_EXPIRE = text("DELETE FROM named_call WHERE digest = :digest AND at < :before")


@dataclass(frozen=True)
class CallName:
    """A call's name and its content, as digests; the `earlier` pairs are looked for, and never written."""

    digest: str
    body_digest: str
    earlier: list[tuple[str, str]]


def named(digests: Digests, sender: str, place: str, name: str, body: bytes) -> CallName:
    """Digest a call's name and content. A name belongs to a sender and a place (project and operation)."""
    parts = json.dumps([sender, place, name]).encode()
    plain = hashlib.sha256(parts).hexdigest(), hashlib.sha256(body).hexdigest()
    (name_digest, body_digest), *earlier = zip(digests("call-name", parts), digests("call-content", body), strict=True)
    return CallName(name_digest, body_digest, [*earlier, plain])


def claim(db: Connection, call: CallName, now: int) -> bool:
    """Tell whether nobody had this name in the last day; then it is ours, until the end of this transaction alone."""
    for earlier, body in call.earlier:
        db.execute(
            _REKEY, {"digest": call.digest, "body_digest": call.body_digest, "earlier": earlier, "earlier_body": body}
        )
    db.execute(_EXPIRE, {"digest": call.digest, "before": now - KEPT_FOR})
    return db.execute(_CLAIM, {"digest": call.digest, "body_digest": call.body_digest, "now": now}).rowcount == 1


def became(db: Connection, call: CallName, delivery: int) -> None:
    """Note the row of the history, in the transaction of the claim."""
    db.execute(_BECAME, {"digest": call.digest, "delivery": delivery})


def known(db: Connection, call: CallName) -> tuple[bool, int]:
    """Tell of a name that is taken whether the content is the same, and return the row of the history."""
    row = db.execute(_KNOWN, {"digest": call.digest}).one()
    return row.body_digest == call.body_digest, row.delivery_id


def forget(db: Connection, call: CallName) -> None:
    """Forget a name under which nothing was sent, so that it may be tried again."""
    db.execute(_FORGET, {"digest": call.digest})


def prune(db: Connection, now: int) -> None:
    """Forget the names of yesterday."""
    db.execute(_PRUNE, {"before": now - KEPT_FOR})
