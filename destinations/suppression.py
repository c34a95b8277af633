"""Who was erased, and is not told of again: by the keyed digests of the proofs, which nobody can read back."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, text

from models.encryption import Encryption

PURPOSE = "erasure"  # as erasure.records has it
MOST = 500  # digests that one statement asks for

_ANY = text("SELECT EXISTS (SELECT 1 FROM erasure)")
_KNOWN = text("SELECT digest FROM erasure WHERE digest IN :digests").bindparams(bindparam("digests", expanding=True))


def erased(db: Connection, cipher: Encryption, project_id: str, distinct_ids: Iterable[str]) -> set[str]:
    """Return those of these distinct ids that were erased."""
    if not db.execute(_ANY).scalar_one():
        return set()
    asked = {one: distinct_id for distinct_id in distinct_ids for one in _digests(cipher, project_id, distinct_id)}
    digests, found = list(asked), set[str]()
    for start in range(0, len(digests), MOST):
        rows = db.execute(_KNOWN, {"digests": digests[start : start + MOST]}).scalars()
        found.update(asked[bytes(row)] for row in rows)
    return found


def _digests(cipher: Encryption, project_id: str, distinct_id: str) -> list[bytes]:
    """Return what may be kept of an erased person, under each key that was one."""
    found = cipher.digests(PURPOSE, json.dumps([project_id, distinct_id]).encode())
    return [bytes.fromhex(one) for one in found]
