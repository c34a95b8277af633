"""Credentials that we must be able to read again, encrypted: Mixpanel's tokens and service accounts.

Fernet (AES in CBC mode with an HMAC) under a key derived from SECRET_KEY, which is never in the database. A copy of the
database alone opens nothing. What was sealed under an earlier key opens as well, as with `MultiFernet`; what seals or
digests is listed in `security.key_uses`.
"""

import base64
import hmac
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken

from models.encryption import DecryptionError
from security.secrets import begun_digest, keyed_digest, keyed_digests

PURPOSE = "sealed-credentials"


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(keyed_digest(key, PURPOSE, "")))


class Cipher:
    """Encrypts texts under the first key, and decrypts what any of them encrypted.

    `follow` returns the keys of now: the key's file may be another one since. It is asked before each sealing and
    opening, and costs a look at a file.
    """

    def __init__(self, *keys: str, follow: Callable[[], Sequence[str]] | None = None) -> None:
        self._follow = follow or (lambda: keys)
        self._names_by = keys[0]
        self._fernets: dict[str, Fernet] = {}  # by key, of which there are a few
        self._digests: dict[tuple[str, str], hmac.HMAC] = {}  # by key and purpose

    def name_by(self, key: str) -> None:
        """Make `lasting_digest` one under this key: names that were given before a rotation stay as they are."""
        self._names_by = key

    def encrypt(self, secret: str) -> str:
        """Return ciphertext, which differs each time."""
        return self.encrypt_bytes(secret.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        """Return the plain text. Raises DecryptionError."""
        return self.decrypt_bytes(sealed.encode()).decode()

    def encrypt_bytes(self, secret: bytes) -> bytes:
        return self._of(self._follow()[0]).encrypt(secret)

    def decrypt_bytes(self, sealed: bytes) -> bytes:
        """Return the plain bytes. Raises DecryptionError."""
        return self._opened(sealed)[1]

    def opened_by(self, sealed: bytes) -> int | None:
        """Return the place of the key that opens this, 0 for that of now; None where there is none."""
        try:
            return self._opened(sealed)[0]
        except DecryptionError:
            return None

    def digest(self, purpose: str, content: bytes) -> str:
        """Return a digest of `content` under the key of now, in hexadecimal. Those of two purposes never meet."""
        return keyed_digest(self._follow()[0], purpose, content).hex()

    def digests(self, purpose: str, content: bytes) -> list[str]:
        """Return the same under each key, that of now first: what `content` may be found by."""
        return [digest.hex() for digest in keyed_digests(self._follow(), purpose, content)]

    def lasting_digest(self, purpose: str, content: bytes) -> str:
        """Return a digest that stays the same whatever key is the one of now."""
        begun = (self._names_by, purpose)
        if begun not in self._digests:
            self._digests[begun] = begun_digest(*begun)
        digest = self._digests[begun].copy()  # two thirds of the time of a new one
        digest.update(content)
        return digest.hexdigest()

    def _opened(self, sealed: bytes) -> tuple[int, bytes]:
        """Return the place of the key that opens this, and the plain bytes. Raises DecryptionError."""
        for place, key in enumerate(self._follow()):
            try:
                return place, self._of(key).decrypt(sealed)
            except InvalidToken:
                continue
        raise DecryptionError("stored credentials cannot be read with this SECRET_KEY")

    def _of(self, key: str) -> Fernet:
        if key not in self._fernets:
            self._fernets[key] = _fernet(key)
        return self._fernets[key]
