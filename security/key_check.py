"""Whether SECRET_KEY is the one that the database was filled with.

With another one every password and token would be refused, and Mixpanel pauses a sync for good where it hears 401. So
the database keeps a digest of nothing under its key, from which nobody can tell the key. The first process that works
on a database writes it; whoever comes with another key does not start, and where it serves already says 503.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from flask import current_app, request
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from config.clock import MINUTE
from models.database import DatabaseUnavailable
from models.statement import DRIVER_ERRORS
from runtime import Runtime
from security.encryption import Cipher
from security.secrets import keyed_digest

PURPOSE = "key-check"
PATIENCE = 0.2  # seconds; a call has its own wait for the same lock before it
STILL_ANSWER = {"health", None}  # blueprints: what tells how we are, and what is in no blueprint

_KEPT = text("SELECT digest FROM secret_key_check WHERE id = 1")
_NAMES = text("SELECT coalesce(names_digest, digest) AS digest FROM secret_key_check WHERE id = 1")
_KEEP = text("""
    INSERT INTO secret_key_check (id, digest, since) VALUES (1, :digest, :now) ON CONFLICT (id) DO NOTHING""")
_REPLACE = text("""
    INSERT INTO secret_key_check (id, digest, since) VALUES (1, :digest, :now)
    ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, since = excluded.since, names_digest = NULL""")
_SEALED = text("""
    SELECT coalesce(sealed_token, sealed_secret, sealed_username) FROM project
    WHERE coalesce(sealed_token, sealed_secret, sealed_username) IS NOT NULL LIMIT 1""")
_LOST = text("""
    SELECT (SELECT count(*) FROM connection_password WHERE retired_at IS NULL) AS passwords,
        (SELECT count(*) FROM api_token) AS tokens, (SELECT count(*) FROM project) AS projects,
        (SELECT count(*) FROM erasure) AS erasures,
        (SELECT count(*) FROM destination WHERE sealed_secrets IS NOT NULL) AS destinations,
        (SELECT count(*) FROM authenticator WHERE confirmed_at IS NOT NULL) AS authenticators,
        (SELECT count(*) FROM alert_channel) AS channels,
        (SELECT count(*) FROM refused_request) AS requests""")


class WrongKey(Exception):
    """SECRET_KEY is not the database's; the text says what to do."""


@dataclass(frozen=True)
class Lost:
    """What a new key makes void: live passwords of connections, API tokens, credentials of projects, secrets of
    destinations, proofs of erasures, which can no longer be found by a person's id, second factors of operators,
    addresses and secrets of alert channels, and requests that were refused."""

    passwords: int
    tokens: int
    projects: int
    erasures: int
    destinations: int
    authenticators: int
    channels: int
    requests: int


def is_right(db: Connection, *keys: str) -> bool | None:
    """Tell whether the database's key is among these; None where it has none yet. What was sealed before there was a
    check tells too."""
    kept = db.execute(_KEPT).scalar_one_or_none()
    if kept is not None:
        return bytes(kept) in {proof(key) for key in keys}
    sealed = db.execute(_SEALED).scalar_one_or_none()
    return None if sealed is None or _opens(keys, sealed) else False


def names_by(db: Connection, keys: Sequence[str]) -> str:
    """Return the key under which messages are named: that of the first time, where it is still among these."""
    row = db.execute(_NAMES).one_or_none()
    known = {} if row is None else {proof(key): key for key in keys}
    return known.get(bytes(row.digest), keys[0]) if row is not None else keys[0]


def keep(db: Connection, key: str, now: int) -> None:
    """Make this the database's key, where it has none yet."""
    db.execute(_KEEP, {"digest": proof(key), "now": now})


def replace(db: Connection, key: str, now: int) -> None:
    """Make this the database's key, whatever it was before."""
    db.execute(_REPLACE, {"digest": proof(key), "now": now})


def lost(db: Connection) -> Lost:
    return Lost(*db.execute(_LOST).one())


def proof(key: str) -> bytes:
    """Return what the database keeps of its key."""
    return keyed_digest(key, PURPOSE, "")


def _opens(keys: Sequence[str], sealed: str) -> bool:
    return Cipher(*keys).opened_by(sealed.encode()) is not None


class KeyGuard:
    """Asks the database for its key until it has said yes once; whoever is about to refuse credentials asks again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._is_right = False
        self._moved_to, self._ask_again = "", 0
        self._keeping = Lock()

    def hold(self) -> None:
        """Raises WrongKey and DatabaseUnavailable. A database without tables has no key."""
        if not self._is_right:
            self.look()

    def look(self) -> None:
        """Look as `hold` does, whatever was found before."""
        runtime = self._runtime
        keys = runtime.settings.keys_now()
        try:
            found = runtime.database.read(lambda db: is_right(db, *keys))
            if found is None:
                if not self._keep(keys[0]):
                    return
                found = runtime.database.read(lambda db: is_right(db, *keys))  # another process may have come first
            if found and not self._is_right:
                runtime.cipher.name_by(runtime.database.read(lambda db: names_by(db, keys)))
        except (DBAPIError, *DRIVER_ERRORS):
            return
        self._is_right = bool(found)
        if not found:
            runtime.settings.forget_made_key()
            raise WrongKey(sentence(self._runtime))

    def has_moved_to(self, key: str) -> bool:
        """Whether the database's key is this one by now, and no other that is known as well; asked once a minute until
        it is. Raises DatabaseUnavailable."""
        now = self._runtime.clock()
        if self._moved_to != key and not 0 <= self._ask_again - now <= MINUTE:
            self._ask_again = now + MINUTE
            if self._runtime.database.read(lambda db: is_right(db, key)):
                self._moved_to = key
        return self._moved_to == key

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
