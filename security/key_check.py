"""Whether SECRET_KEY is the one that the database was filled with.

With another one every password and token would be refused, and Mixpanel pauses a sync for good where it hears 401. So
the database keeps a digest of nothing under its key, from which nobody can tell the key. The first process that works
on a database writes it; whoever comes with another key does not start, and where it serves already says 503.
"""

from dataclasses import dataclass
from threading import Lock

from flask import current_app, request
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.database import DatabaseUnavailable
from models.encryption import DecryptionError
from models.statement import DRIVER_ERRORS
from runtime import Runtime
from security.encryption import Cipher
from security.secrets import keyed_digest

PURPOSE = "key-check"
PATIENCE = 0.2  # seconds; a call has its own wait for the same lock before it
STILL_ANSWER = {"health", None}  # blueprints: what tells how we are, and what is in no blueprint

_KEPT = text("SELECT digest FROM secret_key_check WHERE id = 1")
_KEEP = text("""
    INSERT INTO secret_key_check (id, digest, since) VALUES (1, :digest, :now) ON CONFLICT (id) DO NOTHING""")
_REPLACE = text("""
    INSERT INTO secret_key_check (id, digest, since) VALUES (1, :digest, :now)
    ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, since = excluded.since""")
_SEALED = text("""
    SELECT coalesce(sealed_token, sealed_secret, sealed_username) FROM project
    WHERE coalesce(sealed_token, sealed_secret, sealed_username) IS NOT NULL LIMIT 1""")
_LOST = text("""
    SELECT (SELECT count(*) FROM connection_password WHERE retired_at IS NULL) AS passwords,
        (SELECT count(*) FROM api_token) AS tokens, (SELECT count(*) FROM project) AS projects,
        (SELECT count(*) FROM erasure) AS erasures,
        (SELECT count(*) FROM destination WHERE sealed_secrets IS NOT NULL) AS destinations,
        (SELECT count(*) FROM authenticator WHERE confirmed_at IS NOT NULL) AS authenticators""")


class WrongKey(Exception):
    """SECRET_KEY is not the database's; the text says what to do."""


@dataclass(frozen=True)
class Lost:
    """What a new key makes void: live passwords of connections, API tokens, credentials of projects, secrets of
    destinations, proofs of erasures, which can no longer be found by a person's id, and second factors of operators."""

    passwords: int
    tokens: int
    projects: int
    erasures: int
    destinations: int
    authenticators: int


def is_right(db: Connection, key: str) -> bool | None:
    """Tell whether this is the database's key; None where it has none yet. What was sealed before there was a check
    tells too."""
    kept = db.execute(_KEPT).scalar_one_or_none()
    if kept is not None:
        return bytes(kept) == _proof(key)
    sealed = db.execute(_SEALED).scalar_one_or_none()
    return None if sealed is None or _opens(key, sealed) else False


def keep(db: Connection, key: str, now: int) -> None:
    """Make this the database's key, where it has none yet."""
    db.execute(_KEEP, {"digest": _proof(key), "now": now})


def replace(db: Connection, key: str, now: int) -> None:
    """Make this the database's key, whatever it was before."""
    db.execute(_REPLACE, {"digest": _proof(key), "now": now})


def lost(db: Connection) -> Lost:
    return Lost(*db.execute(_LOST).one())


def _proof(key: str) -> bytes:
    return keyed_digest(key, PURPOSE, "")


def _opens(key: str, sealed: str) -> bool:
    try:
        Cipher(key).decrypt(sealed)
    except DecryptionError:
        return False
    return True


class KeyGuard:
    """Asks the database for its key until it has said yes once; whoever is about to refuse credentials asks again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._is_right = False
        self._keeping = Lock()

    def hold(self) -> None:
        """Raises WrongKey and DatabaseUnavailable. A database without tables has no key."""
        if not self._is_right:
            self.look()

    def look(self) -> None:
        """Look as `hold` does, whatever was found before."""
        runtime = self._runtime
        key = runtime.settings.secret_key
        try:
            found = runtime.database.read(lambda db: is_right(db, key))
            if found is None:
                if not self._keep(key):
                    return
                found = runtime.database.read(lambda db: is_right(db, key))  # another process may have come first
        except (DBAPIError, *DRIVER_ERRORS):
            return
        self._is_right = bool(found)
        if not found:
            runtime.settings.forget_made_key()
            raise WrongKey(sentence(self._runtime))

    def _keep(self, key: str) -> bool:
        """Make ours the key of a database that has none. False where it cannot be written now, or another thread is at
        it: then no other key can have been meant, the call goes on, and a later one tries again."""
        if not self._keeping.acquire(blocking=False):
            return False
        try:
            self._runtime.database.write(lambda db: keep(db, key, self._runtime.clock()), patience=PATIENCE)
        except DatabaseUnavailable:
            return False
        finally:
            self._keeping.release()
        return True


def sentence(runtime: Runtime) -> str:
    """Return what is wrong with the key, what that would do, and what to do."""
    origin = runtime.settings.origins["SECRET_KEY"]
    file = runtime.settings.instance / "secret-key"
    came = f"the file {file}" if origin == "default" else f"SECRET_KEY from {origin}"
    return (
        f"The key ({came}) is not the one that this database was filled with. With it every webhook password and API"
        " token would be refused, so that Mixpanel pauses its syncs, and no stored credentials could be read. Put the"
        f" earlier key back: {file} from your backup, or SECRET_KEY as it was. If it is lost for good, flask secret-key"
        " accept says what has to be made anew."
    )


def guard() -> KeyGuard:
    found: KeyGuard = current_app.extensions["key"]
    return found


def hold_key() -> None:
    """Hold the key before every call but those that ask how we are."""
    if request.blueprint not in STILL_ANSWER:
        guard().hold()
