"""What a request leaves for the next page of the same operator: a search, a form as it was typed, a password.

Every form is answered with a redirect, so that reloading repeats nothing and going back never asks; and no address
holds an id, an e-mail or a secret. What the next page needs is sealed in the database meanwhile. The address has a
random key, which opens it for the operator who left it alone, on every process, and not for long.
"""

import secrets
import zlib
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, insert, text

from config.clock import HOUR, MINUTE
from models.encryption import DecryptionError
from models.handover import Handover
from runtime import current_runtime
from security import sign_in_guard
from security.secrets import keyed_digests

LASTS = {"search": HOUR, "form": HOUR, "secret": 5 * MINUTE, "challenge": 10 * MINUTE}  # milliseconds
MOST = 100  # of one operator; the oldest make room
MOST_BYTES = 32 * 1024 * 1024  # of one operator, sealed; the newest is kept whatever its size
PURPOSE = "handover"
LONGEST_KEY = 64
GONE = "That was too long ago to be shown again. Type it once more."

_DIGESTS: BindParameter[bytes] = bindparam("digests", expanding=True)  # of each key that was one
_FIND = text("SELECT sealed FROM handover WHERE digest IN :digests AND expires_at > :now").bindparams(_DIGESTS)
_TAKE = text("""
    DELETE FROM handover WHERE digest IN :digests AND expires_at > :now RETURNING sealed""").bindparams(_DIGESTS)
_EXPIRED = text("DELETE FROM handover WHERE expires_at <= :now OR at > :now + :hour")
_ALL = text("DELETE FROM handover")
_TOO_MUCH = text("""
    DELETE FROM handover WHERE digest IN (
        SELECT digest FROM (
            SELECT digest, row_number() OVER newest AS place, sum(length(sealed)) OVER newest AS bytes
            FROM handover WHERE operator_id = :operator WINDOW newest AS (ORDER BY at DESC, digest)) AS mine
        WHERE place > :most OR (place > 1 AND bytes > :bytes))""")


def leave(kind: str, value: Any, operator_id: int | None = None) -> str:
    """Leave it for a page of this operator, or of one who is half signed in; the key that its address says. `kind` is
    one of LASTS, `value` JSON."""
    runtime, who, key = current_runtime(), _whose(operator_id), secrets.token_urlsafe(24)
    now = runtime.clock()
    row = {
        "digest": _digests(kind, key, who)[0],
        "operator_id": who,
        "at": now,
        "expires_at": now + LASTS[kind],
        "sealed": current_runtime().cipher.encrypt_bytes(zlib.compress(msgspec.json.encode(value))),
    }

    def write(db: Connection) -> None:
        prune(db, now)
        db.execute(insert(Handover).values(row))
        db.execute(_TOO_MUCH, {"operator": who, "most": MOST, "bytes": MOST_BYTES})

    runtime.database.write(write)
    return key


def find(kind: str, key: str) -> Any:
    """Return what was left under this key; None where there is nothing any more, or it is another operator's."""
    runtime = current_runtime()
    values = {"digests": _digests(kind, key, _whose(None)), "now": runtime.clock()}
    return _opened(runtime.database.read(lambda db: db.execute(_FIND, values).scalar(), one_statement=True))


def take(kind: str, key: str, operator_id: int | None = None) -> Any:
    """Find what was left, and remove it: whoever asks again gets None."""
    runtime = current_runtime()
    values = {"digests": _digests(kind, key, _whose(operator_id)), "now": runtime.clock()}
    return _opened(runtime.database.write(lambda db: db.execute(_TAKE, values).scalar()))


def prune(db: Connection, now: int) -> None:
    """Remove what nobody can open any more; also what a clock that was set back would keep."""
    db.execute(_EXPIRED, {"now": now, "hour": HOUR})


def forget(db: Connection) -> None:
    """Remove everything: among what somebody has searched for or typed may be whoever is being erased."""
    db.execute(_ALL)


def _whose(operator_id: int | None) -> int:
    return sign_in_guard.operator().id if operator_id is None else operator_id


def _digests(kind: str, key: str, operator_id: int) -> list[bytes]:
    of = f"{kind} {operator_id} {key[:LONGEST_KEY]}"
    return keyed_digests(current_runtime().settings.secret_keys, PURPOSE, of)


def _opened(sealed: bytes | None) -> Any:
    if sealed is None:
        return None
    try:
        return msgspec.json.decode(zlib.decompress(current_runtime().cipher.decrypt_bytes(sealed)))
    except DecryptionError:
        return None
